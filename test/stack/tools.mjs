/**
 * Finds programs that npm does not install, and installs them from Debian's packages where possible. Runs before the
 * dependencies are installed, on Node 20 or later: only Node's own modules.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The command cannot continue; the message says what to do. */
export class Stop extends Error {}

/**
 * Runs a command and returns its stdout; throws {@link Stop} with all its output if it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function runQuietly(command, args, options = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (status === 0) return String(stdout);
  const reason = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
  throw new Stop(`${stdout ?? ''}${stderr ?? ''}\n${command} ${args.join(' ')} failed: ${reason}`);
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The paths of all programs with these names, in search path order.
 * @param {string[]} names
 * @param {NodeJS.ProcessEnv} [env]
 */
export function findOnPath(names, env = process.env) {
  // Debian installs nats-server in sbin, which is not on every user's PATH.
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter(isExecutable);
}

/** Whether this is Debian or a derivative, such as Ubuntu. */
export const isDebian = existsSync('/etc/debian_version');

/** Whether packages can be installed without a password prompt. */
export const canInstall = isDebian && process.getuid?.() === 0;

/** @param {string} name */
export function installPackage(name) {
  console.log(`Installing ${name} with apt-get. This takes up to a minute…`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  runQuietly('apt-get', ['update'], { env });
  runQuietly('apt-get', ['install', '--yes', '--no-install-recommends', name], { env });
}

/**
 * The program in an environment variable; undefined if it is not set. Throws {@link Stop} if that is not a program.
 * @param {string} variable
 * @param {NodeJS.ProcessEnv} [env]
 */
export function namedTool(variable, env = process.env) {
  const named = env[variable];
  if (!named) return undefined;
  if (isExecutable(named)) return named;
  throw new Stop(`${variable} is ${named}, which is not an executable file. Correct or unset it.`);
}

/**
 * Returns the path of a program: the one in the environment variable, otherwise one on PATH, otherwise one that this
 * call installs. It also installs a preferred program where it can, and falls back to the others if that fails.
 * @param {string} variable
 * @param {{ preferred?: string[], names: string[], apt: string, brew: string }} tool
 */
export function findTool(variable, { preferred = [], names, apt, brew }) {
  const all = [...preferred, ...names];
  const best = namedTool(variable) ?? findOnPath(preferred.length > 0 ? preferred : names)[0];
  if (best) return best;
  const fallback = findOnPath(names)[0];
  if (canInstall) {
    try {
      installPackage(apt);
    } catch (error) {
      if (!fallback) throw error;
      console.error(`Cannot install ${apt}. Using ${fallback} instead.`);
    }
  }
  const found = findOnPath(all)[0];
  if (found) return found;
  const command = isDebian ? `sudo apt-get install --yes ${apt}` : brew;
  throw new Stop(
    `${all[0]} is not on PATH. Install it with\n\n  ${command}\n\nor set ${variable} to the program.`,
  );
}
