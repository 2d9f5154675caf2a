/**
 * Limits on guessing, before any look-up that costs. The counters are the platform's rate limit bindings, whose limits
 * stand in wrangler.toml: approximate, and counted in each of the platform's locations by itself.
 */
import type { Context } from 'hono';
import type { AppEnv } from '../app.ts';
import { ApiError } from '../errors.ts';

/** The bindings count in windows of at most a minute. */
const WINDOW_MS = 60_000;

/** How many addresses are remembered at once; beyond, the one that was refused first is heard again. */
const REMEMBERED = 10_000;

/** Network → until when its tokens are refused unseen, in milliseconds since the epoch. For this isolate alone. */
const silenced = new Map<string, number>();

/** Refuses with 429 whoever has tried too often from this network or, where one is given, at this e-mail address. */
export async function limitAttempts(c: Context<AppEnv>, email?: string): Promise<void> {
  const { signInLimit, accountLimit } = c.get('config');
  const network = networkOf(c);
  const counted = await Promise.all([
    signInLimit.limit({ key: network }),
    ...(email === undefined ? [] : [accountLimit.limit({ key: `${network} ${email.toLowerCase()}` })]),
  ]);
  if (counted.some(({ success }) => !success)) throw tooMany(Date.now() + WINDOW_MS);
}

/** Refuses with 429 when this account has had too many mails of late, whoever asked for them. */
export async function limitMails(c: Context<AppEnv>, email: string): Promise<void> {
  const { success } = await c.get('config').accountLimit.limit({ key: `mail ${email.toLowerCase()}` });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
}

/** Middleware: answers 429 to a network that asks more often without having signed in than the configuration allows. */
export async function limitVisitors(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  const { success } = await c.get('config').visitorLimit.limit({ key: networkOf(c) });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
  await next();
}

/**
 * Until when a network is not heard, since it has sent too many unknown tokens, in milliseconds since the epoch;
 * undefined when it is heard. Without a look-up.
 */
export function silencedUntil(c: Context<AppEnv>): number | undefined {
  const network = networkOf(c);
  const until = silenced.get(network);
  if (until === undefined || until > Date.now()) return until;
  silenced.delete(network);
  return undefined;
}

/** Refuses with 429 a network that is not heard ({@link silencedUntil}). */
export function refuseSilenced(c: Context<AppEnv>): void {
  const until = silencedUntil(c);
  if (until !== undefined) throw tooMany(until);
}

/** Counts a token that nobody has; over the limit, its network is not heard for the rest of the window. */
export async function noteUnknownToken(c: Context<AppEnv>): Promise<void> {
  const network = networkOf(c);
  const { success } = await c.get('config').tokenLimit.limit({ key: network });
  if (success) return;
  const [first] = silenced.keys();
  if (silenced.size >= REMEMBERED && first !== undefined) silenced.delete(first);
  silenced.set(network, (Math.floor(Date.now() / WINDOW_MS) + 1) * WINDOW_MS);
}

function tooMany(until: number): ApiError {
  const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  return new ApiError('too_many_requests', {}, { 'Retry-After': `${seconds}` });
}

/** Where a request comes from: an IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has. */
export function networkOf(c: Context<AppEnv>): string {
  const address = c.req.header('CF-Connecting-IP') ?? 'local';
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const parts = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - parts.length - after.length);
  return [...parts, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}
