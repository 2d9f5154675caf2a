/**
 * Counts the uses of NATS credentials from samples of the servers' open connections. The counts of one user have a
 * bounded size, because they are stored in one row. A connection that is opened and closed between two samples is missed.
 */
import { HOUR_MS, hourOf, MAX_NAMES, RETENTION_MS } from '../guard/usage.ts';

const DAY_MS = 24 * HOUR_MS;
/** How long hours are kept, in milliseconds. Days are kept for {@link RETENTION_MS}. */
const HOURS_MS = 8 * DAY_MS;
/** The connections of a user whose messages are counted. Others count only as connections. */
const MAX_OPEN = 256;

/** An open connection of a user in a sample. Times are in milliseconds since the epoch. */
export interface SampledConnection {
  serverId: string;
  /** The connection's number on its server. */
  id: number;
  network: string;
  client: string;
  connectedAt: number;
  lastActivityAt: number;
  /** Messages from the client since the connection was opened. */
  messagesIn: number;
  /** Messages to the client since the connection was opened. */
  messagesOut: number;
}

/** The uses in an hour or a day. */
export interface NatsBucket {
  /** Milliseconds since the epoch. */
  start: number;
  /** The most open connections in a sample. */
  connections: number;
  messagesIn: number;
  messagesOut: number;
}

/** A network or a client. */
export interface NatsName {
  name: string;
  /** Its connections in the sample in which it was last seen. */
  connections: number;
  lastSeenAt: number;
}

/** The uses of one user. */
export interface NatsUsage {
  hours: NatsBucket[];
  days: NatsBucket[];
  networks: NatsName[];
  clients: NatsName[];
  last: { at: number; network: string; client: string } | null;
  /** The connections in the last sample: server id and number → messages in and out. */
  open: Map<string, readonly [messagesIn: number, messagesOut: number]>;
}

export const noNatsUsage = (): NatsUsage => ({
  hours: [],
  days: [],
  networks: [],
  clients: [],
  last: null,
  open: new Map(),
});

/**
 * Adds a sample of a user's open connections, taken at `now`. `sampledAt` is the time of the user's previous sample, or
 * null. Returns whether there is anything to store. Times are in milliseconds since the epoch.
 */
export function addSample(
  usage: NatsUsage,
  connections: readonly SampledConnection[],
  now: number,
  sampledAt: number | null,
): boolean {
  const open: NatsUsage['open'] = new Map();
  let [messagesIn, messagesOut] = [0, 0];
  for (const one of connections.slice(0, MAX_OPEN)) {
    const key = `${one.serverId} ${one.id}`;
    open.set(key, [one.messagesIn, one.messagesOut]);
    const before = usage.open.get(key) ?? baseline(one, now, sampledAt);
    messagesIn += Math.max(0, one.messagesIn - before[0]);
    messagesOut += Math.max(0, one.messagesOut - before[1]);
  }
  const sample = { connections: connections.length, messagesIn, messagesOut };
  const replaced = open.size !== usage.open.size || [...open.keys()].some((key) => !usage.open.has(key));
  const raised = addToBucket(usage.hours, hourOf(now), sample, now - HOURS_MS);
  addToBucket(usage.days, Math.floor(now / DAY_MS) * DAY_MS, sample, now - RETENTION_MS);
  usage.open = open;
  usage.networks = seen(usage.networks, connections, 'network', now);
  usage.clients = seen(usage.clients, connections, 'client', now);
  for (const { lastActivityAt: at, network, client } of connections) {
    if (at > (usage.last?.at ?? 0)) usage.last = { at, network, client };
  }
  return raised || replaced || messagesIn + messagesOut > 0;
}

/** The counters of a new connection before its first sample: its own, if it can have been counted before. */
function baseline(one: SampledConnection, now: number, sampledAt: number | null): readonly [number, number] {
  const isNew = one.connectedAt > (sampledAt ?? now - HOUR_MS);
  return isNew ? [0, 0] : [one.messagesIn, one.messagesOut];
}

