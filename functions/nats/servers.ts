/**
 * The requests to a region's nats-servers over their system account: install an account JWT, list loaded accounts, list
 * connections.
 */
import type { Region } from '../shared/env.ts';
import type { BroadcastResult, ServerResponse } from './broadcast.ts';
import type { NatsClient } from './client.ts';
import { PING, Servers } from './system.ts';

const ACCOUNTZ = '$SYS.REQ.SERVER.PING.ACCOUNTZ';

/** The outcome of a push. */
export interface PushResult {
  acknowledged: number;
  servers: number;
  /** The servers that did not acknowledge it. */
  missing: string[];
}

/**
 * Sends the servers a newer account JWT and waits until every server has acknowledged it or the deadline passes. A
 * server that has not loaded the account counts as acknowledged: it will fetch the newest JWT.
 */
export async function pushAccountJwt(
  servers: Servers,
  accountId: string,
  jwt: string,
  deadline: number,
): Promise<PushResult> {
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CLAIMS.UPDATE`;
  const result = await servers.broadcast(subject, jwt, deadline, isAcknowledgement);
  const acknowledged = responsesOf(result).filter(isAcknowledgement).length;
  return { acknowledged, servers: result.servers, missing: result.missing };
}

const isAcknowledgement = ({ data }: ServerResponse) => data?.code === 200;

const responsesOf = ({ responses }: BroadcastResult) => [...responses.values()];

export interface Connection {
  /** The name of the client's server. */
  server: string;
  /** The user's public key `U…`. */
  user: string;
  /** `address:port` of the client. */
  address: string;
  /** The client's own name for the connection; empty if it has none. */
  client: string;
  /** RFC 3339. */
  connectedAt: string;
  /** RFC 3339. */
  lastActivityAt: string;
  serverId: string;
  /** The connection's number on its server. */
  id: number;
  /** The client's library and its version, `nats.go/1.47.0`; empty if it has not sent them. */
  library: string;
  /** Messages from the client since the connection was opened. */
  messagesIn: number;
  /** Messages to the client since the connection was opened. */
  messagesOut: number;
}

/** The most connections that a server lists in one answer. */
const MAX_CONNECTIONS = 256;

/** The open connections of an account. */
export interface ConnectionList {
  connections: Connection[];
  /** The names of the servers that responded. */
  responded: string[];
  /** Number of active servers. */
  servers: number;
  /** Whether a server has more connections than the 256 it lists. */
  truncated: boolean;
}

/**
 * Lists the open connections of an account on all servers that respond before the deadline. Each server loads the
 * account to respond.
 */
export async function listConnections(
  servers: Servers,
  accountId: string,
  deadline: number,
): Promise<ConnectionList> {
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CONNZ`;
  const request = JSON.stringify({ auth: true, limit: MAX_CONNECTIONS });
  const result = await servers.broadcast(subject, request, deadline);
  const responses = responsesOf(result);
  const connections = responses.flatMap(connectionsIn);
  const total = responses.reduce((sum, { data }) => sum + (data?.total ?? 0), 0);
  const answered = responses.map(({ server }) => server?.name ?? '');
  return { connections, responded: answered, servers: result.servers, truncated: total > connections.length };
}

function connectionsIn({ server, data }: ServerResponse): Connection[] {
  return (data?.connections ?? []).map((one) => ({
    server: server?.name ?? '',
    user: one.authorized_user ?? '',
    address: `${one.ip ?? ''}:${one.port ?? ''}`,
    client: one.name ?? '',
    connectedAt: one.start,
    lastActivityAt: one.last_activity,
    serverId: server?.id ?? '',
    id: one.cid ?? 0,
    library: one.lang ? `${one.lang}/${one.version ?? ''}` : '',
    messagesIn: one.in_msgs ?? 0,
    messagesOut: one.out_msgs ?? 0,
  }));
}

/** The most connections that a server lists in one answer to {@link listActive}. */
const ACTIVE_PAGE = 512;

