/**
 * How often something may happen in a minute, read from the project's wrangler configuration while the site builds. The
 * limits are enforced by the platform; a limit that nobody described stops the build.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';

/** What each limit counts, by the name of its binding. */
const COUNTED: Record<string, string> = {
  RESOLVER_LIMIT: 'Requests for the account JWTs of NATS accounts that do not exist',
  VISITOR_LIMIT: 'Guests who are let in, and answers to “Was this page helpful?”',
  SIGN_IN_LIMIT:
    'Attempts to sign in with a password, and requests for a mail to reset one. Sessions that exist go on',
  ACCOUNT_LIMIT:
    'Attempts at the password of one account. Also the mails to one email address, from wherever they are asked for',
  TOKEN_LIMIT:
    'API keys, sessions, links and access keys of Queues and of Topics and Events that do not exist. Beyond it these are refused until the minute is over; those that exist never are',
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
