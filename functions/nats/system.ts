/**
 * Asks all servers of a region, as a user of its system account. Servers of a cluster forward requests to each other,
 * so one connection normally suffices. If the server of a configured address has not replied, it gets its own
 * connection, because the others may have lost sight of it. An unreachable address counts as a server that has not
 * replied.
 */
import type { Region } from '../shared/env.ts';
import { systemKey } from './accounts.ts';
import {
  Broadcast,
  type BroadcastResult,
  parseResponse,
  type ServerCount,
  type ServerResponse,
} from './broadcast.ts';
import { connectNats, connectOne, type NatsClient, type NatsUser, shortLivedUser } from './client.ts';
import { warnAboutServer } from './server-warnings.ts';

/** Each server replies with its identity and status. */
export const PING = '$SYS.REQ.SERVER.PING';

/** Permissions of the Worker's user in the system account. */
const PERMISSIONS = {
  publish: [
    '$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE',
    '$SYS.REQ.ACCOUNT.*.CONNZ',
    PING,
    `${PING}.ACCOUNTZ`,
    `${PING}.CONNZ`,
  ],
  subscribe: ['_INBOX.>'],
};

/** How long to wait for the servers behind the first connection before asking another address directly. */
const PATIENCE_MS = 60;
/** How long an address that failed within the last minute can delay a broadcast. */
const FAILED_PATIENCE_MS = 150;
const MINUTE_MS = 60_000;
/** How long to cache a connection's count of active servers. */
const COUNT_MS = 1_000;

/** The server last seen at each address. Local to this isolate. */
const addresses = new Map<string, { id?: string; seenAt: number; failedAt: number }>();

/** Records the server at an address; undefined if the attempt to connect that began at `since` failed. */
function recordAddress(url: string, id: string | undefined, since: number): void {
  const known = addresses.get(url) ?? { seenAt: 0, failedAt: 0 };
  const now = Date.now();
  if (id !== undefined) addresses.set(url, { id, seenAt: now, failedAt: 0 });
  // An attempt can time out after a later one has succeeded: the address is fine.
  else if (known.seenAt <= since) addresses.set(url, { ...known, failedAt: now });
}

const within = (ms: number, time: number | undefined) => time !== undefined && Date.now() - time < ms;

/** Connections to a region's servers. The caller must close them. */
export class Servers {
  readonly #region: Region;
  readonly #user: NatsUser;
  readonly #connecting = new Map<string, Promise<NatsClient>>();
  readonly #counts = new Map<NatsClient, ServerCount>();
  readonly #watchers = new Set<() => void>();
  /** Addresses whose servers the first connection does not reach. */
  readonly #apart = new Set<string>();
  #first: NatsClient | undefined;

  private constructor(region: Region, user: NatsUser) {
    this.#region = region;
    this.#user = user;
  }

  /**
   * Connects to a region. Rejects with the errors if no address responds before `deadline` (milliseconds since the
   * epoch).
   */
  static async connect(region: Region, deadline: number): Promise<Servers> {
    const issuer = await systemKey(region);
    const now = Math.floor(Date.now() / 1000);
    const user = await shortLivedUser({ id: issuer.publicKey, issuer }, now, PERMISSIONS);
    const servers = new Servers(region, user);
    await servers.#connectFirst(deadline);
    return servers;
  }

