/**
 * Asks the guards of access keys for their credentials, and watches them while a receive waits. A guard that cannot be
 * reached is replaced by a read of the primary database, which is never stale.
 */
import type { DurableObjectId, WebSocket } from '@cloudflare/workers-types';
import { openDatabase } from '../../db/database.ts';
import { findGatewayCredential, type GatewayCredential } from '../../db/region/gateway.ts';
import type { Config, Region } from '../shared/env.ts';
import type { Usage } from './usage.ts';

/** Names the credentials of a guard. */
export interface GuardKey {
  region: string;
  accessKey: string;
}

/** A guard's response: the credentials, null if the access key does not exist; or that the database cannot be read. */
export type Admission = { read: true; credential: GatewayCredential | null } | { read: false };

/** Used credentials as they were admitted. */
export type UsedRow = Pick<GatewayCredential, 'id' | 'lastUsedAt'>;

/** The methods of a guard. */
export interface Guard {
  /** Returns the credentials as of now. Ask again before messages are delivered. */
  admit(key: GuardKey): Promise<Admission>;
  /** Announces that something about the credentials has changed. Wakes waiting receives. */
  changed(): Promise<void>;
  /** Counts uses, and records the last one in the database at most every five minutes. */
  record(key: GuardKey, row: UsedRow, usage: Usage): Promise<void>;
  /** Returns the uses in the hours from `since` (milliseconds since the epoch). */
  usage(since: number): Promise<Usage>;
  /** Returns the number of requests in the hours from `since` (milliseconds since the epoch). */
  requestsSince(since: number): Promise<number>;
}

/** The credentials as of now, and where they were read. */
export interface Admitted {
  credential: GatewayCredential | null;
  /** `database` if the guard could not be reached: enough for one request, not for a receive, which can wait. */
  from: 'guard' | 'database';
}

/** The credentials can be read neither from the guard nor from the database. */
export class GuardUnavailable extends Error {}

/** The guards' IDs by region and access key. Hashing a name is measurable in the time of a request. */
const ids = new WeakMap<Region, Map<string, DurableObjectId>>();
const MAX_IDS = 10_000;

function idOf({ guards }: Config, region: Region, accessKey: string): DurableObjectId {
  const kept = ids.get(region) ?? new Map<string, DurableObjectId>();
  ids.set(region, kept);
  let id = kept.get(accessKey);
  if (!id) {
    id = guards.idFromName(`${region.name}/${accessKey}`);
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= MAX_IDS) kept.delete(oldest);
    kept.set(accessKey, id);
  }
  return id;
}

/** Returns the stub of an access key's guard. A stub that has failed stays broken, so each call needs a new one. */
export function guardOf(config: Config, region: Region, accessKey: string) {
  const { location } = region;
  // The first contact decides where the object lives.
  const stub = config.guards.get(idOf(config, region, accessKey), location && { locationHint: location });
  return stub as unknown as Guard & Pick<typeof stub, 'fetch'>;
}

/**
 * Returns the credentials of an access key. Rejects with {@link GuardUnavailable}, or with the error of the database if
 * the guard could not be reached.
 */
export async function admit(config: Config, region: Region, accessKey: string): Promise<Admitted> {
  const admission = await askGuard(config, region, accessKey);
  if (!admission) return { credential: await readDirectly(region, accessKey), from: 'database' };
  if (!admission.read) throw new GuardUnavailable();
  return { credential: admission.credential, from: 'guard' };
}

/** Like {@link admit}, but rejects with {@link GuardUnavailable} if the guard cannot be reached. */
export async function admitByGuard(
  config: Config,
  region: Region,
  accessKey: string,
): Promise<GatewayCredential | null> {
  const admission = await askGuard(config, region, accessKey);
  if (!admission?.read) throw new GuardUnavailable();
  return admission.credential;
}

/** Asks a guard, twice if the first failure is temporary. Resolves to null if it cannot be reached. */
async function askGuard(config: Config, region: Region, accessKey: string): Promise<Admission | null> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await guardOf(config, region, accessKey).admit({ region: region.name, accessKey });
    } catch (error) {
      if (attempt === 0 && isTemporary(error)) continue;
      console.warn(JSON.stringify({ guard: 'unreachable', region: region.name, reason: String(error) }));
      return null;
    }
  }
}

/** Whether a call to an object that failed with this error can succeed at once with a new stub. */
export function isTemporary(error: unknown): boolean {
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
  return Boolean(retryable) && !overloaded;
}

/** Concurrent direct reads in an isolate. More would move the load of every guard to the database. */
const MAX_DIRECT_READS = 6;
let directReads = 0;

async function readDirectly({ database }: Region, accessKey: string): Promise<GatewayCredential | null> {
  if (directReads >= MAX_DIRECT_READS) throw new GuardUnavailable();
  directReads++;
  try {
    return await findGatewayCredential(openDatabase(database), accessKey);
  } finally {
    directReads--;
  }
}

/** Notifies a waiting receive of changes. */
export interface Watch {
  /** Resolves when the credentials can have changed since the last call. */
  next(): Promise<void>;
  /** Ends the watch. */
  close(): void;
}

/** How often to ask a guard that cannot be watched, in milliseconds. */
const POLL_MS = 3000;

/** Watches the credentials of an access key, by its guard's messages if possible, otherwise by polling. */
export async function watch(config: Config, region: Region, accessKey: string): Promise<Watch> {
  let socket: WebSocket | undefined;
  let waiting: (() => void) | undefined;
  let due = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wake = () => {
    due = true;
    waiting?.();
  };
  const lose = () => {
    socket = undefined;
    wake();
  };
  try {
    const response = await guardOf(config, region, accessKey).fetch('https://guard/', {
      headers: { Upgrade: 'websocket' },
    });
    socket = response.webSocket ?? undefined;
    socket?.accept();
    socket?.addEventListener('message', wake);
    socket?.addEventListener('close', lose);
    socket?.addEventListener('error', lose);
  } catch {
    // Polls instead.
  }
  return {
    async next() {
      if (!due) {
        await new Promise<void>((resolve) => {
          waiting = resolve;
          if (!socket) timer = setTimeout(resolve, POLL_MS);
        });
      }
      due = false;
      clearTimeout(timer);
    },
    close() {
      clearTimeout(timer);
      socket?.close();
    },
  };
}
