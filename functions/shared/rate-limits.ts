/**
 * Rate limits against guessing. They reject too many password attempts before hashing, and unknown tokens, but never a
 * valid API key, session, access key or link: these are looked up before the limit applies, however many guesses come
 * from the same network. A miss reads no row. The counters are the platform's rate limit bindings (limits in
 * wrangler.toml): approximate, and separate for each of the platform's locations.
 */
import type { Context } from 'hono';
import { ApiError } from './errors.ts';
import type { AppEnv } from './http.ts';
import { groupsOf, mappedIpv4 } from './networks.ts';

/** The longest period that the bindings support. */
const WINDOW_MS = 60_000;

/** How many networks to remember. Beyond that, the one blocked first is evicted and counted again. */
const MAX_BLOCKED_NETWORKS = 10_000;

/** Network → end of its block for unknown tokens, in milliseconds since the epoch. Local to this isolate. */
const blockedUntil = new Map<string, number>();

/**
 * Throws 429 for too many attempts from a network or, with `email`, on one account. This also rejects correct
 * passwords: every attempt is a guess until scrypt has run.
 */
export async function limitAttempts(c: Context<AppEnv>, email?: string): Promise<void> {
  const network = networkOf(c);
  const { success } = await c.get('config').signInLimit.limit({ key: network });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
  if (email !== undefined) await limitAccount(c, email.toLowerCase());
}

/** Throws 429 after too many password attempts on this account from this network. */
export async function limitAccount(c: Context<AppEnv>, account: string): Promise<void> {
  const { success } = await c.get('config').accountLimit.limit({ key: `${networkOf(c)} ${account}` });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
}

/** Throws 429 if this account has received too many emails recently, from any requester. */
export async function limitEmails(c: Context<AppEnv>, email: string): Promise<void> {
  const { success } = await c.get('config').accountLimit.limit({ key: `mail ${email.toLowerCase()}` });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
}

/** Middleware that responds with 429 when a network exceeds the configured rate of requests without signing in. */
export async function limitVisitors(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  const { success } = await c.get('config').visitorLimit.limit({ key: networkOf(c) });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
  await next();
}

/**
 * Counts an unknown token, key or link. Returns the end of the block (milliseconds since the epoch) if its network is
 * over the limit, otherwise undefined.
 */
export async function countUnknownToken(c: Context<AppEnv>): Promise<number | undefined> {
  const network = networkOf(c);
  const until = blockedUntil.get(network);
  if (until !== undefined && until > Date.now()) return until;
  blockedUntil.delete(network);
  const { success } = await c.get('config').tokenLimit.limit({ key: network });
  if (success) return undefined;
  const [first] = blockedUntil.keys();
  if (blockedUntil.size >= MAX_BLOCKED_NETWORKS && first !== undefined) blockedUntil.delete(first);
  const end = (Math.floor(Date.now() / WINDOW_MS) + 1) * WINDOW_MS;
  blockedUntil.set(network, end);
  return end;
}

/** Like {@link countUnknownToken}, but throws 429 if the network is over the limit. */
export async function rejectUnknownToken(c: Context<AppEnv>): Promise<void> {
  const until = await countUnknownToken(c);
  if (until !== undefined) throw tooMany(until);
}

function tooMany(until: number): ApiError {
  const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  return new ApiError('too_many_requests', {}, { 'Retry-After': `${seconds}` });
}

/** The network of every request sent by a Worker: `CF-Connecting-IP` is one address for all of them, in any zone. */
const WORKERS = '2a06:98c0:3600:0';

/**
 * Returns the client's network in canonical form: an IPv4 address, or the /64 of an IPv6 address, which is what one
 * subscriber gets. Requests from Workers share one address and are distinguished by the zone in `CF-Worker`, which the
 * platform sets.
 */
export function networkOf(c: Context<AppEnv>): string {
  const address = c.req.header('CF-Connecting-IP') ?? 'local';
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  const mapped = mappedIpv4(groups);
  if (mapped !== undefined) return mapped;
  const network = groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
  return network === WORKERS ? `${network} ${c.req.header('CF-Worker') ?? ''}` : network;
}
