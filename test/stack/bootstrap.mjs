/**
 * Where `npm start`, `npm test` and the commands of `npm run` that are named in SCRIPTS enter:
 * `bootstrap.mjs COMMAND [arguments]`.
 *
 * Sees to what the script needs (the dependencies, nats-server, a browser, curl), then runs it on the Node of
 * `node_modules`. It runs before any dependency is there, on whatever Node the machine has from 20 on: Node's own
 * modules only, and no TypeScript. What the scripts do is theirs.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPTS = {
  start: 'start.ts',
  test: 'checks.ts',
  bench: '../bench/bench.ts',
  deploy: 'deploy.ts',
  organization: 'organization.ts',
  screenshots: '../site/screenshots.ts',
  lighthouse: '../site/lighthouse.ts',
};
const TOOLS = {
  NATS_SERVER: {
    commands: ['start', 'test', 'bench', 'screenshots', 'lighthouse'],
    names: ['nats-server'],
    apt: 'nats-server',
    brew: 'brew install nats-server',
  },
  CHROMIUM: {
    commands: ['test', 'screenshots', 'lighthouse'],
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    apt: 'chromium',
    brew: 'brew install --cask chromium',
  },
  CURL: { commands: ['test'], names: ['curl'], apt: 'curl', brew: 'brew install curl' },
};

class Stop extends Error {}

/** Whether node_modules holds what package-lock.json says. npm leaves its own account of it there. */
function dependenciesAreCurrent() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const found = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      const installed = found[path];
      // The optional ones are there for their own platform only.
      if (!installed) return path === '' || optional;
      return installed.version === version && installed.integrity === integrity;
    });
  } catch {
    return false;
  }
}

function installDependencies() {
  console.log('Installing the dependencies (npm ci)…');
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  runQuietly(command, [...before, 'ci', '--no-audit', '--no-fund']);
}

/** Runs a command and shows what it printed only when it fails. */
function runQuietly(command, args, env = process.env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  throw new Stop(
    `${stdout ?? ''}${stderr ?? ''}\n${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`,
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findOnPath(names) {
  // Debian keeps nats-server in sbin, which is not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** The path of a tool: the one that the environment names, else one on PATH, else one installed now. */
function findTool(variable, { names, apt, brew }) {
  const named = process.env[variable];
  if (named) {
    if (isExecutable(named)) return named;
    throw new Stop(`${variable} is ${named}, which is not an executable file.`);
  }
  const found = findOnPath(names);
  if (found) return found;
  const debian = existsSync('/etc/debian_version');
  if (debian && process.getuid?.() === 0) {
    console.log(`Installing ${apt} (apt-get)…`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    runQuietly('apt-get', ['update'], env);
    runQuietly('apt-get', ['install', '--yes', '--no-install-recommends', apt], env);
    const installed = findOnPath(names);
    if (installed) return installed;
  }
  const command = debian ? `sudo apt-get install --yes ${apt}` : brew;
  throw new Stop(
    `${names[0]} is not on PATH. Install it with\n\n  ${command}\n\nor name the program in ${variable}.`,
  );
}

/** Runs the script and ends as it ends. */
function run(script, args, env) {
  const node = join(root, 'node_modules/.bin/node');
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', join(root, 'test/stack', script), ...args],
    {
      cwd: root,
      env,
      // The channel breaks when this process dies, however it dies: the script then knows that it is alone.
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

/** npm passes signals on, but a `kill -9` of npm itself would leave this process, and all below it, to nobody. */
function endWithNpm(end) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), 250).unref();
}

function main([command, ...args]) {
  const script = SCRIPTS[command];
  if (!script) throw new Stop(`Usage: bootstrap.mjs ${Object.keys(SCRIPTS).join('|')} [arguments]`);
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Stop(`Node 20 or newer is needed; this is ${process.version}.`);
  }
  if (!dependenciesAreCurrent()) installDependencies();
  const env = {
    ...process.env,
    // Without these the local runtime and the tools ask the internet for things that nobody here needs.
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    ASTRO_TELEMETRY_DISABLED: '1',
    // A third of the time that a start takes is compiling the local runtime's own code.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/latchkey/compiled'),
  };
  for (const [variable, tool] of Object.entries(TOOLS)) {
    if (tool.commands.includes(command)) env[variable] = findTool(variable, tool);
  }
  run(script, args, env);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
