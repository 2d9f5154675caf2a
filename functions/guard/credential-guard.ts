/**
 * A Durable Object per access key that keeps its credentials in memory, so that the gateway needs no database read for
 * each request and every change is in force at once. Only functions/worker.ts imports it, because only the Workers runtime has
 * `cloudflare:workers`. An active object can run old code for minutes after a deployment: add methods, and change or
 * remove one only two deployments later.
 */
import { DurableObject } from 'cloudflare:workers';
import type { WebSocket } from '@cloudflare/workers-types';
import { openDatabase, unavailableDatabase } from '../../db/database.ts';
import { findGatewayCredential, type GatewayCredential, recordGatewayUse } from '../../db/region/gateway.ts';
import { type Bindings, configOf } from '../shared/env.ts';
import { innermostCause } from '../shared/errors.ts';
import { LAST_USE_INTERVAL_MS } from '../shared/last-use.ts';
import type { Admission, Guard, GuardKey, UsedRow } from './guards.ts';
import { NeverSettled, RowMemory } from './row-memory.ts';
import type { Usage } from './usage.ts';
import { UsageLog } from './usage-log.ts';

/** The guard of one access key. Its name is `REGION/ACCESS_KEY`. */
export class CredentialGuard extends DurableObject<Bindings> implements Guard {
  /** Created with the first request, which names the access key. */
  #memory: RowMemory<GatewayCredential | null> | undefined;
  readonly #log = new UsageLog(this.ctx.storage);
  /** The last use that this object has recorded in the database, in milliseconds since the epoch. */
  #lastUsedAt = 0;

  async admit(key: GuardKey): Promise<Admission> {
    try {
      const credential = await this.#current(key);
      // The row in memory can be older than the last recorded use.
      const lastUsedAt = Math.max(credential?.lastUsedAt ?? 0, this.#lastUsedAt) || null;
      return { read: true, credential: credential && { ...credential, lastUsedAt } };
    } catch (error) {
      // The caller logs other errors, when it reads the database itself.
      if (!(error instanceof NeverSettled) && !unavailableDatabase(error)) throw error;
      console.warn(JSON.stringify({ guard: 'not read', region: key.region, ...innermostCause(error) }));
      return { read: false };
    }
  }

  async changed(): Promise<void> {
    this.#memory?.changed();
    // The row is read again, with the last use in it. A rotation resets that to record the first use of a key at once.
    this.#lastUsedAt = 0;
    for (const socket of this.ctx.getWebSockets()) {
      try {
        socket.send('changed');
      } catch {
        // The receive at the other end has ended.
      }
    }
  }

  async record(key: GuardKey, { id, lastUsedAt }: UsedRow, usage: Usage): Promise<void> {
    const at = usage.last?.at ?? 0;
    const recorded = Math.max(lastUsedAt ?? 0, this.#lastUsedAt);
    if (at - recorded >= LAST_USE_INTERVAL_MS) {
      this.#lastUsedAt = at;
      const { database } = this.#regionOf(key);
      const used = { id, accessKey: key.accessKey };
      const written = recordGatewayUse(openDatabase(database), used, at, at - LAST_USE_INTERVAL_MS);
      // Counted even if this fails, and tried again with the next report.
      await Promise.all([
        this.#log.record(key, usage, Date.now()),
        written.catch((error: unknown) => {
          this.#lastUsedAt = recorded;
          throw error;
        }),
      ]);
      return;
    }
    await this.#log.record(key, usage, Date.now());
  }

  usage(since: number): Promise<Usage> {
    return this.#log.since(since);
  }

  requestsSince(since: number): Promise<number> {
    return this.#log.requestsSince(since);
  }

  async alarm(): Promise<void> {
    await this.#log.alarm(Date.now(), async (key) => (await this.#current(key)) !== null);
  }

  /** Accepts the WebSocket of a waiting receive, which gets a message with each change. */
  async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    // The object can be evicted while receives wait, and costs nothing then.
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close();
  }

  #current(key: GuardKey): Promise<GatewayCredential | null> {
    this.#memory ??= this.#memoryOf(key);
    return this.#memory.current();
  }

  #memoryOf(key: GuardKey): RowMemory<GatewayCredential | null> {
    const { database } = this.#regionOf(key);
    const { lease_seconds } = configOf(this.env).guard;
    return new RowMemory({
      read: () => findGatewayCredential(openDatabase(database), key.accessKey),
      now: Date.now,
      // Jittered, so that keys that were first used together are not read again together.
      lease: () => lease_seconds * 1000 * (2 / 3 + Math.random() / 3),
    });
  }

  #regionOf({ region }: GuardKey) {
    const found = configOf(this.env).regions.get(region);
    if (!found) throw new Error(`no region ${region}`);
    return found;
  }
}