/** Adds a sample to its bucket and removes old ones. Returns whether the number of connections is a new maximum. */
function addToBucket(
  buckets: NatsBucket[],
  start: number,
  { connections, messagesIn, messagesOut }: Omit<NatsBucket, 'start'>,
  oldest: number,
): boolean {
  while ((buckets[0]?.start ?? oldest) < oldest) buckets.shift();
  let bucket = buckets.at(-1);
  if (bucket?.start !== start) {
    bucket = { start, connections: 0, messagesIn: 0, messagesOut: 0 };
    buckets.push(bucket);
  }
  const raised = connections > bucket.connections;
  bucket.connections = Math.max(bucket.connections, connections);
  bucket.messagesIn += messagesIn;
  bucket.messagesOut += messagesOut;
  return raised;
}

/** Returns the names with those of a sample, latest first. */
function seen(
  names: readonly NatsName[],
  connections: readonly SampledConnection[],
  of: 'network' | 'client',
  now: number,
): NatsName[] {
  const present = [...Map.groupBy(connections, (one) => one[of])].map(([name, { length }]) => ({
    name,
    connections: length,
    lastSeenAt: now,
  }));
  present.sort((a, b) => b.connections - a.connections);
  const earlier = names.filter(
    ({ name, lastSeenAt }) => lastSeenAt > now - RETENTION_MS && !present.some((one) => one.name === name),
  );
  return [...present, ...earlier].slice(0, MAX_NAMES);
}

/** Returns the usage of credentials with several users: in a rotation, both keys can be in use at once. */
export function sumNatsUsage(usages: readonly NatsUsage[]): NatsUsage {
  const buckets = (of: 'hours' | 'days') =>
    [
      ...Map.groupBy(
        usages.flatMap((usage) => usage[of]),
        ({ start }) => start,
      ).values(),
    ].map((same) =>
      same.reduce((sum, { start, connections, messagesIn, messagesOut }) => ({
        start,
        connections: sum.connections + connections,
        messagesIn: sum.messagesIn + messagesIn,
        messagesOut: sum.messagesOut + messagesOut,
      })),
    );
  const names = (of: 'networks' | 'clients') =>
    [
      ...Map.groupBy(
        usages.flatMap((usage) => usage[of]),
        ({ name }) => name,
      ).values(),
    ]
      .map((same) => same.reduce((a, b) => (b.lastSeenAt > a.lastSeenAt ? b : a)))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt)
      .slice(0, MAX_NAMES);
  const [last = null] = usages.flatMap((usage) => usage.last ?? []).sort((a, b) => b.at - a.at);
  return {
    hours: buckets('hours'),
    days: buckets('days'),
    networks: names('networks'),
    clients: names('clients'),
    last,
    open: new Map(usages.flatMap(({ open }) => [...open])),
  };
}

type StoredBucket = [start: number, connections: number, messagesIn: number, messagesOut: number];

/** The form of {@link NatsUsage} in a row: tuples, because a user has up to 227 buckets. */
interface StoredUsage {
  hours: StoredBucket[];
  days: StoredBucket[];
  networks: NatsName[];
  clients: NatsName[];
  last: NatsUsage['last'];
  open: [string, number, number][];
}

/** Returns the text that {@link parseNatsUsage} reads. */
export function serializeNatsUsage({ hours, days, open, ...names }: NatsUsage): string {
  const stored = ({ start, connections, messagesIn, messagesOut }: NatsBucket): StoredBucket => [
    start,
    connections,
    messagesIn,
    messagesOut,
  ];
  return JSON.stringify({
    ...names,
    hours: hours.map(stored),
    days: days.map(stored),
    open: [...open].map(([key, [messagesIn, messagesOut]]) => [key, messagesIn, messagesOut]),
  } satisfies StoredUsage);
}

export function parseNatsUsage(text: string): NatsUsage {
  const { hours, days, open, ...names } = JSON.parse(text) as StoredUsage;
  const bucketOf = ([start, connections, messagesIn, messagesOut]: StoredBucket): NatsBucket => ({
    start,
    connections,
    messagesIn,
    messagesOut,
  });
  return {
    ...names,
    hours: hours.map(bucketOf),
    days: days.map(bucketOf),
    open: new Map(open.map(([key, messagesIn, messagesOut]) => [key, [messagesIn, messagesOut]])),
  };
}
