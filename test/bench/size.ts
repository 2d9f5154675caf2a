/**
 * The size of the deployed Worker, the CPU time of its start, and the script of ours that a page loads before any
 * interaction, compared with a hello-world Worker on the same framework.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig, root, runTool } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { gzipOf } from '../stack/worker-size.ts';
import type { Area, Figure } from './area.ts';
import { interleave } from './rounds.ts';
import { bundleAlone } from './worker.ts';

/** Measures sizes. */
export const size: Area = {
  name: 'size',
  async measure({ rounds }) {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-size-'));
    try {
      const { assets } = await bundleWorker(defaultConfig);
      await buildSite(defaultConfig, assets);
      const helloConfig = join(folder, 'wrangler.json');
      await bundleAlone('hello', folder);
      const hello = [await gzipOf(helloConfig, folder)];
      const startUp = await interleave(rounds, {
        hello: () => startUpOf(helloConfig, folder),
        worker: () => startUpOf(defaultConfig, folder),
      });
      const of = 'Hono hello world';
      return [
        {
          measure: 'Worker, gzip',
          unit: 'kB',
          values: [await gzipOf(defaultConfig, folder)],
          baseline: { of, values: hello },
          aim: '≤ 180 kB',
        },
        {
          measure: 'start-up, CPU',
          unit: 'ms',
          values: startUp.worker,
          baseline: { of, values: startUp.hello },
        },
        ...heaviestPage(assets),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Returns the CPU time of a start in milliseconds, as profiled by wrangler on this machine. */
async function startUpOf(config: string, folder: string): Promise<number> {
  const cwd = join(folder, 'start-up');
  mkdirSync(cwd, { recursive: true });
  const outfile = join(cwd, 'profile.cpuprofile');
  const output = await runTool(
    'wrangler',
    ['check', 'startup', `--args=--config=${config}`, '--outfile', outfile],
    {
      cwd,
    },
  );
  const active = /Active: ([\d.]+) ms/.exec(output)?.[1];
  if (active === undefined) throw new Error(`wrangler reported no startup time:\n${output}`);
  return Number(active);
}

/** The page that loads most script of ours, imports included: the scripts of our own elements are named after their .astro files. */
function heaviestPage(dist: string): Figure[] {
  const components = readdirSync(join(root, 'site/src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.astro'))
    .map((path) => basename(path, '.astro'));
  const pages = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.html'),
  );
  const sizes = pages.map((page) => ({ page, kilobytes: scriptOf(dist, page, new Set(components)) }));
  const [heaviest] = sizes.sort((a, b) => b.kilobytes - a.kilobytes);
  if (!heaviest || heaviest.kilobytes === 0) throw new Error('No page loads our scripts');
  const page = heaviest.page.replace(/index\.html$/, '');
  const measure = `own script of the heaviest page (/${page}), gzip`;
  return [{ measure, unit: 'kB', values: [heaviest.kilobytes], aim: '≤ 10 kB' }];
}

function scriptOf(dist: string, page: string, components: ReadonlySet<string>): number {
  const files = new Map<string, number>();
  const add = (file: string) => {
    if (files.has(file)) return;
    const text = readFileSync(join(dist, '_astro', file));
    files.set(file, gzipSync(text).length / 1000);
    for (const [, imported] of text.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
      if (imported) add(imported);
  };
  const html = readFileSync(join(dist, page), 'utf8');
  for (const [, file = ''] of html.matchAll(/src="\/_astro\/([^"]+\.js)"/g)) {
    if (components.has(file.slice(0, file.indexOf('.')))) add(file);
  }
  return [...files.values()].reduce((sum, kilobytes) => sum + kilobytes, 0);
}
