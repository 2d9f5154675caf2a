/**
 * A Durable Object for each NATS account: brings the newest account JWT to every server of its region. One push at a
 * time, each composed from the rows when it begins, so that of two revocations none is lost; tried again until every
 * active server has acknowledged; once more after the settling time, because a server that was fetching the account
 * during the change may have installed what it fetched afterwards. What is due survives a crash in its alarm.
 */
import type { DurableObjectState } from '@cloudflare/workers-types';
import { type Database, openDatabase } from '../../db/database.ts';
import {
  type AccountState,
  getAccountState,
  isComplete,
  noteAcknowledgement,
  notePurged,
} from '../../db/region/enforcement.ts';
import { type Bindings, type Config, configOf, type Region } from '../env.ts';
import { composeAccountJwt, operatorKey, signingKeyOf } from './accounts.ts';
import { connectNats, shortLivedUser } from './client.ts';
import { deleteStreams, type Listing, listConnections, pushAccountJwt } from './servers.ts';
import { Servers } from './system.ts';

/** Names an account to its publisher. */
export interface PublishRequest {
  region: string;
  account: string;
  /** The user that was revoked, `*` for all, or null: whose connections the push is to count. */
  user: string | null;
  /** Whether nothing has changed but the end of the account's lease. */
  renewal?: boolean;
}

/** What came of a publication. */
export interface Publication {
  /** The revision that was pushed; 0 when no server could be reached. */
  revision: number;
  acknowledged: number;
  /** How many servers are active; 0 when none could be reached. */
  servers: number;
  /** How many connections of the user were open before the push and are not after it; null when nobody could tell. */
  cut: number | null;
  /** Whether nothing is left to do: every server has the newest revision, and a deleted account's streams are gone. */
  finished: boolean;
}

/** A server's fetch of an account takes 1.9 s at most: what it installs later than this is what was served since. */
const SETTLING_MS = 2_500;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** How long the count of connections may hold up the push itself. */
const COUNTING_MS = 150;
/** What reading the rows before a push and noting what came of it may add to its deadline. */
const ROWS_MS = 500;

/** What came of it when no server could be reached. */
export const NOTHING: Publication = { revision: 0, acknowledged: 0, servers: 0, cut: null, finished: false };

/** What the object stores. */
interface Due {
  region: string;
  account: string;
  /** How many pushes in a row were not acknowledged by all. */
  failures: number;
  /** Whether nothing has changed but the end of the lease. */
  renewal?: boolean;
}

/** A renewal is tried so often; then the next is the schedule's, since every lease outlasts several. */
const RENEWAL_TRIES = 4;

/** See this file's head. */
export class AccountPublisher {
  #state: DurableObjectState;
  #config: Config;
  #account: Pick<Due, 'region' | 'account'> | undefined;
  #running: Promise<Publication> | undefined;
  #next: Promise<Publication> | undefined;

  constructor(state: DurableObjectState, env: Bindings) {
    this.#state = state;
    this.#config = configOf(env);
  }

