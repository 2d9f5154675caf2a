/**
 * Counts the uses of credentials by hour: actions, outcomes, networks and clients, in a bounded size. Shared by the
 * isolates that count and by the guards that keep the counts.
 */

export const HOUR_MS = 3600_000;

/** How long hours are kept, in milliseconds. */
export const RETENTION_MS = 35 * 24 * HOUR_MS;

/** Networks, and clients, that are counted by name in an hour or in a response. Others count as {@link OTHER}. */
export const MAX_NAMES = 20;

/** The name under which networks, clients and actions are counted that have no count of their own. */
export const OTHER = 'other';

/** How a request ended: `denied` without the permission, `throttled` by a limit, `failed` with any other error. */
export type Outcome = 'ok' | 'denied' | 'throttled' | 'failed';

/** A request with a valid signature. */
export interface Use {
  /** The name of an action, or {@link OTHER}. */
  action: string;
  outcome: Outcome;
  /** Milliseconds since the epoch. */
  at: number;
  network: string;
  client: string;
}

/** Requests from a network or client. */
export interface Tally {
  requests: number;
  /** Milliseconds since the epoch. */
  lastSeenAt: number;
}

export type Tallies = Map<string, Tally>;

/** The uses in one hour. */
export interface HourUsage {
  /** Action → requests, whatever their outcome. */
  requests: Map<string, number>;
  denied: number;
  throttled: number;
  failed: number;
  networks: Tallies;
  clients: Tallies;
}

/** The latest use. */
export type LastUse = Pick<Use, 'at' | 'network' | 'client'>;

/** Uses of one access key: start of an hour, in milliseconds since the epoch → the uses in it; and the latest. */
export interface Usage {
  hours: Map<number, HourUsage>;
  last: LastUse | null;
}

export const noUsage = (): Usage => ({ hours: new Map(), last: null });

/** Returns the start of the hour of a time, in milliseconds since the epoch. */
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

/** Adds a use. */
export function addUse(usage: Usage, { action, outcome, at, network, client }: Use): void {
  const tally = { requests: 1, lastSeenAt: at };
  addUsage(usage, {
    hours: new Map([
      [
        hourOf(at),
        {
          requests: new Map([[action, 1]]),
          denied: 0,
          throttled: 0,
          failed: 0,
          ...(outcome !== 'ok' && { [outcome]: 1 }),
          networks: new Map([[network, tally]]),
          clients: new Map([[client, tally]]),
        },
      ],
    ]),
    last: { at, network, client },
  });
}

/** Adds all uses of `more`, which stays as it is. */
export function addUsage(usage: Usage, more: Usage): void {
  for (const [start, hour] of more.hours) {
    const known = usage.hours.get(start) ?? noHour();
    usage.hours.set(start, known);
    addHour(known, hour);
  }
  if (more.last && more.last.at >= (usage.last?.at ?? 0)) usage.last = more.last;
}

const noHour = (): HourUsage => ({
  requests: new Map(),
  denied: 0,
  throttled: 0,
  failed: 0,
  networks: new Map(),
  clients: new Map(),
});

function addHour(hour: HourUsage, more: HourUsage): void {
  for (const [action, requests] of more.requests)
    hour.requests.set(action, (hour.requests.get(action) ?? 0) + requests);
  hour.denied += more.denied;
  hour.throttled += more.throttled;
  hour.failed += more.failed;
  addTallies(hour.networks, more.networks);
  addTallies(hour.clients, more.clients);
}

/**
 * Adds the tallies of `more`. At {@link MAX_NAMES} names, the rarest becomes part of {@link OTHER}, so that a client
 * that changes its name with each request fills one place, and the latest name is always listed.
 */
export function addTallies(tallies: Tallies, more: Tallies): void {
  for (const [name, tally] of more) {
    if (name !== OTHER && !tallies.has(name)) makeRoom(tallies);
    addTally(tallies, name, tally);
  }
}

function makeRoom(tallies: Tallies): void {
  const named = [...tallies].filter(([name]) => name !== OTHER);
  if (named.length < MAX_NAMES) return;
  const [rarest] = named.sort(([, a], [, b]) => a.requests - b.requests || a.lastSeenAt - b.lastSeenAt) as [
    [string, Tally],
  ];
  tallies.delete(rarest[0]);
  addTally(tallies, OTHER, rarest[1]);
}

function addTally(tallies: Tallies, name: string, { requests, lastSeenAt }: Tally): void {
  const known = tallies.get(name);
  tallies.set(name, {
    requests: (known?.requests ?? 0) + requests,
    lastSeenAt: Math.max(known?.lastSeenAt ?? 0, lastSeenAt),
  });
}

/** Returns the number of requests in an hour. */
export function requestsIn({ requests }: HourUsage): number {
  return [...requests.values()].reduce((sum, count) => sum + count, 0);
}
