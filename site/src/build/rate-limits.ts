/**
 * The rate limits in the wrangler configuration. The platform enforces them. A limit without a description stops the build.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';

/** What each limit counts, by the name of its binding. */
const COUNTED: Record<string, string> = {
  RESOLVER_LIMIT: 'Requests for the account JWTs of NATS accounts that do not exist',
  VISITOR_LIMIT: 'New guest sandboxes, and answers to “Was this page helpful?”',
  SIGN_IN_LIMIT: 'Password sign-ins, and requests for a password reset email. Existing sessions keep working',
  ACCOUNT_LIMIT:
    'Password attempts for one account; also emails to one address, requested from any client address',
  TOKEN_LIMIT:
    'Nonexistent API keys, sessions, links, and access keys of Queues and of Topics and Events. Beyond the limit, nonexistent ones are refused until the minute ends; existing ones never are',
};

/** Reads the limits per minute from the wrangler configuration at `path`. */
export function readRateLimits(path: string | URL): { name: string; what: string; limit: number }[] {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { ratelimits } = unstable_readConfig({ config }, { hideWarnings: true });
  return (ratelimits as { name: string; simple: { limit: number } }[]).map(({ name, simple }) => {
    const what = COUNTED[name];
    if (!what) throw new Error(`The Limits page does not describe ${name}`);
    return { name, what, limit: simple.limit };
  });
}
