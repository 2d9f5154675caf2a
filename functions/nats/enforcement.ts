/**
 * How a change to an account is brought to the servers, and what is said of it: the answer's headers, the account's
 * `enforcement`, and the schedule that repairs what was missed. It claims nothing that did not happen.
 */

import { openDatabase } from '../../db/database.ts';
import type { NatsAccount } from '../../db/region/accounts.ts';
import { noteLastUse } from '../../db/region/credentials.ts';
import {
  getAccountState,
  isComplete,
  listUnfinished,
  shortenRevocations,
} from '../../db/region/enforcement.ts';
import type { Config, Region } from '../env.ts';
import { composeAccountJwt, operatorKey } from './accounts.ts';
import { NOTHING, type Publication, type PublishRequest } from './publisher.ts';
import { type Connection, listConnections, listHeldJwts, listLoadedAccounts } from './servers.ts';
import { Servers } from './system.ts';

/** The header that says whether a revocation is in force: `enforced; servers=2`, `pending; acknowledged=1; servers=2`. */
const ENFORCEMENT_HEADER = 'Latchkey-Enforcement';

/** The header that says what enforcing took: `connections=2; duration_ms=24`. */
const RECEIPT_HEADER = 'Latchkey-Receipt';

/** What the OpenAPI document says of the answer to a revocation. */
export const ENFORCED = `The header ${ENFORCEMENT_HEADER} says whether every active server has confirmed
  (\`enforced; servers=2\`), or how many have so far (\`pending; acknowledged=1; servers=2\`).`;

/**
 * Has the account's publisher push its newest JWT, and resolves to the headers that say what came of it. Never rejects:
 * the change is in the books, and the publisher's alarm and the schedule go on with it.
 */
export async function enforce(config: Config, request: PublishRequest): Promise<Record<string, string>> {
  const start = Date.now();
  const publication = await publish(config, request);
  const { acknowledged, servers, cut } = publication;
  return {
    [ENFORCEMENT_HEADER]: isComplete(publication)
      ? `enforced; servers=${servers}`
      : `pending; acknowledged=${acknowledged}; servers=${servers}`,
    ...(cut !== null && { [RECEIPT_HEADER]: `connections=${cut}; duration_ms=${Date.now() - start}` }),
  };
}

async function publish({ publishers }: Config, request: PublishRequest): Promise<Publication> {
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
    return NOTHING;
  }
}

/** An account's `enforcement` on the wire. */
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

/** The open connections of a user of the account, and how many of the active servers told theirs. */
export async function connectionsOf(
  config: Config,
  region: Region,
  accountId: string,
  user: string,
): Promise<{ connections: Connection[]; answered: number; servers: number; truncated: boolean }> {
  const deadline = Date.now() + config.nats.push_deadline_ms;
  const asked = await Servers.connect(region, deadline);
  try {
    const listed = await listConnections(asked, accountId, deadline);
    await noteUses(region, listed.connections);
    const { connections, answered, servers, truncated } = listed;
    return {
      connections: connections.filter((one) => one.user === user),
      answered: answered.length,
      servers,
      truncated,
    };
  } finally {
    asked.close();
  }
}

function noteUses(region: Region, connections: readonly Connection[]): Promise<void> {
  const uses = connections.map(({ user, lastActivityAt }) => ({ key: user, at: Date.parse(lastActivityAt) }));
  return uses.length > 0 ? noteLastUse(openDatabase(region.database), uses) : Promise.resolve();
}

const PORTION = 100;
const REVIEW_MS = 20_000;
const AT_ONCE = 6;

/**
 * Repairs what was missed in a region: pushes what is not acknowledged, shortens long revocation lists, compares the
 * JWTs that servers hold with the rows and pushes where they differ, and notes when credentials were last used.
 */
export async function reconcile(config: Config, region: Region): Promise<void> {
  const store = openDatabase(region.database);
  const due = new Set(await shortenRevocations(store, config.nats.max_revocations / 2, Date.now()));
  let after = '';
  for (;;) {
    const ids = await listUnfinished(store, after, PORTION);
    for (const id of ids) due.add(id);
    after = ids.at(-1) ?? '';
    if (ids.length < PORTION) break;
  }
  for (const id of await listDiffering(config, region)) due.add(id);
  await someAtOnce(due, (account) => publish(config, { region: region.name, account, user: null }));
}

/** Does the work for each, some at once: what waits for a server that is silent must not hold up all others. */
async function someAtOnce<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const left = [...items].values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The accounts of which some server holds another JWT than the rows amount to. None when no server can be reached. */
async function listDiffering(config: Config, region: Region): Promise<string[]> {
  const deadline = Date.now() + REVIEW_MS;
  let client: Servers;
  try {
    client = await Servers.connect(region, Date.now() + config.nats.push_deadline_ms);
  } catch {
    return [];
  }
  try {
    const loaded = await listLoadedAccounts(client, Date.now() + config.nats.push_deadline_ms);
    const differing: string[] = [];
    await someAtOnce(loaded, async (id) => {
      if (Date.now() < deadline && (await differs(config, region, client, id))) differing.push(id);
    });
    return differing;
  } finally {
    client.close();
  }
}

async function differs(config: Config, region: Region, client: Servers, id: string): Promise<boolean> {
  const state = await getAccountState(openDatabase(region.database), id);
  // Not ours: the system account, and the servers' own.
  if (!state) return false;
  const deadline = Date.now() + config.nats.push_deadline_ms;
  const [expected, held, { connections }] = await Promise.all([
    operatorKey(config).then((operator) => composeAccountJwt(operator, state, config.nats, Date.now())),
    listHeldJwts(client, id, deadline),
    listConnections(client, id, deadline),
  ]);
  await noteUses(region, connections);
  return held.some((jwt) => jwt !== expected);
}
