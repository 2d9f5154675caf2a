/**
 * Limits on guessing. A limit refuses passwords that are tried too often, before they cost anything, and tokens that nobody
 * has; never an API key, session, access key or link that exists. So these are looked up first, whoever else guesses on the
 * same network: a miss reads no row. The counters are the platform's rate limit bindings, whose limits are in wrangler.toml:
 * approximate, and counted in each of the platform's locations by itself.
 */
import type { Context } from 'hono';
import type { AppEnv } from '../app.ts';
import { ApiError } from '../errors.ts';

/** The bindings count in windows of at most a minute. */
const WINDOW_MS = 60_000;

/** How many networks are remembered at once; beyond it, the one that was refused first is counted again. */
const REMEMBERED = 10_000;

/** Network → until when it is over the limit of unknown tokens, in milliseconds since the epoch. For this isolate alone. */
const over = new Map<string, number>();

/**
 * Refuses with 429 an attempt from a network that has made too many or, where an email address is given, too many at this
 * account. It refuses right passwords too, since each attempt is a guess until it has cost its scrypt.
 */
export async function limitAttempts(c: Context<AppEnv>, email?: string): Promise<void> {
  const network = networkOf(c);
  const { success } = await c.get('config').signInLimit.limit({ key: network });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
  if (email !== undefined) await limitAccount(c, email.toLowerCase());
}

/** Refuses with 429 when too many passwords were tried at this account from this network. */
export async function limitAccount(c: Context<AppEnv>, account: string): Promise<void> {
  const { success } = await c.get('config').accountLimit.limit({ key: `${networkOf(c)} ${account}` });
  if (!success) throw tooMany(Date.now() + WINDOW_MS);
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
 * Counts a token, key or link that nobody has. Returns undefined, or, when its network is over the limit, until when, in
 * milliseconds since the epoch.
 */
export async function countUnknown(c: Context<AppEnv>): Promise<number | undefined> {
  const network = networkOf(c);
  const until = over.get(network);
  if (until !== undefined && until > Date.now()) return until;
  over.delete(network);
  const { success } = await c.get('config').tokenLimit.limit({ key: network });
  if (success) return undefined;
  const [first] = over.keys();
  if (over.size >= REMEMBERED && first !== undefined) over.delete(first);
  const end = (Math.floor(Date.now() / WINDOW_MS) + 1) * WINDOW_MS;
  over.set(network, end);
  return end;
}

/** {@link countUnknown}; throws 429 when the network is over the limit. */
export async function refuseUnknown(c: Context<AppEnv>): Promise<void> {
  const until = await countUnknown(c);
  if (until !== undefined) throw tooMany(until);
}

function tooMany(until: number): ApiError {
  const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  return new ApiError('too_many_requests', {}, { 'Retry-After': `${seconds}` });
}

/** What `CF-Connecting-IP` says of every request that somebody's Worker sends, in any zone: a network of one address. */
const WORKERS = '2a06:98c0:3600:0';

/**
 * Where a request comes from: an IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has, in one spelling.
 * Requests of Workers share an address and are told apart by the zone in `CF-Worker`, which the platform sets on them.
 */
export function networkOf(c: Context<AppEnv>): string {
  const address = c.req.header('CF-Connecting-IP') ?? 'local';
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  // An IPv4 address in IPv6's notation, `::ffff:192.0.2.1`.
  if (groups.slice(0, 6).join() === '0,0,0,0,0,65535') {
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  const network = groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
  return network === WORKERS ? `${network} ${c.req.header('CF-Worker') ?? ''}` : network;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::').map((part) => part.split(':').flatMap(groupOf));
  if (tail === undefined) return head;
  const zeros = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0);
  return [...head, ...zeros, ...tail];
}

/** The group that a part is, the two groups of an IPv4 address at the end, or none for nothing before or after `::`. */
function groupOf(part: string): number[] {
  if (part === '') return [];
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
