/**
 * Records the processes of a state folder in its `processes.json`, so that a start can end exactly those that a `kill
 * -9` left behind. Starts no process itself.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { readJson, writePrivately } from './project.ts';
import { signal } from './signal.ts';
import { Stop } from './tools.mjs';

/** `identity` is the result of {@link identityOf}. */
const recordedProcess = z.object({ role: z.string(), pid: z.int().min(2), identity: z.string() });
type Recorded = z.output<typeof recordedProcess>;

/** How long a process has to exit by itself, in milliseconds. */
const GRACE_MS = 5000;

/** The processes of one state folder. */
export interface Processes {
  /** Records a process under its role, replacing the previous one. */
  add(role: string, pid: number): void;
  /** The process IDs by role. */
  pids(): Record<string, number>;
  /** Deletes all records after the processes have ended. */
  clear(): void;
}

/** Opens the record of a state folder whose previous processes have ended: see {@link endLeftovers}. */
export function recordProcesses(state: string): Processes {
  const file = fileOf(state);
  let recorded: Recorded[] = [];
  return {
    add(role, pid) {
      recorded = [
        ...recorded.filter((entry) => entry.role !== role),
        { role, pid, identity: identityOf(pid) ?? '' },
      ];
      writePrivately(file, `${JSON.stringify(recorded, null, 2)}\n`);
    },
    pids: () => Object.fromEntries(recorded.map(({ role, pid }) => [role, pid])),
    clear() {
      recorded = [];
      rmSync(file, { force: true });
    },
  };
}

/** Throws {@link Stop} if a stack is running on the state folder, which two stacks must not share. */
export function refuseIfRunning(state: string): void {
  const stack = running(state).find(({ role }) => role === 'stack');
  if (stack)
    throw new Stop(
      `Latchkey is already running on ${state} as process ${stack.pid}. Press Ctrl-C in its terminal or run kill ${stack.pid}, then start again.`,
    );
}

/**
 * Kills every recorded process of an earlier stack that is still the same process. Resolves to their number when they
 * are gone. Throws like {@link refuseIfRunning}.
 */
export async function endLeftovers(state: string): Promise<number> {
  refuseIfRunning(state);
  const left = running(state);
  for (const entry of left) signal(entry.pid, 'SIGKILL');
  await ended(left);
  return left.length;
}

function running(state: string): Recorded[] {
  const remedy = 'End any processes left from an earlier start, then delete it.';
  return (readJson(fileOf(state), z.array(recordedProcess), remedy) ?? []).filter(isRunning);
}

function fileOf(state: string): string {
  return join(state, 'processes.json');
}

function isRunning({ pid, identity }: Recorded): boolean {
  return identityOf(pid) === identity;
}

async function ended(entries: readonly Recorded[]): Promise<void> {
  const deadline = Date.now() + GRACE_MS;
  while (entries.some(isRunning) && Date.now() < deadline) await sleep(10);
}

/** Returns what distinguishes a process from a later one with the same ID; undefined if it has ended. */
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
        encoding: 'utf8',
      }).trim();
    }
    // proc_pid_stat(5). The program's name in parentheses can contain anything: parse the fields after it.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [threads, started] = [Number(fields[16]), fields[18]];
    // A zombie keeps its sockets until its last thread has ended, and its entry until it is reaped.
    if (state === 'Z' && threads <= 1) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${started}`;
  } catch {
    return undefined;
  }
}
