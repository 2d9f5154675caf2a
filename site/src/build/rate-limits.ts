/**
 * How often something may happen in a minute, read from the project's wrangler configuration while the site builds. The
 * limits are enforced by the platform; a limit that nobody described stops the build.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';

/** What each limit counts, by the name of its binding. */
const COUNTED: Record<string, string> = {
  RESOLVER_LIMIT: 'Requests for account JWTs, as nats-servers send them',
  VISITOR_LIMIT: 'Guests who are let in, and answers to “Was this page helpful?”',
  SIGN_IN_LIMIT: 'Attempts to sign in, to change or reset a password, to open or accept an invitation',
  ACCOUNT_LIMIT:
    'Attempts to sign in with one e-mail address. Also the mails to one e-mail address, from wherever they are asked for',
  TOKEN_LIMIT:
    'API keys, sessions and access keys of Queues and of Topics and Events that do not exist. Beyond it every request of the address that brings one is refused, good ones too, until the minute is over',
};

/** The limits of the wrangler configuration at `path`: what is counted, and how often it may be in a minute. */
export function readRateLimits(path: string | URL): { name: string; what: string; limit: number }[] {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { ratelimits } = unstable_readConfig({ config }, { hideWarnings: true });
  return (ratelimits as { name: string; simple: { limit: number } }[]).map(({ name, simple }) => {
    const what = COUNTED[name];
    if (!what) throw new Error(`The page about limits does not describe ${name}`);
    return { name, what, limit: simple.limit };
  });
}
