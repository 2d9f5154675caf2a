/**
 * What the Worker asks of a region's nats-servers, over their system account: take this account JWT, which accounts
 * have you loaded, who is connected.
 */
import type { Region } from '../env.ts';
import type { NatsClient } from './client.ts';
import type { Answer, Asked } from './question.ts';
import { PING, Servers } from './system.ts';

const ACCOUNTZ = '$SYS.REQ.SERVER.PING.ACCOUNTZ';

/** What came of a push. */
export interface Pushed {
  acknowledged: number;
  servers: number;
  /** Which servers did not acknowledge it. */
  missing: string[];
}

/**
 * Sends the servers a newer account JWT, and waits until every one has taken it or the deadline has passed. A server
 * that has not loaded the account counts: it will fetch the newest.
 */
export async function pushAccountJwt(
  servers: Servers,
  accountId: string,
  jwt: string,
  deadline: number,
): Promise<Pushed> {
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CLAIMS.UPDATE`;
  const asked = await servers.ask(subject, jwt, deadline, isAcknowledgement);
  const acknowledged = answersOf(asked).filter(isAcknowledgement).length;
  return { acknowledged, servers: asked.servers, missing: asked.missing };
}

const isAcknowledgement = ({ data }: Answer) => data?.code === 200;

const answersOf = ({ answers }: Asked) => [...answers.values()];

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

/** The open connections of an account. */
export interface Listing {
  connections: Connection[];
  /** The names of the servers that told theirs. */
  answered: string[];
  /** How many servers are active. */
  servers: number;
  /** Whether a server has more than the 256 that it tells. */
  truncated: boolean;
}

/**
 * The connections that are open with an account's credentials, of all servers that answer before the deadline. Each of
 * them loads the account for it.
 */
export async function listConnections(
  servers: Servers,
  accountId: string,
  deadline: number,
): Promise<Listing> {
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CONNZ`;
  const request = JSON.stringify({ auth: true, limit: PAGE });
  const asked = await servers.ask(subject, request, deadline);
  const answers = answersOf(asked);
  const connections = answers.flatMap(connectionsIn);
  const total = answers.reduce((sum, { data }) => sum + (data?.total ?? 0), 0);
  const answered = answers.map(({ server }) => server?.name ?? '');
  return { connections, answered, servers: asked.servers, truncated: total > connections.length };
}

function connectionsIn({ server, data }: Answer): Connection[] {
  return (data?.connections ?? []).map((one) => ({
    server: server?.name ?? '',
    user: one.authorized_user ?? '',
    address: `${one.ip ?? ''}:${one.port ?? ''}`,
    client: one.name ?? '',
    connectedAt: one.start,
    lastActivityAt: one.last_activity,
  }));
}

/** A server lists at most this many in an answer to {@link listActive}. */
const ACTIVE_PAGE = 512;

/**
 * A page of the connections of all accounts, those with the latest activity first, and whether there are more. Loads no
 * account.
 */
export async function listActive(
  servers: Servers,
  page: number,
  deadline: number,
): Promise<{ connections: Connection[]; more: boolean }> {
  const offset = page * ACTIVE_PAGE;
  const request = JSON.stringify({ auth: true, sort: 'last', limit: ACTIVE_PAGE, offset });
  const answers = answersOf(await servers.ask('$SYS.REQ.SERVER.PING.CONNZ', request, deadline));
  const more = answers.some(({ data }) => (data?.total ?? 0) > offset + ACTIVE_PAGE);
  return { connections: answers.flatMap(connectionsIn), more };
}

/** The ids of the accounts that some server has loaded, in order. */
export async function listLoadedAccounts(servers: Servers, deadline: number): Promise<string[]> {
  const asked = await servers.ask(ACCOUNTZ, '', deadline);
  const ids = new Set(answersOf(asked).flatMap(({ data }) => data?.accounts ?? []));
  return [...ids].filter((id) => id.startsWith('A')).sort();
}

/** The account JWTs that the servers hold for an account, one for each server that has loaded it. */
export async function listHeldJwts(servers: Servers, accountId: string, deadline: number): Promise<string[]> {
  const asked = await servers.ask(ACCOUNTZ, JSON.stringify({ account: accountId }), deadline);
  return answersOf(asked).flatMap(({ data }) => data?.account_detail?.jwt ?? []);
}

/** A server of a region, as it replied just now, or an address where none did. */
export interface NatsServerState {
  /** Null of a server that could not be asked. */
  name: string | null;
  version: string | null;
  /** The configured addresses that lead to it; empty for a server that only others of its cluster reach. */
  websockets: string[];
  /** By how much its clock is ahead of ours, in milliseconds; negative when it is behind. */
  clockAhead: number | null;
}

/** The servers of a region, and how many there are; some may be known by their number alone. Never rejects. */
export async function listServers(
  region: Region,
  deadline: number,
): Promise<{ listed: NatsServerState[]; servers: number }> {
  const unreachable = (url: string) => ({ name: null, version: null, websockets: [url], clockAhead: null });
  let servers: Servers;
  try {
    servers = await Servers.connect(region, deadline);
  } catch {
    return { listed: region.natsWebsockets.map(unreachable), servers: region.natsWebsockets.length };
  }
  try {
    const asked = await servers.ask(PING, '', deadline);
    const now = Date.now();
    const of = (id: string) =>
      [...asked.addresses].flatMap(([url, leadsTo]) => (leadsTo === id ? [url] : []));
    const replied = [...asked.answers].map(([id, { server }]) => ({
      name: server?.name ?? null,
      version: server?.ver ?? null,
      websockets: of(id),
      clockAhead: server?.time === undefined ? null : Date.parse(server.time) - now,
    }));
    const lost = [...asked.addresses].filter(([, id]) => id === undefined || !asked.answers.has(id));
    return { listed: [...replied, ...lost.map(([url]) => unreachable(url))], servers: asked.servers };
  } finally {
    servers.close();
  }
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
