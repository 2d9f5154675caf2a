/**
 * What the Worker asks of a region's nats-servers, over their system account: take this account JWT, which accounts
 * have you loaded, who is connected. Subjects and answers are those of nats-server 2.9 and later.
 */
import type { Region } from '../env.ts';
import { connectNats, type NatsClient, type Reply, shortLivedUser } from './client.ts';
import { importSeed } from './keys.ts';

/** What the Worker's own user may do in the system account. */
const PERMISSIONS = {
  publish: [
    '$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE',
    '$SYS.REQ.ACCOUNT.*.CONNZ',
    '$SYS.REQ.SERVER.PING',
    '$SYS.REQ.SERVER.PING.ACCOUNTZ',
  ],
  subscribe: ['_INBOX.>'],
};

/** Connects to one of a region's servers as a user of its system account. Rejects when none answers in time. */
export async function connectSystem(region: Region, deadline: number): Promise<NatsClient> {
  const issuer = await importSeed(region.systemSeed);
  const now = Math.floor(Date.now() / 1000);
  const user = await shortLivedUser({ id: issuer.publicKey, issuer }, now, PERMISSIONS);
  return connectNats(region.natsWebsockets, user, deadline);
}

/** The part of each server's answer that is read here. */
interface Answer {
  server?: { id: string; name: string };
  statsz?: { active_servers?: number };
  data?: {
    code?: number;
    account?: string;
    accounts?: string[];
    account_detail?: { jwt?: string };
    connections?: RawConnection[] | null;
    total?: number;
  };
  error?: { code: number; description: string };
}

interface RawConnection {
  cid: number;
  ip?: string;
  port?: number;
  name?: string;
  start: string;
  last_activity: string;
  stop?: string;
  authorized_user?: string;
}

const parse = ({ text }: Reply): Answer => (text ? (JSON.parse(text) as Answer) : {});

/** How many servers are active, by the account of those that answer; 0 when none does. */
export async function countServers(client: NatsClient, deadline: number): Promise<number> {
  const replies = await client.request(
    '$SYS.REQ.SERVER.PING',
    '',
    (all) => all.length >= activeServers(all),
    deadline,
  );
  return activeServers(replies);
}

/** The largest number that a server names: one that has just started may not know all others yet. */
function activeServers(replies: Reply[]): number {
  return Math.max(0, ...replies.map((reply) => parse(reply).statsz?.active_servers ?? 1));
}

/**
 * Sends the servers a newer account JWT, and waits until every active one has taken it or the deadline has passed. A
 * server that has not loaded the account counts: it will fetch the newest.
 */
export async function pushAccountJwt(
  client: NatsClient,
  accountId: string,
  jwt: string,
  deadline: number,
): Promise<{ acknowledged: number; servers: number }> {
  let servers = Number.POSITIVE_INFINITY;
  let replies: Reply[] = [];
  const pushing = client.request(
    `$SYS.REQ.ACCOUNT.${accountId}.CLAIMS.UPDATE`,
    jwt,
    (all) => {
      replies = all;
      return acknowledgements(all) >= servers;
    },
    deadline,
  );
  // Not awaited when everyone has answered before the count is known.
  pushing.catch(() => {});
  servers = Math.max(1, await countServers(client, deadline));
  if (acknowledgements(replies) < servers) replies = await pushing;
  return { acknowledged: acknowledgements(replies), servers };
}

/** How many different servers have said yes. */
function acknowledgements(replies: Reply[]): number {
  const taken = replies.map(parse).filter(({ data }) => data?.code === 200);
  return new Set(taken.map(({ server }) => server?.id)).size;
}

/** An open connection of a user. */
export interface Connection {
  /** The name of the server that has it. */
  server: string;
  /** The public key `U…` of the user. */
  user: string;
  /** `address:port` of the client. */
  address: string;
  /** What the client calls itself; empty when it does not. */
  client: string;
  /** RFC 3339. */
  connectedAt: string;
  /** RFC 3339. */
  lastActivityAt: string;
}

/** A server lists at most this many connections in an answer. */
const PAGE = 256;

/**
 * The connections that are open with an account's credentials, of all servers that answer before the deadline, and how
 * many those are of how many active ones. At most 256 of each server.
 */
export async function listConnections(
  client: NatsClient,
  accountId: string,
  deadline: number,
): Promise<{ connections: Connection[]; answered: number; servers: number }> {
  const servers = await countServers(client, deadline);
  const replies = await client.request(
    `$SYS.REQ.ACCOUNT.${accountId}.CONNZ`,
    JSON.stringify({ auth: true, limit: PAGE }),
    (all) => all.length >= servers,
    deadline,
  );
  const connections = replies.map(parse).flatMap(({ server, data }) =>
    (data?.connections ?? []).map((one) => ({
      server: server?.name ?? '',
      user: one.authorized_user ?? '',
      address: `${one.ip ?? ''}:${one.port ?? ''}`,
      client: one.name ?? '',
      connectedAt: one.start,
      lastActivityAt: one.last_activity,
    })),
  );
  return { connections, answered: replies.length, servers };
}

/** The ids of the accounts that some server has loaded. */
export async function listLoadedAccounts(client: NatsClient, deadline: number): Promise<string[]> {
  const replies = await askAllServers(client, '', deadline);
  return [...new Set(replies.flatMap(({ data }) => data?.accounts ?? []))].filter((id) => id.startsWith('A'));
}

/** The account JWTs that the servers hold for an account, one for each server that has loaded it. */
export async function listHeldJwts(
  client: NatsClient,
  accountId: string,
  deadline: number,
): Promise<string[]> {
  const replies = await askAllServers(client, JSON.stringify({ account: accountId }), deadline);
  return replies.flatMap(({ data }) => data?.account_detail?.jwt ?? []);
}

async function askAllServers(client: NatsClient, payload: string, deadline: number): Promise<Answer[]> {
  const servers = await countServers(client, deadline);
  const enough = (all: Reply[]) => all.length >= servers;
  return (await client.request('$SYS.REQ.SERVER.PING.ACCOUNTZ', payload, enough, deadline)).map(parse);
}

interface StreamNames {
  total?: number;
  streams?: string[] | null;
  error?: { code: number; description: string };
}

/**
 * Deletes every JetStream stream of the account that the client is connected to. Rejects when the servers refuse or do
 * not answer in time; a server without JetStream has none.
 */
export async function deleteStreams(client: NatsClient, deadline: number): Promise<void> {
  for (;;) {
    const names = await askJetStream<StreamNames>(client, 'STREAM.NAMES', deadline);
    if (!names || (names.streams ?? []).length === 0) return;
    for (const stream of names.streams ?? []) await askJetStream(client, `STREAM.DELETE.${stream}`, deadline);
  }
}

async function askJetStream<Result extends { error?: { code: number; description: string } }>(
  client: NatsClient,
  operation: string,
  deadline: number,
): Promise<Result | null> {
  const [reply] = await client.request(`$JS.API.${operation}`, '', (all) => all.length > 0, deadline);
  if (!reply) throw new Error(`JetStream did not answer ${operation}`);
  if (reply.noResponders) return null;
  const result = JSON.parse(reply.text) as Result;
  // Not found: deleted by whoever was here before. Not enabled: there is nothing.
  if (result.error && ![404, 503].includes(result.error.code)) throw new Error(result.error.description);
  return result.error ? null : result;
}