/**
 * Lists a page of the connections of all accounts, latest activity first, and whether there are more. Loads no account.
 */
export async function listActive(
  servers: Servers,
  page: number,
  deadline: number,
): Promise<{ connections: Connection[]; more: boolean }> {
  const offset = page * ACTIVE_PAGE;
  const request = JSON.stringify({ auth: true, sort: 'last', limit: ACTIVE_PAGE, offset });
  const responses = responsesOf(await servers.broadcast('$SYS.REQ.SERVER.PING.CONNZ', request, deadline));
  const more = responses.some(({ data }) => (data?.total ?? 0) > offset + ACTIVE_PAGE);
  return { connections: responses.flatMap(connectionsIn), more };
}

/** Lists the ids of the accounts that at least one server has loaded, in order. */
export async function listLoadedAccounts(servers: Servers, deadline: number): Promise<string[]> {
  const result = await servers.broadcast(ACCOUNTZ, '', deadline);
  const ids = new Set(responsesOf(result).flatMap(({ data }) => data?.accounts ?? []));
  return [...ids].filter((id) => id.startsWith('A')).sort();
}

/** Lists the JWTs that servers hold for an account, one per server that has loaded it. */
export async function listHeldJwts(servers: Servers, accountId: string, deadline: number): Promise<string[]> {
  const result = await servers.broadcast(ACCOUNTZ, JSON.stringify({ account: accountId }), deadline);
  return responsesOf(result).flatMap(({ data }) => data?.account_detail?.jwt ?? []);
}

/** A server of a region that responded, or an address where none did. */
export interface NatsServerState {
  /** Null if the server could not be asked. */
  name: string | null;
  version: string | null;
  /** The configured addresses of the server; empty if it is only reachable through its cluster. */
  websockets: string[];
  /** How far the server's clock is ahead of ours, in milliseconds; negative if it is behind. */
  clockAhead: number | null;
}

/** Lists the servers of a region and their number, which can include servers without details. Never rejects. */
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
    const result = await servers.broadcast(PING, '', deadline);
    const now = Date.now();
    const of = (id: string) =>
      [...result.addresses].flatMap(([url, leadsTo]) => (leadsTo === id ? [url] : []));
    const replied = [...result.responses].map(([id, { server }]) => ({
      name: server?.name ?? null,
      version: server?.ver ?? null,
      websockets: of(id),
      clockAhead: server?.time === undefined ? null : Date.parse(server.time) - now,
    }));
    const lost = [...result.addresses].filter(([, id]) => id === undefined || !result.responses.has(id));
    return { listed: [...replied, ...lost.map(([url]) => unreachable(url))], servers: result.servers };
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
 * Deletes every JetStream stream of the client's account. Rejects if the servers refuse or do not respond in time; a
 * server without JetStream has none.
 */
export async function deleteStreams(client: NatsClient, deadline: number): Promise<void> {
  for (;;) {
    const names = await requestJetStream<StreamNames>(client, 'STREAM.NAMES', deadline);
    if (!names || (names.streams ?? []).length === 0) return;
    for (const stream of names.streams ?? [])
      await requestJetStream(client, `STREAM.DELETE.${stream}`, deadline);
  }
}

async function requestJetStream<Result extends { error?: { code: number; description: string } }>(
  client: NatsClient,
  operation: string,
  deadline: number,
): Promise<Result | null> {
  const [reply] = await client.request(`$JS.API.${operation}`, '', (all) => all.length > 0, deadline);
  if (!reply) throw new Error(`JetStream did not respond to ${operation}`);
  if (reply.noResponders) return null;
  const result = JSON.parse(reply.text) as Result;
  // 404: already deleted by an earlier attempt. 503: JetStream is not enabled, so there are no streams.
  if (result.error && ![404, 503].includes(result.error.code)) throw new Error(result.error.description);
  return result.error ? null : result;
}
