/**
 * Pushes account changes to the servers and reports the outcome in response headers and in an account's `enforcement`,
 * without claiming more than the servers confirmed. repair.ts retries what was missed.
 */

import { openDatabase } from '../../db/database.ts';
import { isComplete } from '../../db/region/account-sync.ts';
import type { NatsAccount } from '../../db/region/accounts.ts';
import { recordLastUses } from '../../db/region/last-use.ts';
import type { Config, Region } from '../shared/env.ts';
import { ENFORCEMENT_HEADER } from '../shared/http.ts';
import { NOT_PUSHED, type Publication, type PublishRequest } from './publisher.ts';
import { type Connection, listConnections } from './servers.ts';
import { Servers } from './system.ts';

/** Closed connections and duration of a push: `connections=2; duration_ms=24`. */
const RECEIPT_HEADER = 'Latchkey-Receipt';

/** The OpenAPI description of a revocation's response. */
export const ENFORCEMENT_DESCRIPTION = `The header ${ENFORCEMENT_HEADER} shows whether all active servers have confirmed
  (\`enforced; servers=2\`), or how many have so far (\`pending; acknowledged=1; servers=2\`).`;

/**
 * Pushes the account's newest JWT through its publisher and resolves to the headers that report the outcome. Never
 * rejects: the change is stored, and the publisher's alarm and the scheduled job retry the push.
 */
export async function publishAndReport(
  config: Config,
  request: PublishRequest,
): Promise<Record<string, string>> {
  const start = Date.now();
  const publication = await publishAccount(config, request);
  const { acknowledged, servers, connectionsClosed } = publication;
  return {
    [ENFORCEMENT_HEADER]: isComplete(publication)
      ? `enforced; servers=${servers}`
      : `pending; acknowledged=${acknowledged}; servers=${servers}`,
    // During a deployment a publisher of the previous version reports the count by another name.
    ...(typeof connectionsClosed === 'number' && {
      [RECEIPT_HEADER]: `connections=${connectionsClosed}; duration_ms=${Date.now() - start}`,
    }),
  };
}

/** Returns the header that reports whether all servers have the account's revision. Pushes it again if not. */
export async function confirmRevision(
  config: Config,
  region: Region,
  account: NatsAccount,
): Promise<Record<string, string>> {
  if (account.acknowledgedRevision >= account.revision)
    return { [ENFORCEMENT_HEADER]: `enforced; servers=${account.servers}` };
  return publishAndReport(config, { region: region.name, account: account.id, user: null });
}

/** Pushes the account's newest JWT through its publisher and resolves to the outcome. Logs a failure. */
export async function publishAccount({ publishers }: Config, request: PublishRequest): Promise<Publication> {
  try {
    const publisher = publishers.get(publishers.idFromName(`${request.region}/${request.account}`));
    const response = await publisher.fetch('https://publisher/', {
      method: 'POST',
      body: JSON.stringify(request),
    });
    return (await response.json()) as Publication;
  } catch (error) {
    console.warn(
      JSON.stringify({ publish: 'failed', reason: error instanceof Error ? error.message : 'unknown' }),
    );
    return NOT_PUSHED;
  }
}

/** Returns the API representation of an account's `enforcement`. */
export function presentEnforcement(account: NatsAccount) {
  const enforced = account.acknowledgedRevision >= account.revision;
  return {
    state: enforced ? ('enforced' as const) : ('pending' as const),
    revision: account.revision,
    acknowledged_revision: account.acknowledgedRevision,
    servers: account.servers,
    acknowledged_servers: account.acknowledgedServers,
  };
}

/** Returns the open connections of a user of the account, and how many of the active servers responded. */
export async function listUserConnections(
  config: Config,
  region: Region,
  accountId: string,
  user: string,
): Promise<{ connections: Connection[]; answered: number; servers: number; truncated: boolean }> {
  const deadline = Date.now() + config.nats.push_deadline_ms;
  const serversAsked = await Servers.connect(region, deadline);
  try {
    const listed = await listConnections(serversAsked, accountId, deadline);
    await recordNatsUses(region, listed.connections);
    const { connections, responded, servers, truncated } = listed;
    return {
      connections: connections.filter((one) => one.user === user),
      answered: responded.length,
      servers,
      truncated,
    };
  } finally {
    serversAsked.close();
  }
}

/** Returns the number of open connections of each user of an account. Empty if the servers cannot be asked. */
export async function countConnections(
  config: Config,
  region: Region,
  accountId: string,
): Promise<Map<string, number>> {
  const deadline = Date.now() + config.nats.push_deadline_ms;
  const counts = new Map<string, number>();
  try {
    const servers = await Servers.connect(region, deadline);
    try {
      for (const { user } of (await listConnections(servers, accountId, deadline)).connections)
        counts.set(user, (counts.get(user) ?? 0) + 1);
    } finally {
      servers.close();
    }
  } catch (error) {
    console.warn(JSON.stringify({ connections: 'not counted', reason: String(error) }));
  }
  return counts;
}

/** Records when credentials were last used, from their open connections. */
export function recordNatsUses(region: Region, connections: readonly Connection[]): Promise<void> {
  const uses = connections.map(({ user, lastActivityAt }) => ({ key: user, at: Date.parse(lastActivityAt) }));
  return uses.length > 0 ? recordLastUses(openDatabase(region.database), uses) : Promise.resolve();
}