  async #connectFirst(deadline: number): Promise<NatsClient> {
    const urls = [...this.#region.natsWebsockets].sort((a, b) => failedAt(a) - failedAt(b));
    // Connect in parallel to addresses whose server is not known.
    for (const url of urls.slice(1)) {
      if (!within(MINUTE_MS, addresses.get(url)?.seenAt)) this.#connect(url, deadline).catch(() => {});
    }
    const since = Date.now();
    const first = await connectNats(urls, this.#user, deadline);
    for (const url of urls.slice(0, urls.indexOf(first.url))) recordAddress(url, undefined, since);
    recordAddress(first.url, first.server.id, since);
    const other = this.#connecting.get(first.url);
    this.#keep(first.url, Promise.resolve(first));
    other?.then((client) => client.close()).catch(() => {});
    this.#first = first;
    first.lost.catch(() => {
      if (this.#first === first) this.#first = undefined;
    });
    return first;
  }

  #connect(url: string, deadline: number): Promise<NatsClient> {
    const known = this.#connecting.get(url);
    if (known) return known;
    const since = Date.now();
    const connecting = connectOne(url, this.#user, deadline);
    connecting.then(
      ({ server }) => recordAddress(url, server.id, since),
      () => recordAddress(url, undefined, since),
    );
    this.#keep(url, connecting);
    return connecting;
  }

  /** Keeps a connection while it is open. */
  #keep(url: string, connecting: Promise<NatsClient>): void {
    this.#connecting.set(url, connecting);
    const forget = () => {
      if (this.#connecting.get(url) === connecting) this.#connecting.delete(url);
    };
    connecting.then((client) => client.lost).catch(forget);
  }

  /**
   * Asks all servers and collects one answer from each, until every server has given one that `counts` accepts or
   * `deadline` (milliseconds since the epoch) passes. Rejects if every connection is lost before any answer arrives.
   */
  async broadcast(
    subject: string,
    payload: string,
    deadline: number,
    counts: (answer: ServerResponse) => boolean = () => true,
  ): Promise<BroadcastResult> {
    const first = this.#first ?? (await this.#connectFirst(deadline));
    const broadcast = new Broadcast(counts);
    const survey = (client: NatsClient) => broadcast.send(client, subject, payload, this.#count(client));
    const watcher = () => broadcast.check();
    this.#watchers.add(watcher);
    try {
      survey(first);
      broadcast.identify(first.url, first.server.id);
      for (const url of this.#region.natsWebsockets.filter((other) => other !== first.url)) {
        const patience = failedAt(url) > 0 ? FAILED_PATIENCE_MS : Number.POSITIVE_INFINITY;
        broadcast.waitFor(this.#reach(url, broadcast, survey, deadline), patience);
      }
      await broadcast.done(deadline);
    } finally {
      this.#watchers.delete(watcher);
      broadcast.stop();
    }
    return broadcast.outcome(
      this.#region.natsWebsockets.map((url) => {
        const known = addresses.get(url);
        return { url, id: broadcast.idOf(url) ?? known?.id };
      }),
    );
  }

  /** Makes sure the server at an address is asked, through the first connection or through its own. */
  async #reach(
    url: string,
    broadcast: Broadcast,
    survey: (client: NatsClient) => void,
    deadline: number,
  ): Promise<void> {
    const known = addresses.get(url);
    const connected = this.#connecting.has(url);
    if (!connected && known?.id && within(MINUTE_MS, known.seenAt)) {
      broadcast.identify(url, known.id);
      if (await broadcast.hasAnswer(known.id, PATIENCE_MS)) return;
    }
    const client = await this.#connect(url, deadline);
    broadcast.identify(url, client.server.id);
    if (!this.#apart.has(url) && (await broadcast.hasAnswer(client.server.id, PATIENCE_MS))) return;
    this.#apart.add(url);
    survey(client);
  }

  #count(client: NatsClient): ServerCount {
    const kept = this.#counts.get(client);
    if (kept && within(COUNT_MS, kept.at)) return kept;
    kept?.stop();
    const count: ServerCount = { at: Date.now(), active: 0, replied: new Map(), stop: () => {} };
    count.stop = client.requestMany(PING, '', (reply) => {
      const { server, statsz } = parseResponse(reply);
      // Use the largest number: a server that has just started may not know all the others yet.
      count.active = Math.max(count.active, statsz?.active_servers ?? 1);
      if (server) {
        count.replied.set(server.id, server.name);
        warnAboutServer(this.#region.name, server);
      }
      for (const watcher of this.#watchers) watcher();
    });
    this.#counts.set(client, count);
    return count;
  }

  close(): void {
    for (const connecting of this.#connecting.values())
      connecting.then((client) => client.close()).catch(() => {});
  }
}

const failedAt = (url: string) => {
  const at = addresses.get(url)?.failedAt ?? 0;
  return within(MINUTE_MS, at) ? at : 0;
};