  /** Publishes now (a {@link PublishRequest} as JSON) and answers with what came of it within the deadline. */
  async fetch(request: Request): Promise<Response> {
    const { region, account, user, renewal } = (await request.json()) as PublishRequest;
    this.#account = { region, account };
    return Response.json(await (renewal ? this.#renew() : this.#change(user)));
  }

  /** Pushes a change, with an alarm that goes on with it whatever happens. Resolves within the deadline. */
  async #change(user: string | null): Promise<Publication> {
    const due = await this.#due();
    const { storage } = this.#state;
    // Set before anything is sent: whatever ends this object now, the alarm goes on. At once, so that no alarm that ends
    // meanwhile clears the one without the other.
    await Promise.all([
      storage.put<Due>('due', { ...this.#named(due), failures: due?.failures ?? 0 }),
      storage.setAlarm(Date.now() + SETTLING_MS),
    ]);
    const publication = this.#publish(user);
    publication.catch(() => {});
    const late = new Promise<Publication>((resolve) => {
      setTimeout(() => resolve(NOTHING), this.#config.nats.push_deadline_ms + ROWS_MS);
    });
    return Promise.race([publication, late]);
  }

  /** Pushes the JWT with its new end, and no second time when all have it: nothing else in it has changed. */
  async #renew(): Promise<Publication> {
    const publication = await this.#publish(null);
    if (publication.finished) return publication;
    const { storage } = this.#state;
    await this.#state.blockConcurrencyWhile(async () => {
      if (await this.#due()) return;
      await storage.put<Due>('due', { ...this.#named(undefined), failures: 1, renewal: true });
      await storage.setAlarm(Date.now() + FIRST_RETRY_MS);
    });
    return publication;
  }

  #named(due: Due | undefined): Pick<Due, 'region' | 'account'> {
    const { region, account } = due ?? this.#account ?? { region: '', account: '' };
    return { region, account };
  }

  /** The settling push, or the next try. */
  async alarm(): Promise<void> {
    const due = await this.#due();
    if (!due) return;
    const publication = await this.#publish(null);
    const { storage } = this.#state;
    await this.#state.blockConcurrencyWhile(async () => {
      // A publication that came meanwhile has set its own alarm and must find what is due.
      if ((await storage.getAlarm()) !== null || !(await this.#due())) return;
      if (publication.finished) return storage.deleteAll();
      const failures = due.failures + 1;
      if (due.renewal && failures > RENEWAL_TRIES) return storage.deleteAll();
      await storage.put<Due>('due', { ...due, failures });
      const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
      await storage.setAlarm(Date.now() + delay * (0.5 + Math.random() / 2));
    });
  }

  #due(): Promise<Due | undefined> {
    return this.#state.storage.get<Due>('due');
  }

  /** One push at a time. One that runs may have read the rows before this change, so that this joins the one after it. */
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
        return NOTHING;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #push(user: string | null): Promise<Publication> {
    const due = (await this.#due()) ?? this.#account;
    const region = due && this.#config.regions.get(due.region);
    if (!due || !region) return NOTHING;
    // Nothing can be pushed, now or later: the servers learn of it when they fetch the account anew.
    if (region.natsWebsockets.length === 0) return this.#forget();
    const store = openDatabase(region.database);
    const state = await getAccountState(store, due.account);
    if (!state) return this.#forget();
    const publication = await this.#send(store, region, state, user);
    const { deletedAt, purgedAt } = state.account;
    if (!publication.finished || deletedAt === null || purgedAt !== null) return publication;
    try {
      const tombstone = await this.#purge(store, region, state);
      return { ...(await this.#send(store, region, tombstone, null)), cut: publication.cut };
    } catch (error) {
      // Everyone is cut off all the same: only the streams are left, for the next try.
      warn('purge failed', error);
      return { ...publication, finished: false };
    }
  }

  async #forget(): Promise<Publication> {
    await this.#state.storage.deleteAll();
    return NOTHING;
  }

  async #send(
    store: Database,
    region: Region,
    state: AccountState,
    user: string | null,
  ): Promise<Publication> {
    const { id, revision } = state.account;
    const deadline = Date.now() + this.#config.nats.push_deadline_ms;
    const [jwt, servers] = await Promise.all([
      operatorKey(this.#config).then((operator) =>
        composeAccountJwt(operator, state, this.#config.nats, Date.now()),
      ),
      Servers.connect(region, deadline),
    ]);
    try {
      const before = user === null ? null : await listOpen(servers, id);
      const { missing, ...pushed } = await pushAccountJwt(servers, id, jwt, deadline);
      const after = user === null ? null : await listOpen(servers, id);
      await noteAcknowledgement(store, id, { revision, ...pushed });
      const finished = isComplete(pushed);
      if (!finished) warnOfMissing(region.name, id, missing);
      return { revision, ...pushed, cut: countCut(user, before, after, pushed.acknowledged), finished };
    } finally {
      servers.close();
    }
  }

  /**
   * Deletes the streams of a deleted account, which nobody else can use any more, and ends the deletion. Resolves to
   * what the account then is.
   */
  async #purge(
    store: Database,
    region: Region,
    { account, revocations }: AccountState,
  ): Promise<AccountState> {
    const issuer = await signingKeyOf(this.#config.sealingKeys, region.name, account);
    // Newer than the revocation of everyone, so that this one user is let in.
    const user = await shortLivedUser({ id: account.id, issuer }, (revocations['*'] ?? 0) + 1);
    const deadline = Date.now() + this.#config.nats.push_deadline_ms;
    const client = await connectNats(region.natsWebsockets, user, deadline);
    try {
      await deleteStreams(client, deadline);
    } finally {
      client.close();
    }
    await notePurged(store, account.id, Date.now());
    const tombstone = await getAccountState(store, account.id);
    if (!tombstone) throw new Error('a deleted account has no row');
    return tombstone;
  }
}

/** What is open of an account, so far as servers tell in a moment; null when more is open than they tell. */
async function listOpen(servers: Servers, account: string): Promise<Listing | null> {
  const listing = await listConnections(servers, account, Date.now() + COUNTING_MS);
  return listing.truncated ? null : listing;
}

/**
 * Returns how many connections of a user (`*` for all) were closed. Returns null if fewer servers listed their connections
 * both times than acknowledged the push: the number would leave out those of the others.
 */
function countCut(
  user: string | null,
  before: Listing | null,
  after: Listing | null,
  acknowledged: number,
): number | null {
  if (user === null || !before || !after || acknowledged === 0) return null;
  const listed = before.answered.filter((server) => after.answered.includes(server));
  if (listed.length < acknowledged) return null;
  const open = new Set(after.connections.map(({ server, address }) => `${server} ${address}`));
  const gone = before.connections.filter(
    (one) => listed.includes(one.server) && !open.has(`${one.server} ${one.address}`),
  );
  return gone.filter((one) => user === '*' || one.user === user).length;
}

/** Says which servers have yet to confirm: names, or addresses that could not be reached. */
function warnOfMissing(region: string, account: string, missing: readonly string[]): void {
  console.warn(JSON.stringify({ publisher: 'not confirmed by all', region, account, missing }));
}

function warn(what: string, error: unknown): void {
  console.warn(
    JSON.stringify({ publisher: what, reason: error instanceof Error ? error.message : 'unknown' }),
  );
}
