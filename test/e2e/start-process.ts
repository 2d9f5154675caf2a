/** Runs `npm start` like a user, but without installing dependencies: as a child process, with all its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { root } from '../stack/project.ts';
import { signalGroup } from '../stack/signal.ts';

/** A started `npm start`. */
export interface StartProcess {
  origin: string;
  owner: Owner;
  child: ChildProcess;
  /** Its output so far, stdout and stderr. */
  printed(): string;
  /** Sends SIGKILL to the whole stack. Resolves when its first process is gone. */
  killAll(): Promise<void>;
  /** Sends SIGINT (Ctrl-C). Resolves to the exit code. */
  interrupt(): Promise<number | null>;
}

/**
 * Runs the start script. Resolves when it has printed its URL. By default it uses free ports, and keeps them for the
 * state folder; with a `port`, NATS would use its default ports too, and concurrent tests would compete for them.
 */
export async function startProcess(
  state: string,
  port: number | string = 0,
  environment: NodeJS.ProcessEnv = {},
): Promise<StartProcess> {
  const child = spawn(process.execPath, [join(root, 'test/stack/start.ts')], {
    env: { ...process.env, LATCHKEY_STATE: state, PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a process group, so that all its processes can be killed together.
    detached: true,
  });
  let printed = '';
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        printed += data;
        if (printed.includes('Press Ctrl-C to stop')) resolve();
      });
    }
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`npm start ended with ${code}\n${printed}`)));
  });
  return {
    origin: /http:\/\/localhost:\d+/.exec(printed)?.[0] ?? '',
    owner: JSON.parse(readFileSync(join(state, 'owner.json'), 'utf8')) as Owner,
    child,
    printed: () => printed,
    async killAll() {
      signalGroup(child.pid, 'SIGKILL');
      await ended;
    },
    interrupt() {
      child.kill('SIGINT');
      return ended;
    },
  };
}
