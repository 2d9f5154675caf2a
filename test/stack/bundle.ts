/**
 * Bundles the Worker like a deployment does, in the form that the local runtime takes. wrangler bundles and reads the
 * configuration; the result is cached by its inputs, because wrangler alone adds a second to every start.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { V4WorkerOptions } from 'miniflare';
import * as z from 'zod';
import { type RegionsVar, regionsVar } from '../../functions/shared/regions.ts';
import { cache, hashOf, root, runTool } from './project.ts';

/** A bundled Worker with its configuration, without secrets. */
export interface Bundle {
  /** Its modules and bindings in miniflare's format. Each D1 database has an ID. */
  worker: V4WorkerOptions;
  /** The regions of the configuration. */
  regions: RegionsVar;
  /** The cron expressions of the schedule. */
  crons: string[];
  /** D1 bindings, each with its ID in the local runtime and the absolute path of its migrations. */
  databases: { binding: string; id: string; migrations: string }[];
  /** The folder of the static assets, an absolute path. */
  assets: string;
}

const MODULE_TYPES: Record<string, 'ESModule' | 'CompiledWasm' | 'Data' | 'Text'> = {
  '.js': 'ESModule',
  '.mjs': 'ESModule',
  '.wasm': 'CompiledWasm',
  '.bin': 'Data',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
};
const MAX_CACHED_BUNDLES = 8;

const d1Bindings = z.array(z.object({ binding: z.string(), migrations_dir: z.string() }));

/**
 * Bundles the Worker of a wrangler configuration (absolute path), or returns the cached bundle of the same inputs.
 */
export async function bundleWorker(config: string): Promise<Bundle> {
  const inputs = [join(root, 'functions'), join(root, 'db'), config, join(root, 'package-lock.json')];
  const folder = join(cache, 'worker', hashOf([import.meta.filename, ...inputs]).slice(0, 32));
  if (!existsSync(folder)) await make(config, folder);
  const bundle = JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8')) as Bundle;
  return {
    ...bundle,
    worker: { ...bundle.worker, ...modulesOf(join(folder, 'modules')) } as V4WorkerOptions,
  };
}

async function make(config: string, folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const bundle = await describe(config);
    // wrangler requires the folder, though it bundles nothing from it.
    mkdirSync(bundle.assets, { recursive: true });
    await runTool('wrangler', [
      'deploy',
      '--dry-run',
      '--config',
      config,
      '--outdir',
      join(draft, 'modules'),
    ]);
    writeFileSync(join(draft, 'bundle.json'), JSON.stringify(bundle));
    // Another process can have created the same one concurrently.
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  deleteOldBundles(dirname(folder));
}

async function describe(config: string): Promise<Bundle> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler');
  const settings = unstable_readConfig({ config }, { hideWarnings: true });
  const { modulesRules, ...worker } = unstable_getMiniflareWorkerOptions(settings).workerOptions;
  const ids = z.record(z.string(), z.object({ id: z.string() })).parse(worker.d1Databases);
  const near = (path: string) => resolve(dirname(config), path);
  return {
    worker: { ...worker, name: settings.name ?? 'worker', modules: [] },
    regions: regionsVar.parse(settings.vars.REGIONS),
    crons: settings.triggers.crons ?? [],
    databases: d1Bindings.parse(settings.d1_databases).map(({ binding, migrations_dir }) => ({
      binding,
      id: ids[binding]?.id ?? binding,
      migrations: near(migrations_dir),
    })),
    assets: near(settings.assets?.directory ?? 'assets'),
  };
}

function modulesOf(folder: string): { modules: { type: string; path: string }[]; modulesRoot: string } {
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    const type = MODULE_TYPES[extname(path)];
    return type ? [{ type, path: join(folder, path) }] : [];
  });
  // The first module is the Worker's entry point.
  modules.sort((a, b) => Number(basename(b.path) === 'index.js') - Number(basename(a.path) === 'index.js'));
  return { modules, modulesRoot: folder };
}

function deleteOldBundles(folder: string): void {
  const modifiedAt = (name: string) => statSync(join(folder, name)).mtimeMs;
  const newestFirst = readdirSync(folder).sort((a, b) => modifiedAt(b) - modifiedAt(a));
  for (const name of newestFirst.slice(MAX_CACHED_BUNDLES))
    rmSync(join(folder, name), { recursive: true, force: true });
}
