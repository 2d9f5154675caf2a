/**
 * Keeps the uses of one access key in the storage of its guard. New uses stay in memory until none has been recorded
 * for some seconds, but at most a minute: the object loses its memory when it is idle for ten seconds, and a write for
 * each report would cost more than the reports. What is not stored when the object is replaced is lost.
 */
import type { DurableObjectStorage } from '@cloudflare/workers-types';
import type { GuardKey } from './guards.ts';
import {
  addUsage,
  type HourUsage,
  type LastUse,
  noUsage,
  RETENTION_MS,
  requestsIn,
  type Usage,
} from './usage.ts';

/** Without uses for this long, uses in memory are stored, in milliseconds. Less than the ten seconds of an idle object. */
const QUIET_MS = 7000;
/** The longest time that uses stay in memory, in milliseconds. */
const MAX_UNSTORED_MS = 60_000;
/** How often an unused object deletes old hours, and everything if the credentials no longer exist, in milliseconds. */
const CLEANUP_MS = 24 * 3600_000;

/** The most hours deleted at once: the storage's limit. */
const MAX_DELETED = 128;

/** Responses do not wait for these writes, so `admit()` stays fast. */
const UNCONFIRMED = { allowUnconfirmed: true };

/** The keys of stored hours, in order of time. */
const HOURS = 'hour ';
const hourKey = (start: number) => HOURS + String(start).padStart(15, '0');

/** The usage of one access key. */
export class UsageLog {
  readonly #storage: DurableObjectStorage;
  /** Uses that are not stored yet. */
  #unstored = noUsage();
  #recordedAt = 0;
  #storedAt = 0;
  #deletedAt = 0;
  /** Whether an alarm within {@link QUIET_MS} is set. */
  #alarmed = false;
  #named = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Adds uses. `now` is in milliseconds since the epoch. */
  async record(key: GuardKey, usage: Usage, now: number): Promise<void> {
    // A minute that begins now: nothing older is in memory.
    if (this.#unstored.hours.size === 0) this.#storedAt = now;
    addUsage(this.#unstored, usage);
    this.#recordedAt = now;
    if (this.#alarmed) return;
    this.#alarmed = true;
    await this.#storage.setAlarm(now + QUIET_MS, UNCONFIRMED);
    if (this.#named) return;
    this.#named = true;
    // An alarm must know whose object it is.
    if (!(await this.#storage.get('key'))) await this.#storage.put('key', key, UNCONFIRMED);
  }

  /**
   * Handles the alarm: stores what is in memory, or cleans up. `exists` resolves to whether the credentials still do.
   */
  async alarm(now: number, exists: (key: GuardKey) => Promise<boolean>): Promise<void> {
    this.#alarmed = false;
    if (this.#unstored.hours.size === 0) return this.#cleanUp(now, exists);
    const busy = now - this.#recordedAt < QUIET_MS && now - this.#storedAt < MAX_UNSTORED_MS;
    if (!busy) await this.#store(now);
    await this.#setAlarm(now + (busy ? QUIET_MS : CLEANUP_MS));
    this.#alarmed = busy;
  }

  async #store(now: number): Promise<void> {
    const usage = this.#unstored;
    this.#unstored = noUsage();
    try {
      const stored = await this.#read([...usage.hours.keys()].map(hourKey));
      addUsage(stored, usage);
      const entries = [...stored.hours].map(([start, hour]) => [hourKey(start), hour]);
      await this.#storage.put({ ...Object.fromEntries(entries), last: stored.last }, UNCONFIRMED);
    } catch (error) {
      addUsage(this.#unstored, usage);
      throw error;
    }
    if (now - this.#deletedAt > CLEANUP_MS) await this.#deleteOld(now);
  }

  async #deleteOld(now: number): Promise<void> {
    this.#deletedAt = now;
    const old = await this.#storage.list({
      prefix: HOURS,
      end: hourKey(now - RETENTION_MS),
      limit: MAX_DELETED,
    });
    if (old.size > 0) await this.#storage.delete([...old.keys()], UNCONFIRMED);
  }

  async #cleanUp(now: number, exists: (key: GuardKey) => Promise<boolean>): Promise<void> {
    await this.#deleteOld(now);
    const key = await this.#storage.get<GuardKey>('key');
    const left = await this.#storage.list({ prefix: HOURS, limit: 1 });
    // Kept while the database cannot be asked.
    const keep = key && left.size > 0 && (await exists(key).catch(() => true));
    if (keep) return this.#setAlarm(now + CLEANUP_MS);
    if (this.#alarmed) return;
    this.#named = false;
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
  }

  /** Sets the alarm, unless another use has already set an earlier one. */
  async #setAlarm(at: number): Promise<void> {
    if (!this.#alarmed) await this.#storage.setAlarm(at, UNCONFIRMED);
  }

  /** Returns the uses in the hours from `since` (milliseconds since the epoch), with those that are not stored yet. */
  async since(since: number): Promise<Usage> {
    const rows = await this.#storage.list<HourUsage>({ start: hourKey(since), end: `${HOURS}~` });
    const usage = usageOf(rows, (await this.#storage.get<LastUse>('last')) ?? null);
    addUsage(usage, this.#unstored);
    for (const start of usage.hours.keys()) if (start < since) usage.hours.delete(start);
    return usage;
  }

  /** Returns the number of requests in the hours from `since` (milliseconds since the epoch). */
  async requestsSince(since: number): Promise<number> {
    const { hours } = await this.since(since);
    return [...hours.values()].reduce((sum, hour) => sum + requestsIn(hour), 0);
  }

  async #read(keys: string[]): Promise<Usage> {
    return usageOf(await this.#storage.get<HourUsage>(keys), null);
  }
}

function usageOf(rows: Map<string, HourUsage>, last: LastUse | null): Usage {
  const hours = [...rows].map(([key, hour]): [number, HourUsage] => [Number(key.slice(HOURS.length)), hour]);
  return { hours: new Map(hours), last };
}
