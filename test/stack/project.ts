/**
 * The project's folder for the stack: paths, change detection, and running its tools. Knows nothing about servers.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import type * as z from 'zod';
import { Stop } from './tools.mjs';

/** The project's folder, an absolute path. */
export const root = join(import.meta.dirname, '../..');

/** The cache: bundles, and records of build inputs. Deleted with node_modules. */
export const cache = join(root, 'node_modules/.cache/latchkey');

/** The deployment's configuration, used by default. */
export const defaultConfig = join(root, 'wrangler.toml');

/**
 * Returns the SHA-256 in hex of the names and contents of files; for a folder, of every file below it except those in
 * `except`.
 */
export function hashOf(paths: readonly string[], except: readonly string[] = []): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesIn(path, except))
      hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function filesIn(path: string, except: readonly string[]): string[] {
  if (except.includes(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesIn(join(path, name), except));
}

/** Creates a folder that only its owner can enter. An existing folder keeps its mode. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/**
 * Returns the content of a JSON file; undefined if the file does not exist. Throws {@link Stop}, with `remedy` as its
 * second sentence, if it is not JSON or does not match `schema`.
 */
export function readJson<T>(file: string, schema: z.ZodType<T>, remedy: string): T | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Stop(`${file} is damaged. ${remedy}`);
  }
}

/**
 * Returns the reason, in words, if an error comes from the disk or its permissions; undefined for any other error.
 */
export function systemReason(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? undefined : SYSTEM_REASONS[code];
}

const SYSTEM_REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your disk quota is exceeded',
  EIO: 'the disk is full or reports an error',
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'part of its path does not exist',
};

/** Writes a file that only its owner can read, atomically: a kill leaves the old one. */
export function writePrivately(path: string, text: string): void {
  const draft = `${path}.draft`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}

/** The environment for programs of node_modules. */
export function toolEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // They start the first `node` on PATH, which must be the one of node_modules.
    PATH: join(root, 'node_modules/.bin') + delimiter + (process.env.PATH ?? ''),
    // Without these, they send requests to the internet that nothing here needs.
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    ASTRO_TELEMETRY_DISABLED: '1',
    WRANGLER_LOG_PATH: join(cache, 'wrangler'),
    ...extra,
  };
}

/**
 * Runs a program of node_modules in the project's folder or another one. Resolves to its stdout; rejects with all its
 * output.
 */
export function runTool(
  tool: string,
  args: readonly string[],
  { cwd = root, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      join(root, 'node_modules/.bin', tool),
      args,
      { cwd, env: toolEnvironment(env), maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else reject(new Error(`${tool} ${args.join(' ')} failed\n${stdout}${stderr}`));
      },
    );
    // No stdin: the tools then show no prompt and continue.
    child.stdin?.end();
  });
}
