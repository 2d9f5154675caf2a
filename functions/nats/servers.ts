/**
 * What the Worker asks of a region's nats-servers, over their system account: take this account JWT, which accounts
 * have you loaded, who is connected. Subjects and answers are those of nats-server 2.9 and later.
 */
import type { Region } from '../env.ts';
import { systemKey } from './accounts.ts';
import { connectNats, type NatsClient, type Reply, shortLivedUser } from './client.ts';

const ACCOUNTZ = '$SYS.REQ.SERVER.PING.ACCOUNTZ';

/** What the Worker's own user may do in the system account. */
const PERMISSIONS = {
  publish: ['$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE', '$SYS.REQ.ACCOUNT.*.CONNZ', '$SYS.REQ.SERVER.PING', ACCOUNTZ],
  subscribe: ['_INBOX.>'],
};

/** Connects to one of a region's servers as a user of its system account. Rejects when none answers in time. */
export async function connectSystem(region: Region, deadline: number): Promise<NatsClient> {
  const issuer = await systemKey(region);
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

const parse = (reply: Reply | undefined): Answer => (reply?.text ? (JSON.parse(reply.text) as Answer) : {});

/** How many servers are active, by the account of those that answer; 0 when none does. */
async function countServers(client: NatsClient, deadline: number): Promise<number> {
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
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CLAIMS.UPDATE`;
  const { answers, servers } = await askServers(client, subject, jwt, deadline, isAcknowledgement);
  return { acknowledged: answers.filter(isAcknowledgement).length, servers };
}

const isAcknowledgement = ({ data }: Answer) => data?.code === 200;

/**
 * Asks all servers and gathers their answers, one of each, until every active one has given one that `counts`, or the
 * deadline has passed. Asks at the same time how many are active: one that is silent must not cost the others theirs.
 */
async function askServers(
  client: NatsClient,
  subject: string,
  payload: string,
  deadline: number,
  counts: (answer: Answer) => boolean = () => true,
): Promise<{ answers: Answer[]; servers: number }> {
  let servers = Number.POSITIVE_INFINITY;
  const answers = new Map<string, Answer>();
  const enough = () => [...answers.values()].filter(counts).length >= servers;
  const asking = client.request(
    subject,
    payload,
    (replies) => {
      const answer = parse(replies.at(-1));
      answers.set(answer.server?.id ?? '', answer);
      return enough();
    },
    deadline,
  );
  // Not awaited when everyone has answered before the count is known.
  asking.catch(() => {});
  servers = Math.max(1, await countServers(client, deadline));
  if (!enough()) await asking;
  return { answers: [...answers.values()], servers };
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

/** The connections that are open with an account's credentials, of all servers that answer before the deadline. */
export async function listConnections(
  client: NatsClient,
  accountId: string,
  deadline: number,
): Promise<Listing> {
  const subject = `$SYS.REQ.ACCOUNT.${accountId}.CONNZ`;
  const request = JSON.stringify({ auth: true, limit: PAGE });
  const { answers, servers } = await askServers(client, subject, request, deadline);
  const connections = answers.flatMap(({ server, data }) =>
    (data?.connections ?? []).map((one) => ({
      server: server?.name ?? '',
      user: one.authorized_user ?? '',
      address: `${one.ip ?? ''}:${one.port ?? ''}`,
      client: one.name ?? '',
      connectedAt: one.start,
      lastActivityAt: one.last_activity,
    })),
  );
  const total = answers.reduce((sum, { data }) => sum + (data?.total ?? 0), 0);
  const answered = answers.map(({ server }) => server?.name ?? '');
  return { connections, answered, servers, truncated: total > connections.length };
}

/** The ids of the accounts that some server has loaded. */
export async function listLoadedAccounts(client: NatsClient, deadline: number): Promise<string[]> {
  const { answers } = await askServers(client, ACCOUNTZ, '', deadline);
  return [...new Set(answers.flatMap(({ data }) => data?.accounts ?? []))].filter((id) => id.startsWith('A'));
}

/** The account JWTs that the servers hold for an account, one for each server that has loaded it. */
export async function listHeldJwts(
  client: NatsClient,
  accountId: string,
  deadline: number,
): Promise<string[]> {
  const { answers } = await askServers(client, ACCOUNTZ, JSON.stringify({ account: accountId }), deadline);
  return answers.flatMap(({ data }) => data?.account_detail?.jwt ?? []);
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
