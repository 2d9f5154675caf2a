/**
 * Small Workers to compare with and to measure in: bundled as deployment bundles ours, served by the same local runtime
 * with as little around them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from 'miniflare';
import { runTool } from '../stack/project.ts';

/** A running Worker. */
export interface BenchWorker {
  /** `http://127.0.0.1:PORT`. */
  origin: string;
  stop(): Promise<void>;
}

const DATE = '2026-10-23';
const FLAGS = ['nodejs_compat', 'enable_request_signal'];

/** Starts a Worker of `test/bench/workers` by its name, with these vars and D1 databases. */
export async function startBenchWorker(
  name: string,
  options: { bindings?: Record<string, string>; d1Databases?: string[] } = {},
): Promise<BenchWorker> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-worker-'));
  try {
    const script = await bundleBenchWorker(name, folder);
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        workers: [
          {
            name,
            modules: [{ type: 'ESModule', path: script }],
            modulesRoot: folder,
            compatibilityDate: DATE,
            compatibilityFlags: FLAGS,
            ...options,
          } as V4WorkerOptions,
        ],
      }),
    );
    const { origin } = await miniflare.ready;
    return { origin, stop: () => miniflare.dispose() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bundles and minifies a Worker of `test/bench/workers` into a folder; resolves to the path of its one module. */
export async function bundleBenchWorker(name: string, folder: string): Promise<string> {
  const main = join(import.meta.dirname, 'workers', `${name}.ts`);
  const config = join(folder, 'wrangler.json');
  const settings = { name, main, compatibility_date: DATE, compatibility_flags: FLAGS, minify: true };
  writeFileSync(config, JSON.stringify(settings));
  await runTool('wrangler', ['deploy', '--dry-run', '--config', config, '--outdir', folder]);
  return join(folder, `${name}.js`);
}
