/**
 * The entry point of `npm start`, `npm test` and the `npm run` commands in SCRIPTS: `bootstrap.mjs COMMAND
 * [arguments]`.
 *
 * Provides what the script needs (nats-server, a browser, curl, the dependencies), then runs it on the Node of
 * `node_modules`. It runs before the dependencies are installed, on any Node from version 20 on: only Node's own
 * modules, and no TypeScript.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsServer } from './nats-server.mjs';
import { findTool, root, runQuietly, Stop } from './tools.mjs';

const SCRIPTS = {
  start: 'start.ts',
  test: 'checks.ts',
  bench: '../bench/bench.ts',
  deploy: 'deploy.ts',
  organization: 'organization.ts',
  screenshots: '../site/screenshots.ts',
  lighthouse: '../site/lighthouse.ts',
};
const RUN_NATS = ['start', 'test', 'bench', 'screenshots', 'lighthouse'];
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const TOOLS = [
  {
    variable: 'CHROMIUM',
    commands: ['test'],
    // Pages take half as long in a headless shell, because it opens no browser windows.
    preferred: ['chromium-headless-shell', 'chrome-headless-shell'],
    names: BROWSERS,
    apt: 'chromium-headless-shell',
    brew: 'brew install --cask chromium',
  },
  {
    variable: 'CHROMIUM',
    commands: ['screenshots', 'lighthouse'],
    names: BROWSERS,
    apt: 'chromium',
    brew: 'brew install --cask chromium',
  },
  { variable: 'CURL', commands: ['test'], names: ['curl'], apt: 'curl', brew: 'brew install curl' },
];

/** Whether node_modules matches package-lock.json, according to npm's record in node_modules. */
function dependenciesAreCurrent() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const found = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      const installed = found[path];
      // Optional dependencies are installed on their own platform only.
      if (!installed) return path === '' || optional;
      return installed.version === version && installed.integrity === integrity;
    });
  } catch {
    return false;
  }
}

function installDependencies() {
  console.log('Installing dependencies with npm ci. This takes up to two minutes…');
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  runQuietly(command, [...before, 'ci', '--no-audit', '--no-fund']);
}

/** Runs the script and exits with its status. */
function run(script, args, env) {
  const node = join(root, 'node_modules/.bin/node');
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', join(root, 'test/stack', script), ...args],
    {
      cwd: root,
      env,
      // The channel closes when this process dies for any reason: the script then knows that its parent is gone.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  endWithNpm(() => child.kill('SIGTERM'));
  child.on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

/** npm forwards signals, but a `kill -9` of npm itself would orphan this process and its children. */
function endWithNpm(end) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), 250).unref();
}

function main([command, ...args]) {
  const script = SCRIPTS[command];
  if (!script) throw new Stop(`Usage: bootstrap.mjs ${Object.keys(SCRIPTS).join('|')} [arguments]`);
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Stop(`Latchkey requires Node.js 20 or later. This is ${process.version}.`);
  }
  const env = {
    ...process.env,
    // Without these settings, the local runtime and the tools send requests to the internet that nothing here needs.
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    ASTRO_TELEMETRY_DISABLED: '1',
    // Compiling the local runtime's own code takes a third of a start.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/latchkey/compiled'),
  };
  // Before the dependencies, which take minutes to install: a missing program is reported immediately.
  if (RUN_NATS.includes(command)) env.NATS_SERVER = findNatsServer();
  for (const { commands, variable, ...tool } of TOOLS) {
    if (commands.includes(command)) env[variable] = findTool(variable, tool);
  }
  if (!dependenciesAreCurrent()) installDependencies();
  run(script, args, env);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
