/**
 * Which processes belong to a state folder, in its `processes.json`: so that a start can end what a `kill -9` left
 * behind, and nothing else. Starts no process itself.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writePrivately } from './project.ts';
import { signal } from './signal.ts';

interface Recorded {
  role: string;
  pid: number;
  /** See {@link identityOf}. */
  identity: string;
}

/** How long a process may take to end by itself, in milliseconds. */
const PATIENCE = 5000;

/** The processes of one state folder. */
export interface Processes {
  /** Records a process under its role, in place of the one that had the role before. */
  add(role: string, pid: number): void;
  /** The process ids by role. */
  pids(): Record<string, number>;
  /** Forgets all of them: they have ended. */
  clear(): void;
}

/** The record of a state folder whose former processes have ended: see {@link endLeftovers}. */
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

/**
 * Ends every process that is recorded in the state folder and still the one that was recorded: a stack that still
 * runs is asked to end first, what has lost its stack is killed. Resolves to the number of processes ended, when they
 * are gone. Two stacks never share a state folder: the newer wins.
 */
export async function endLeftovers(state: string): Promise<number> {
  if (!existsSync(fileOf(state))) return 0;
  const left = (JSON.parse(readFileSync(fileOf(state), 'utf8')) as Recorded[]).filter(isRunning);
  const stack = left.find(({ role }) => role === 'stack');
  if (stack?.pid === process.pid) throw new Error(`This process runs a stack on ${state} already`);
  if (stack) {
    signal(stack.pid, 'SIGTERM');
    await ended(left);
  }
  for (const entry of left.filter(isRunning)) signal(entry.pid, 'SIGKILL');
  await ended(left);
  return left.length;
}

function fileOf(state: string): string {
  return join(state, 'processes.json');
}

function isRunning({ pid, identity }: Recorded): boolean {
  return identityOf(pid) === identity;
}

async function ended(entries: readonly Recorded[]): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (entries.some(isRunning) && Date.now() < deadline) await sleep(10);
}

/** What tells a process from another one that was given the same id later; undefined when it is gone. */
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
        encoding: 'utf8',
      }).trim();
    }
    // proc_pid_stat(5). The name of the program, in parentheses, may hold anything: fields count from behind it.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [threads, started] = [Number(fields[16]), fields[18]];
    // One that ended keeps its sockets until its last thread is gone, and its entry until somebody asks for it.
    if (state === 'Z' && threads <= 1) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${started}`;
  } catch {
    return undefined;
  }
}
