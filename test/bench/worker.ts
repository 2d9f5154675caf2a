/**
 * Small Workers to compare with and to measure in: bundled as deployment bundles ours, served by the same local runtime,
 * alone or with everything around them that ours has.
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
  /** The process id of its runtime. */
  pid: number;
  /** Where the runtime's inspector listens; rejects when it was not asked for. */
  inspector(): Promise<URL>;
  stop(): Promise<void>;
}

const DATE = '2026-10-23';
const FLAGS = ['nodejs_compat', 'enable_request_signal'];

/** Starts a Worker of `test/bench/workers` by its name, with these vars and nothing around it. */
export function startAlone(name: string, vars: Record<string, string> = {}): Promise<BenchWorker> {
  const options = { compatibilityDate: DATE, compatibilityFlags: FLAGS, bindings: vars };
  return start(name, async () => options);
}

/**
 * Starts a Worker of `test/bench/workers` where ours stands: with its settings, vars and static assets, and with its
 * databases, copied as they are now from the stack of the folder `state`; `prepare` may change a copy, which it is told
 * by the name of its binding. There are no Durable Objects, and no secrets but those of `vars`. `inspect` opens the
 * runtime's inspector, on a free port.
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

/** Bundles and minifies a Worker of `test/bench/workers` into a folder; resolves to the path of its one module. */
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
