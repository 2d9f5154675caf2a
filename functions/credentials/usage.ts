/**
 * Implements the usage endpoints: authorizes the caller, reads the counts of guards or of samples, and divides them
 * into the buckets of a period. Paths are in usage-routes.ts.
 */
import type { Context } from 'hono';
import type * as z from 'zod';
import { type Credential, getCredentials } from '../../db/region/credentials.ts';
import { findNatsUsage } from '../../db/region/nats-usage.ts';
import { guardOf, isTemporary } from '../guard/guards.ts';
import {
  addUsage,
  type HourUsage,
  MAX_NAMES,
  noUsage,
  OTHER,
  type Tally,
  type Usage,
} from '../guard/usage.ts';
import { requireScope } from '../iam/access/require-access.ts';
import { type NatsBucket, parseNatsUsage, sumNatsUsage } from '../nats/usage.ts';
import { ApiError } from '../shared/errors.ts';
import { type AppEnv, apiTime } from '../shared/http.ts';
import { getRow, keysOf } from './handlers.ts';
import { nats, type Product } from './products.ts';
import type {
  connectionsInLastDay,
  connectionUsage,
  requestsInLastDay,
  requestUsage,
  UsagePeriod,
} from './usage-schemas.ts';

type C = Context<AppEnv>;

const HOUR_SECONDS = 3600;

/** Period → its buckets. Each starts at a multiple of its length in UTC. */
export const PERIODS = {
  day: { stepSeconds: HOUR_SECONDS, buckets: 24 },
  week: { stepSeconds: 6 * HOUR_SECONDS, buckets: 28 },
  month: { stepSeconds: 24 * HOUR_SECONDS, buckets: 30 },
} as const satisfies Record<UsagePeriod, { stepSeconds: number; buckets: number }>;

/** Returns the starts of a period's buckets, in milliseconds since the epoch. The last one contains `now`. */
function startsOf(period: UsagePeriod, now: number): number[] {
  const { stepSeconds, buckets } = PERIODS[period];
  const step = stepSeconds * 1000;
  const last = Math.floor(now / step) * step;
  return Array.from({ length: buckets }, (_, at) => last - (buckets - 1 - at) * step);
}

/** Returns the members that every period has, and the start of its first bucket. */
function presentPeriod(period: UsagePeriod, now: number) {
  const starts = startsOf(period, now);
  const [from = now] = starts;
  const { stepSeconds } = PERIODS[period];
  return { starts, from, wire: { from: apiTime(from), to: apiTime(now), step_seconds: stepSeconds } };
}

/** Divides items with a start among the buckets with these starts. */
function divide<Item>(starts: readonly number[], stepSeconds: number, items: readonly [number, Item][]) {
  const [from = 0] = starts;
  const byBucket = Map.groupBy(items, ([start]) => Math.floor((start - from) / (stepSeconds * 1000)));
  return starts.map((start, at) => ({ start, items: (byBucket.get(at) ?? []).map(([, item]) => item) }));
}

/** Returns the usage of Queues or Topics and Events credentials. Throws 404 if the caller cannot read them. */
export async function requestUsageOf(
  c: C,
  product: Product,
  id: string,
  period: UsagePeriod,
): Promise<z.infer<typeof requestUsage>> {
  const row = await getRow(c, product, id);
  const { starts, from, wire } = presentPeriod(period, Date.now());
  // Never used: without this, looking would create an object for each access key.
  const usage = noUsage();
  const used = row.lastUsedAt === null ? [] : await askGuards(c, row, (guard) => guard.usage(from));
  for (const ofKey of used) addUsage(usage, ofKey);
  const hours = [...usage.hours];
  return {
    ...wire,
    buckets: divide(starts, wire.step_seconds, hours).map(({ start, items }) => ({
      start: apiTime(start),
      requests: sumByName(items.map(({ requests }) => requests)),
      denied: sum(items.map(({ denied }) => denied)),
      throttled: sum(items.map(({ throttled }) => throttled)),
      failed: sum(items.map(({ failed }) => failed)),
    })),
    networks: mostFrequent(hours, 'networks').map(([network, tally]) => ({
      network,
      ...presentTally(tally),
    })),
    clients: mostFrequent(hours, 'clients').map(([name, tally]) => ({ name, ...presentTally(tally) })),
    last_used: presentLast(usage.last),
  };
}

/** Calls the guard of each key of credentials, which are two in a rotation. Throws 503 if one cannot be reached. */
function askGuards<Answer>(
  c: C,
  { key, rotation }: Credential,
  ask: (guard: ReturnType<typeof guardOf>) => Promise<Answer>,
): Promise<Answer[]> {
  return Promise.all(keysOf(key, rotation).map((each) => askGuard(c, each, ask)));
}

async function askGuard<Answer>(
  c: C,
  key: string,
  ask: (guard: ReturnType<typeof guardOf>) => Promise<Answer>,
): Promise<Answer> {
  const region = c.get('region');
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask(guardOf(c.get('config'), region, key));
    } catch (error) {
      if (attempt === 0 && isTemporary(error)) continue;
      const reason = String(error);
      console.warn(JSON.stringify({ request_id: c.get('requestId'), guard: 'unreachable', reason }));
      throw new ApiError('unavailable', { resource: region.name }, { 'Retry-After': '5' });
    }
  }
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

