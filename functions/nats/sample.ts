/** Stores what a sample of a region's open connections says about the usage of credentials. */
import type { Database } from '../../db/database.ts';
import { findSampledUsers, writeNatsUsage } from '../../db/region/nats-usage.ts';
import { truncateAddress } from '../shared/networks.ts';
import type { Connection } from './servers.ts';
import {
  addSample,
  noNatsUsage,
  parseNatsUsage,
  type SampledConnection,
  serializeNatsUsage,
} from './usage.ts';

/** Users in one statement: their rows are up to 30 kB each, and a parameter can have 2 MB. */
const USERS_PER_QUERY = 50;
/** The most users that a sample counts, the latest active first: 200 statements of the 1,000 that a run can make. */
const MAX_USERS = 5_000;
/** Samples closer together come from runs that overlap, in milliseconds. */
const MIN_INTERVAL_MS = 60_000;
const MAX_CLIENT_LENGTH = 64;

/** Counts a sample of connections, latest activity first, taken at `now` (milliseconds since the epoch). */
export async function countConnections(
  db: Database,
  connections: readonly Connection[],
  now: number,
): Promise<void> {
  const byUser = Map.groupBy(connections, ({ user }) => user);
  const users = [...byUser.keys()].slice(0, MAX_USERS);
  for (let from = 0; from < users.length; from += USERS_PER_QUERY) {
    const rows = await findSampledUsers(db, users.slice(from, from + USERS_PER_QUERY));
    const changed = rows.flatMap(({ key, sampledAt, usage: stored }) => {
      const usage = stored === null ? noNatsUsage() : parseNatsUsage(stored);
      const isChanged = addSample(usage, sampledConnections(byUser.get(key) ?? []), now, sampledAt);
      return isChanged ? [{ key, usage: serializeNatsUsage(usage) }] : [];
    });
    if (changed.length > 0) await writeNatsUsage(db, changed, now, now - MIN_INTERVAL_MS);
  }
}

/** Returns each connection once: one that becomes active between two pages is on both. */
function sampledConnections(connections: readonly Connection[]): SampledConnection[] {
  const once = new Map(connections.map((one) => [`${one.serverId} ${one.id}`, one]));
  return [...once.values()].map((one) => ({
    serverId: one.serverId,
    id: one.id,
    network: truncateAddress(one.address.slice(0, one.address.lastIndexOf(':'))),
    client: clientNameOf(one),
    connectedAt: Date.parse(one.connectedAt),
    lastActivityAt: Date.parse(one.lastActivityAt),
    messagesIn: one.messagesIn,
    messagesOut: one.messagesOut,
  }));
}

/** Returns the client's own name for its connection, or its library. Clients choose both. */
function clientNameOf({ client, library }: Connection): string {
  // Control characters and characters that change the direction of the text around them.
  const name = (client || library).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim();
  return [...name].slice(0, MAX_CLIENT_LENGTH).join('') || 'unknown';
}
