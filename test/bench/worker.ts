/**
 * Small Workers for comparison and measurement: bundled like a deployment, on the same local runtime, alone or with
 * the same bindings and assets as ours.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from 'miniflare';
import { bundleWorker } from '../stack/bundle.ts';
import { openDatabase } from '../stack/databases.ts';
import { defaultConfig, runTool } from '../stack/project.ts';
import { stackDatabases } from '../stack/stack.ts';
import { watchRuntime } from '../stack/worker.ts';

/** A running Worker. */
export interface BenchWorker {
  /** `http://127.0.0.1:PORT`. */
  origin: string;
  /** The process ID of its runtime. */
  pid: number;
  /** Resolves to the inspector's URL; rejects if the inspector was not requested. */
  inspector(): Promise<URL>;
  stop(): Promise<void>;
}

const DATE = '2026-10-23';
const FLAGS = ['nodejs_compat', 'enable_request_signal'];

/** Starts a Worker of `test/bench/workers` with these vars and nothing else. */
export function startAlone(name: string, vars: Record<string, string> = {}): Promise<BenchWorker> {
  const options = { compatibilityDate: DATE, compatibilityFlags: FLAGS, bindings: vars };
  return start(name, async () => options);
}

/**
 * Starts a Worker of `test/bench/workers` in our Worker's place: with its settings, vars, static assets, and copies
 * of the stack's databases in the folder `state`. `prepare` can change a copy; it gets the name of the binding. There
 * are no Durable Objects, and no secrets except those in `vars`. `inspect` opens the runtime's inspector on a free
 * port.
 */
export function startInPlace(
  name: string,
  state: string,
  vars: NonNullable<V4WorkerOptions['bindings']> = {},
  prepare: (binding: string, database: DatabaseSync) => void = () => {},
  inspect = false,
): Promise<BenchWorker> {
  const optionsFor = async (storage: string) => {
    const { worker } = await bundleWorker(defaultConfig);
    for (const { binding, file } of await stackDatabases(state)) {
      const copy = join(storage, relative(join(state, 'worker'), file));
      copyDatabase(file, copy);
      const database = openDatabase(copy);
      prepare(binding, database);
      database.close();
    }
    return { ...worker, durableObjects: {}, bindings: { ...worker.bindings, ...vars } };
  };
  return start(name, optionsFor, inspect);
}

/** Bundles and minifies a Worker of `test/bench/workers` into a folder. Resolves to the path of its module. */
export async function bundleAlone(name: string, folder: string): Promise<string> {
  const main = join(import.meta.dirname, 'workers', `${name}.ts`);
  const config = join(folder, 'wrangler.json');
  const settings = { name, main, compatibility_date: DATE, compatibility_flags: FLAGS, minify: true };
  writeFileSync(config, JSON.stringify(settings));
  await runTool('wrangler', ['deploy', '--dry-run', '--config', config, '--outdir', folder]);
  return join(folder, `${name}.js`);
}

async function start(
  name: string,
  optionsFor: (storage: string) => Promise<Partial<V4WorkerOptions>>,
  inspect = false,
): Promise<BenchWorker> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-worker-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const storage = join(folder, 'storage');
    const script = await bundleAlone(name, folder);
    const modules = { modules: [{ type: 'ESModule', path: script }], modulesRoot: folder };
    const worker = { ...(await optionsFor(storage)), ...modules, name } as V4WorkerOptions;
    let pid = 0;
    const stopWatching = watchRuntime(0, (started) => {
      pid = started;
    });
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        ...(inspect && { inspectorPort: 0 }),
        resourcePersistencePath: storage,
        workers: [worker],
      }),
    );
    const { origin } = await miniflare.ready.finally(stopWatching);
    return {
      origin,
      pid,
      inspector: () => miniflare.getInspectorURL(),
      async stop() {
        await miniflare.dispose();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function copyDatabase(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const database = openDatabase(from);
  try {
    database.prepare('vacuum into ?').run(to);
  } finally {
    database.close();
  }
}
