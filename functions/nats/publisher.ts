/**
 * A Durable Object per NATS account that pushes the newest account JWT to every server of its region. Pushes run one at
 * a time and each reads the rows when it starts, so that concurrent revocations are never lost. A push is retried until
 * every active server acknowledges it, and repeated once after the settling time: a server that was fetching the
 * account during the change could have installed the old JWT afterwards. Pending work survives a crash through the
 * alarm.
 */
import type { DurableObjectState } from '@cloudflare/workers-types';
import { type Database, openDatabase } from '../../db/database.ts';
import {
  type AccountState,
  getAccountState,
  isComplete,
  recordPurge,
  recordPush,
} from '../../db/region/account-sync.ts';
import { type Bindings, type Config, configOf, type Region } from '../shared/env.ts';
import { composeForStore } from './account-jwts.ts';
import { signingKeyOf } from './accounts.ts';
import { connectNats, shortLivedUser } from './client.ts';
import { type ConnectionList, deleteStreams, listConnections, pushAccountJwt } from './servers.ts';
import { Servers } from './system.ts';

/** A request to an account's publisher. */
export interface PublishRequest {
  region: string;
  account: string;
  /** Whose connections to count: the revoked user, `*` for all, or null for none. */
  user: string | null;
  /** Whether only the end of the account's lease has changed. */
  renewal?: boolean;
}

/** The outcome of a push. */
export interface Publication {
  /** The pushed revision; 0 if no server could be reached. */
  revision: number;
  acknowledged: number;
  /** Number of active servers; 0 if none could be reached. */
  servers: number;
  /** How many of the user's connections were open before the push and closed after it; null if unknown. */
  connectionsClosed: number | null;
  /** Whether nothing is left to do: every server has the newest revision, and a deleted account's streams are gone. */
  finished: boolean;
}

/** A server's fetch of an account takes at most 1.9 s: what it installs after this time was served after the change. */
const SETTLING_MS = 2_500;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 5 * 60_000;
/** How long counting connections can delay the push. */
const COUNTING_MS = 150;
/** How long reading the rows and recording the outcome can add to the deadline of a push. */
const ROWS_MS = 500;

/** The outcome if no server could be reached. */
export const NOT_PUSHED: Publication = {
  revision: 0,
  acknowledged: 0,
  servers: 0,
  connectionsClosed: null,
  finished: false,
};

/** The stored state of the object. */
interface PendingPush {
  region: string;
  account: string;
  /** Consecutive pushes that not all servers acknowledged. */
  failures: number;
  /** Whether only the end of the lease has changed. */
  renewal?: boolean;
}

/** Attempts at a renewal before it is left to the scheduled job: a lease outlasts several renewals. */
const MAX_RENEWAL_ATTEMPTS = 4;

/** Keeps the servers of a region up to date with one NATS account. */
export class AccountPublisher {
  #state: DurableObjectState;
  #config: Config;
  #account: Pick<PendingPush, 'region' | 'account'> | undefined;
  #running: Promise<Publication> | undefined;
  #next: Promise<Publication> | undefined;

  constructor(state: DurableObjectState, env: Bindings) {
    this.#state = state;
    this.#config = configOf(env);
  }

