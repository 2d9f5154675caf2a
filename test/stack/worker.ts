/**
 * The stack's Worker: the deployed bundle on the local runtime (Miniflare), with its static assets, and its D1
 * databases and Durable Objects in a folder. No development proxy and no request log, so that benchmarks measure only
 * the Worker.
 */

import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { D1Database } from '@cloudflare/workers-types';
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from 'miniflare';
import type { Bundle } from './bundle.ts';

/** A line that the Worker or the runtime printed. */
export interface WorkerLog {
  level: string;
  message: string;
}

/** The settings of the Worker. */
export interface WorkerSettings {
  bundle: Bundle;
  /** The folder of everything that it stores. */
  storage: string;
  port: number;
  /** Vars that replace the configured ones. */
  vars: Readonly<Record<string, unknown>>;
  /** Rate limits per minute that replace the configured ones: name of the binding → limit. */
  limits: Readonly<Record<string, number>>;
  /** Secret name → value. */
  secrets: Readonly<Record<string, string>>;
  /** Called with each started process: the runtime, and its replacement after a crash. */
  onSpawn: (pid: number) => void;
  /** Gets the Worker's output; by default it is printed, errors and warnings to stderr. */
  onLog?: ((log: WorkerLog) => void) | undefined;
  /** Opens the runtime's inspector on a free port. */
  inspect?: boolean;
}

/** The running Worker. */
export interface LocalWorker {
  /** Returns a D1 database by the name of its binding. */
  database(binding: string): Promise<D1Database>;
  /** Runs the schedule of a cron expression now. Resolves when it is done; rejects if it failed. */
  schedule(cron: string): Promise<void>;
  /** Resolves to the inspector's URL; rejects if it was not requested. */
  inspector(): Promise<URL>;
  /** Stops the runtime. */
  stop(): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Starts the Worker. Resolves when it accepts requests. */
export async function startWorker(settings: WorkerSettings): Promise<LocalWorker> {
  const stopWatching = watchRuntime(settings.port, settings.onSpawn);
  const miniflare = keepingSignals(() => new Miniflare(options(settings)));
  try {
    await miniflare.ready;
  } catch (error) {
    stopWatching();
    await miniflare.dispose();
    throw error;
  }
  return {
    database: (binding) => miniflare.getD1Database(binding) as unknown as Promise<D1Database>,
    async schedule(cron) {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron, scheduledTime: new Date() });
      if (outcome !== 'ok') throw new Error(`The schedule ${cron} failed: ${outcome}`);
    },
    inspector: () => miniflare.getInspectorURL(),
    async stop() {
      stopWatching();
      await miniflare.dispose();
    },
  };
}

function options({ bundle, storage, port, vars, limits, secrets, onLog, inspect }: WorkerSettings) {
  const configured = bundle.worker.ratelimits ?? {};
  const ratelimits = Object.fromEntries(
    Object.entries(configured).map(([name, each]) => {
      const limit = limits[name];
      return [name, limit === undefined ? each : { ...each, simple: { limit, period: 60 } }];
    }),
  );
  return convertV4MiniflareOptions({
    host: '127.0.0.1',
    port,
    // Without this, the runtime looks up its location on the internet.
    cf: false,
    resourcePersistencePath: storage,
    ...(inspect && { inspectorPort: 0 }),
    ...(onLog && { handleStructuredLogs: onLog }),
    workers: [
      {
        ...bundle.worker,
        ratelimits,
        bindings: { ...bundle.worker.bindings, ...vars, ...secrets },
      } as V4WorkerOptions,
    ],
  });
}

// On a signal, Miniflare exits immediately, before the rest of the stack could stop in order.
function keepingSignals<T>(work: () => T): T {
  const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  const result = work();
  for (const [signal, listeners] of before) {
    for (const listener of process.listeners(signal)) {
      if (!listeners.includes(listener)) process.off(signal, listener);
    }
  }
  return result;
}

/**
 * Calls `onSpawn` with the process ID of each runtime that is started for a port, until the returned function is
 * called. Miniflare does not expose the ID, but Node announces every child process, and this one has the port among
 * its arguments.
 */
export function watchRuntime(port: number, onSpawn: (pid: number) => void): () => void {
  const listener = (message: unknown) => {
    const child = (message as { process: ChildProcess }).process;
    child.once('spawn', () => {
      const ours = child.spawnargs.includes(`--socket-addr=entry=127.0.0.1:${port}`);
      if (ours && child.pid) onSpawn(child.pid);
    });
  };
  subscribe('child_process', listener);
  return () => unsubscribe('child_process', listener);
}
