/** Builds the static site when its inputs have changed. The site configures its own build. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { cache, hashOf, readJson, root, runTool, writePrivately } from './project.ts';

/**
 * Builds the site for a wrangler configuration (absolute path) into `folder` (absolute), unless it already contains a
 * build of the same inputs: the site's files, the code whose schemas it reads, the configuration, the dependencies.
 * Calls `onBuild` before it builds.
 */
export async function buildSite(config: string, folder: string, onBuild = () => {}): Promise<void> {
  const site = join(root, 'site');
  const inputs = [site, join(root, 'functions'), config, join(root, 'package-lock.json')];
  const hash = hashOf(inputs, [join(site, 'dist'), join(site, '.astro'), folder]);
  const record = join(cache, 'site.json');
  const remedy = 'Delete it; the next run rebuilds the site.';
  const built = readJson(record, z.record(z.string(), z.string()), remedy) ?? {};
  if (built[folder] === hash && existsSync(join(folder, 'index.html'))) return;
  onBuild();
  // Run from another folder, it leaves an empty folder there. With any other NODE_ENV, it omits the search.
  const env = { LATCHKEY_CONFIG: config, NODE_ENV: 'production' };
  await runTool('astro', ['build', '--outDir', folder], { cwd: site, env });
  mkdirSync(dirname(record), { recursive: true });
  writePrivately(record, JSON.stringify({ ...built, [folder]: hash }, null, 2));
}