function sumByName(maps: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const [name, count] of maps.flatMap((map) => [...map])) totals[name] = (totals[name] ?? 0) + count;
  return totals;
}

/** Returns the most frequent networks or clients of all hours, and the sum of the others as the last. */
function mostFrequent(hours: readonly [number, HourUsage][], of: 'networks' | 'clients'): [string, Tally][] {
  const all = new Map<string, Tally>();
  const add = (name: string, { requests, lastSeenAt }: Tally) => {
    const known = all.get(name) ?? { requests: 0, lastSeenAt: 0 };
    all.set(name, {
      requests: known.requests + requests,
      lastSeenAt: Math.max(known.lastSeenAt, lastSeenAt),
    });
  };
  for (const [, hour] of hours) for (const [name, tally] of hour[of]) add(name, tally);
  const named = [...all]
    .filter(([name]) => name !== OTHER)
    .sort(([, a], [, b]) => b.requests - a.requests || b.lastSeenAt - a.lastSeenAt);
  for (const [name, tally] of named.slice(MAX_NAMES)) {
    all.delete(name);
    add(OTHER, tally);
  }
  const other = all.get(OTHER);
  return [...named.slice(0, MAX_NAMES), ...(other ? [[OTHER, other] satisfies [string, Tally]] : [])];
}

const presentTally = ({ requests, lastSeenAt }: Tally) => ({ requests, last_seen_at: apiTime(lastSeenAt) });

const presentLast = (last: Usage['last']) => last && { ...last, at: apiTime(last.at) };

/** Returns the usage of NATS credentials. Throws 404 if the caller cannot read them. */
export async function connectionUsageOf(
  c: C,
  id: string,
  period: UsagePeriod,
): Promise<z.infer<typeof connectionUsage>> {
  const { key, rotation } = await getRow(c, nats, id);
  const stored = await findNatsUsage(c.get('regionDb'), keysOf(key, rotation));
  const usage = sumNatsUsage(stored.map(({ usage }) => parseNatsUsage(usage)));
  const { starts, from, wire } = presentPeriod(period, Date.now());
  const source = period === 'month' ? usage.days : usage.hours;
  const seen = <Name extends string>(name: Name, names: typeof usage.networks) =>
    names
      .filter(({ lastSeenAt }) => lastSeenAt >= from)
      .map(
        (one) =>
          ({
            [name]: one.name,
            connections: one.connections,
            last_seen_at: apiTime(one.lastSeenAt),
          }) as Record<Name, string> & { connections: number; last_seen_at: string },
      );
  return {
    ...wire,
    buckets: divide(
      starts,
      wire.step_seconds,
      source.map((bucket): [number, NatsBucket] => [bucket.start, bucket]),
    ).map(({ start, items }) => ({ start: apiTime(start), ...combine(items) })),
    networks: seen('network', usage.networks),
    clients: seen('name', usage.clients),
    last_used: presentLast(usage.last),
  };
}

function combine(buckets: readonly NatsBucket[]) {
  return {
    connections: Math.max(0, ...buckets.map(({ connections }) => connections)),
    messages_in: sum(buckets.map(({ messagesIn }) => messagesIn)),
    messages_out: sum(buckets.map(({ messagesOut }) => messagesOut)),
  };
}

/** Returns those of the credentials that the caller can read, in the given order. */
async function readable(c: C, product: Product, asked: string | readonly string[]): Promise<Credential[]> {
  const { projectIds } = requireScope(c, { resource: product.id, action: 'read' });
  const ids = [...new Set([asked].flat())];
  const rows = await getCredentials(c.get('regionDb'), { ids, product: product.id, projectIds });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Returns how many requests each of the credentials has made in the last day. */
export async function requestsInLastDayOf(
  c: C,
  product: Product,
  asked: string | readonly string[],
): Promise<z.infer<typeof requestsInLastDay>> {
  const rows = await readable(c, product, asked);
  const { from } = presentPeriod('day', Date.now());
  const usage = rows.map(async (row) => {
    // A use is recorded at most once in five minutes. Only guards of used credentials are asked.
    const unused = row.lastUsedAt === null || row.lastUsedAt < from;
    return {
      credentials_id: row.id,
      requests: unused ? 0 : sum(await askGuards(c, row, (guard) => guard.requestsSince(from))),
    };
  });
  return { usage: await Promise.all(usage) };
}

/** Returns the connections and messages of each of the NATS credentials in the last day. */
export async function connectionsInLastDayOf(
  c: C,
  asked: string | readonly string[],
): Promise<z.infer<typeof connectionsInLastDay>> {
  const rows = await readable(c, nats, asked);
  const keys = rows.flatMap(({ key, rotation }) => keysOf(key, rotation));
  const stored = await findNatsUsage(c.get('regionDb'), keys);
  const byKey = new Map(stored.map(({ key, usage }) => [key, parseNatsUsage(usage)]));
  const { from } = presentPeriod('day', Date.now());
  const usage = rows.map(({ id, key, rotation }) => {
    const { hours } = sumNatsUsage(keysOf(key, rotation).flatMap((each) => byKey.get(each) ?? []));
    return { credentials_id: id, ...combine(hours.filter(({ start }) => start >= from)) };
  });
  return { usage };
}
