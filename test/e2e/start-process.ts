/** `npm start` as a person runs it, but for the installation: a process of its own, with all that it prints. */
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
  /** All that it has printed so far, on stdout and stderr. */
  printed(): string;
  /** `kill -9` of the whole stack at once; resolves when its first process is gone. */
  killAll(): Promise<void>;
  /** Ctrl-C; resolves to the exit code. */
  interrupt(): Promise<number | null>;
}

/**
 * Runs the start script and resolves once it has said where it is. By default its ports are free ones, and stay those of
 * the state folder: with a `port`, NATS would be on fixed ports too, for which tests that run at once would compete.
 */
export async function startProcess(
  state: string,
  port: number | string = 0,
  environment: NodeJS.ProcessEnv = {},
): Promise<StartProcess> {
  const child = spawn(process.execPath, [join(root, 'test/stack/start.ts')], {
    env: { ...process.env, LATCHKEY_STATE: state, PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: all that it starts can be killed at once.
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
