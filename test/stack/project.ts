/**
 * The project's folder as the stack sees it: where things lie, whether inputs changed, running its tools. Knows
 * nothing of servers.
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

/** The project's folder, absolute. */
export const root = join(import.meta.dirname, '../..');

/** What can be made again: bundles and what was built from which inputs. Goes when node_modules goes. */
export const cache = join(root, 'node_modules/.cache/latchkey');

/** The configuration of the deployment, unless another is asked for. */
export const defaultConfig = join(root, 'wrangler.toml');

/** A SHA-256 in hex over the names and contents of files; of a folder, every file below it but those of `except`. */
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

/** Creates a folder that only its owner may enter. A folder that exists keeps its mode. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/**
 * The content of a JSON file, undefined if there is no such file. Throws {@link Stop}, with `remedy` as its second
 * sentence, if it is not JSON or not of the shape of `schema`.
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

/** What is wrong with the disk or its rights, in words, if that is why something failed; undefined for any other error. */
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

/** Writes a file that only its owner may read, whole or not at all: a kill leaves the old one. */
export function writePrivately(path: string, text: string): void {
  const draft = `${path}.draft`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}

/** The environment that programs of node_modules run in. */
export function toolEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // They start with whatever `node` is found first: it must be the one of node_modules.
    PATH: join(root, 'node_modules/.bin') + delimiter + (process.env.PATH ?? ''),
    // Without these they ask the internet for what they do not need.
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    ASTRO_TELEMETRY_DISABLED: '1',
    WRANGLER_LOG_PATH: join(cache, 'wrangler'),
    ...extra,
  };
}

/**
 * Runs a program of node_modules, in the project's folder or another one; resolves to what it printed on stdout, rejects
 * with all that it printed.
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
    // Nothing to read from: the tools then ask nothing and go on.
    child.stdin?.end();
  });
}
