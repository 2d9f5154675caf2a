/**
 * A server of the stack as a child process: starts, monitors and stops it. Other files define the program and its
 * configuration.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The command to run. */
export interface ServerCommand {
  /** The server's name in messages. */
  name: string;
  program: string;
  args: readonly string[];
  /** The file for its output, emptied on each start of the stack. */
  log: string;
  /** The port that it listens on when it is ready. */
  port: number;
  /** Whether it restarts after it ends by itself. */
  restart: boolean;
}

/** A server that tests can stop and start. */
export interface ServerProcess {
  /** The process ID; undefined while it is stopped. */
  pid(): number | undefined;
  /** Starts it. Resolves when it listens; rejects if it exits instead. */
  start(): Promise<void>;
  /** Stops it. Resolves when it has exited. */
  stop(): Promise<void>;
}

/** How long a server has to listen, in milliseconds. */
const START_DEADLINE = 30_000;

/** The shortest and the longest pause before a restart, in milliseconds. The pause doubles each time. */
const PAUSE = { least: 1000, most: 30_000 };

/** A server that ran for this long, in milliseconds, restarts after the shortest pause. */
const STEADY = 60_000;

/** Creates a server without starting it. `onSpawn` is called with each started process, immediately. */
export function serverProcess(command: ServerCommand, onSpawn: (pid: number) => void): ServerProcess {
  let child: ChildProcess | undefined;
  let stopping = false;
  let pause = PAUSE.least;
  let next: NodeJS.Timeout | undefined;

  function startAgain(): void {
    console.error(`Restarting ${command.name} in ${pause / 1000} s.`);
    next = setTimeout(() => {
      spawnServer('a').then(
        () => console.log(`${command.name} is running again.`),
        () => !stopping && startAgain(),
      );
    }, pause);
    pause = Math.min(2 * pause, PAUSE.most);
  }

  async function spawnServer(mode: 'w' | 'a'): Promise<void> {
    const log = openSync(command.log, mode, 0o600);
    const begun = Date.now();
    let ready = false;
    const started = spawn(command.program, command.args, { stdio: ['ignore', log, log] });
    closeSync(log);
    stopping = false;
    child = started;
    if (started.pid) onSpawn(started.pid);
    // A process that exits unexpectedly leaves the reason in its log.
    const failed = new Promise<never>((_, reject) => {
      started.on('error', reject);
      started.on('exit', (code, signal) => {
        if (child === started) child = undefined;
        if (Date.now() - begun > STEADY) pause = PAUSE.least;
        reject(new Error(`${command.name} exited (${signal ?? code})\n${lastLines(command.log)}`));
      });
    });
    failed.catch((error: Error) => {
      if (stopping) return;
      console.error(error.message);
      if (ready && command.restart) startAgain();
    });
    await Promise.race([listening(command), failed]);
    ready = true;
  }

  async function stop(): Promise<void> {
    const running = child;
    stopping = true;
    clearTimeout(next);
    if (!running?.pid) return;
    const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGTERM');
    // A stopped (SIGSTOP) process would not handle the signal.
    running.kill('SIGCONT');
    await gone;
  }

  return { pid: () => child?.pid, start: () => spawnServer('w'), stop };
}

function lastLines(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n');
}

/** Resolves when the port accepts connections. */
async function listening({ name, port }: ServerCommand): Promise<void> {
  const deadline = Date.now() + START_DEADLINE;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`${name} is not listening on port ${port}`);
    await sleep(5);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