  /**
   * Publishes now (the body is a {@link PublishRequest}) and responds with a {@link Publication} within the deadline.
   */
  async fetch(request: Request): Promise<Response> {
    const { region, account, user, renewal } = (await request.json()) as PublishRequest;
    this.#account = { region, account };
    return Response.json(await (renewal ? this.#renew() : this.#change(user)));
  }

  /** Pushes a change, with an alarm that retries it. Resolves within the deadline. */
  async #change(user: string | null): Promise<Publication> {
    const due = await this.#due();
    const { storage } = this.#state;
    // Stored before anything is sent, so that the alarm continues after a crash. Both writes start together, so that an
    // alarm that finishes at the same time cannot clear only one of them.
    await Promise.all([
      storage.put<PendingPush>('due', { ...this.#named(due), failures: due?.failures ?? 0 }),
      storage.setAlarm(Date.now() + SETTLING_MS),
    ]);
    const publication = this.#publish(user);
    publication.catch(() => {});
    const late = new Promise<Publication>((resolve) => {
      setTimeout(() => resolve(NOT_PUSHED), this.#config.nats.push_deadline_ms + ROWS_MS);
    });
    return Promise.race([publication, late]);
  }

  /** Pushes the renewed JWT. Needs no second push once all servers have it: only the lease has changed. */
  async #renew(): Promise<Publication> {
    const publication = await this.#publish(null);
    if (publication.finished) return publication;
    const { storage } = this.#state;
    await this.#state.blockConcurrencyWhile(async () => {
      if (await this.#due()) return;
      await storage.put<PendingPush>('due', { ...this.#named(undefined), failures: 1, renewal: true });
      await storage.setAlarm(Date.now() + FIRST_RETRY_MS);
    });
    return publication;
  }

  #named(due: PendingPush | undefined): Pick<PendingPush, 'region' | 'account'> {
    const { region, account } = due ?? this.#account ?? { region: '', account: '' };
    return { region, account };
  }

  /** Runs the settling push or the next retry. */
  async alarm(): Promise<void> {
    const due = await this.#due();
    if (!due) return;
    const publication = await this.#publish(null);
    const { storage } = this.#state;
    await this.#state.blockConcurrencyWhile(async () => {
      // A concurrent change has set its own alarm and needs the stored state.
      if ((await storage.getAlarm()) !== null || !(await this.#due())) return;
      if (publication.finished) return storage.deleteAll();
      const failures = due.failures + 1;
      if (due.renewal && failures > MAX_RENEWAL_ATTEMPTS) return storage.deleteAll();
      await storage.put<PendingPush>('due', { ...due, failures });
      const delay = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
      await storage.setAlarm(Date.now() + delay * (0.5 + Math.random() / 2));
    });
  }

  #due(): Promise<PendingPush | undefined> {
    return this.#state.storage.get<PendingPush>('due');
  }

  /**
   * Runs one push at a time. A running push can have read the rows before this change, so this call joins the next one.
   */
  #publish(user: string | null): Promise<Publication> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#begin(user);
    this.#next = this.#running.then(() => {
      this.#next = undefined;
      return this.#begin(null);
    });
    return this.#next;
  }

  #begin(user: string | null): Promise<Publication> {
    this.#running = this.#push(user)
      .catch((error: unknown) => {
        warn('push failed', error);
        return NOT_PUSHED;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #push(user: string | null): Promise<Publication> {
    const due = (await this.#due()) ?? this.#account;
    const region = due && this.#config.regions.get(due.region);
    if (!due || !region) return NOT_PUSHED;
    // No push is possible, now or later: the servers read the change when they next fetch the account.
    if (region.natsWebsockets.length === 0) return this.#forget();
    const regionDb = openDatabase(region.database);
    const state = await getAccountState(regionDb, due.account);
    if (!state) return this.#forget();
    const publication = await this.#send(regionDb, region, state, user);
    const { deletedAt, purgedAt } = state.account;
    if (!publication.finished || deletedAt === null || purgedAt !== null) return publication;
    try {
      const tombstone = await this.#purge(regionDb, region, state);
      return {
        ...(await this.#send(regionDb, region, tombstone, null)),
        connectionsClosed: publication.connectionsClosed,
      };
    } catch (error) {
      // Everyone is disconnected anyway; only deleting the streams needs a retry.
      warn('purge failed', error);
      return { ...publication, finished: false };
    }
  }

  async #forget(): Promise<Publication> {
    await this.#state.storage.deleteAll();
    return NOT_PUSHED;
  }

  async #send(
    regionDb: Database,
    region: Region,
    state: AccountState,
    user: string | null,
  ): Promise<Publication> {
    const { id, revision } = state.account;
    const deadline = Date.now() + this.#config.nats.push_deadline_ms;
    const [composed, servers] = await Promise.all([
      composeForStore(this.#config, state, Date.now()),
      Servers.connect(region, deadline),
    ]);
    try {
      const before = user === null ? null : await listOpen(servers, id);
      const { missing, ...pushed } = await pushAccountJwt(servers, id, composed.jwt, deadline);
      const after = user === null ? null : await listOpen(servers, id);
      await recordPush(regionDb, composed, pushed);
      const finished = isComplete(pushed);
      if (!finished) warnAboutMissingServers(region.name, id, missing);
      return {
        revision,
        ...pushed,
        connectionsClosed: countClosedConnections(user, before, after, pushed.acknowledged),
        finished,
      };
    } finally {
      servers.close();
    }
  }

  /**
   * Deletes the streams of a deleted account, which nobody else can use any more, and finishes the deletion. Resolves
   * to the updated state of the account.
   */
  async #purge(
    regionDb: Database,
    region: Region,
    { account, revocations }: AccountState,
  ): Promise<AccountState> {
    const issuer = await signingKeyOf(this.#config.sealingKeys, region.name, account);
    // Issued after everyone was revoked, so that only this user is accepted.
    const user = await shortLivedUser({ id: account.id, issuer }, (revocations['*'] ?? 0) + 1);
    const deadline = Date.now() + this.#config.nats.push_deadline_ms;
    const client = await connectNats(region.natsWebsockets, user, deadline);
    try {
      await deleteStreams(client, deadline);
    } finally {
      client.close();
    }
    await recordPurge(regionDb, account.id, Date.now());
    const tombstone = await getAccountState(regionDb, account.id);
    if (!tombstone) throw new Error('a deleted account has no row');
    return tombstone;
  }
}

/** Returns the open connections of an account that servers list in time; null if a server's list is truncated. */
async function listOpen(servers: Servers, account: string): Promise<ConnectionList | null> {
  const listing = await listConnections(servers, account, Date.now() + COUNTING_MS);
  return listing.truncated ? null : listing;
}

/**
 * Returns how many connections of a user (`*` for all) were closed. Returns null if fewer servers listed their connections
 * both times than acknowledged the push: the number would leave out those of the others.
 */
function countClosedConnections(
  user: string | null,
  before: ConnectionList | null,
  after: ConnectionList | null,
  acknowledged: number,
): number | null {
  if (user === null || !before || !after || acknowledged === 0) return null;
  const listed = before.responded.filter((server) => after.responded.includes(server));
  if (listed.length < acknowledged) return null;
  const open = new Set(after.connections.map(({ server, address }) => `${server} ${address}`));
  const gone = before.connections.filter(
    (one) => listed.includes(one.server) && !open.has(`${one.server} ${one.address}`),
  );
  return gone.filter((one) => user === '*' || one.user === user).length;
}

/** Logs the servers that have not confirmed: names, or addresses that could not be reached. */
function warnAboutMissingServers(region: string, account: string, missing: readonly string[]): void {
  console.warn(JSON.stringify({ publisher: 'not confirmed by all servers', region, account, missing }));
}

function warn(what: string, error: unknown): void {
  console.warn(
    JSON.stringify({ publisher: what, reason: error instanceof Error ? error.message : 'unknown' }),
  );
}
