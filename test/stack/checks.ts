/**
 * The command line of `npm test [-- arguments of vitest]`: formatting and lint, types, the site's build and its
 * types, then all tests. With arguments, only the tests run, with those arguments. vitest.config.ts configures the
 * tests.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bundleWorker } from './bundle.ts';
import { natsServerVersion, versionWarning } from './nats.ts';
import { defaultConfig, root, runTool, toolEnvironment } from './project.ts';
import { buildSite } from './site.ts';

/** Runs a step and prints the result; prints its output, the error, only on failure. */
async function step(name: string, work: () => Promise<unknown>): Promise<boolean> {
  const start = performance.now();
  const took = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    await work();
    console.log(`✓ ${name} (${took()})`);
    return true;
  } catch (error) {
    console.error(`✗ ${name} (${took()})\n${error instanceof Error ? error.message : error}\n`);
    return false;
  }
}

/** Checks the pages only: tsc checks the TypeScript files. */
const CHECK_PAGES = ['check', '--root', 'site', '--tsconfig', '../.config/pages.tsconfig.json'];

/** Everything except the tests, two at a time to use two cores. */
async function check(): Promise<boolean> {
  const built = step('site build', build);
  // One checker for tsc: several repeat each other's work, and the site's build and check use the other core.
  const results = await Promise.all([
    (async () => {
      const formatted = await step('biome', () => runTool('biome', ['check']));
      // The build generates types that the site's type check needs.
      await built;
      return (await step('tsc', () => runTool('tsc', ['--checkers', '1']))) && formatted;
    })(),
    built.then(async (ok) => ok && (await step('astro check', () => runTool('astro', CHECK_PAGES)))),
  ]);
  return results.every(Boolean);
}

async function build(): Promise<void> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets);
}

function runTests(args: readonly string[]): Promise<boolean> {
  const vitest = join(root, 'node_modules/.bin/vitest');
  return new Promise((resolve, reject) => {
    const child = spawn(vitest, ['run', '--config', '.config/vitest.config.ts', ...args], {
      cwd: root,
      env: toolEnvironment(),
      stdio: 'inherit',
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0));
  });
}

const args = process.argv.slice(2);
const version = natsServerVersion();
console.log(versionWarning(version) ?? `nats-server ${version}`);
const ready = args.length > 0 || (await check());
const passed = ready && (await runTests(args));
process.exit(passed ? 0 : 1);
