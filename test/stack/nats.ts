/**
 * One real nats-server for one region: its configuration, its process. It trusts our operator, asks the Worker for
 * accounts, and keeps streams in the state folder. Whose keys those are is decided elsewhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsPorts } from './ports.ts';

/** What a nats-server needs to know. */
export interface NatsSettings {
  region: string;
  /** A folder of its own: configuration, log, streams. */
  folder: string;
  ports: NatsPorts;
  operatorJwt: string;
  /** The public key of the region's system account. */
  systemAccount: string;
  /** Where the Worker answers, as the server reaches it: `http://127.0.0.1:PORT`. */
  worker: string;
  /** Origins whose pages may open a websocket. */
  allowedOrigins: readonly string[];
}

/** A nats-server of the stack, which can be stopped and started by tests that take it away. */
export interface NatsServer {
  /** Where clients connect: `nats://127.0.0.1:PORT`. */
  url: string;
  /** Where browsers connect: `ws://127.0.0.1:PORT`. */
  websocketUrl: string;
  /** The process; undefined while it is stopped. */
  pid(): number | undefined;
  /** Starts it and resolves when clients can connect. The Worker must answer. */
  start(): Promise<void>;
  /** Ends it and resolves when it is gone. */
  stop(): Promise<void>;
}

/** How long a nats-server may take to listen, in milliseconds. */
const START_DEADLINE = 10_000;

/**
 * The configuration of a nats-server, the same for the local stack and a deployment. Paths are files of the server;
 * `listen` is `address:port`; `tls` and `websocket` are text in the server's own syntax.
 */
export function natsConfiguration(settings: {
  serverName: string;
  listen: string;
  operator: string;
  systemAccount: string;
  resolver: string;
  websocket: string;
  jetstream: string;
  tls?: string;
}): string {
  return `server_name: ${settings.serverName}
listen: "${settings.listen}"
${settings.tls ? `${settings.tls}\n` : ''}operator: "${settings.operator}"
system_account: ${settings.systemAccount}
resolver: URL(${settings.resolver})
websocket {
${settings.websocket}
}
jetstream {
  store_dir: "${settings.jetstream}"
  max_mem: 256M
  max_file: 1G
}
`;
}

/**
 * A nats-server, not started yet. `onSpawn` is told each process that is started, at once. Takes the program that
 * `NATS_SERVER` names, else `nats-server`.
 */
export function natsServer(settings: NatsSettings, onSpawn: (pid: number) => void): NatsServer {
  const { folder, ports, region } = settings;
  let child: ChildProcess | undefined;
  let stopping = false;

  async function start(): Promise<void> {
    writeFiles(settings);
    const log = openSync(join(folder, 'server.log'), 'w', 0o600);
    const started = spawn(process.env.NATS_SERVER ?? 'nats-server', ['-c', join(folder, 'server.conf')], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    stopping = false;
    child = started;
    if (started.pid) onSpawn(started.pid);
    // A process that ends without having been told to leaves its reasons in the log.
    const failed = new Promise<never>((_, reject) => {
      started.on('error', reject);
      started.on('exit', (code, signal) => {
        if (child === started) child = undefined;
        reject(new Error(`nats-server of ${region} ended (${signal ?? code})\n${lastLines(folder)}`));
      });
    });
    failed.catch((error: Error) => {
      if (!stopping) console.error(error.message);
    });
    await Promise.race([listening(ports.client), failed]);
  }

  async function stop(): Promise<void> {
    const running = child;
    if (!running?.pid) return;
    stopping = true;
    const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGTERM');
    // One that a test froze would keep the signal for later.
    running.kill('SIGCONT');
    await gone;
  }

  return {
    url: `nats://127.0.0.1:${ports.client}`,
    websocketUrl: `ws://127.0.0.1:${ports.websocket}`,
    pid: () => child?.pid,
    start,
    stop,
  };
}

function writeFiles(settings: NatsSettings): void {
  const { folder, ports, region, worker } = settings;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'operator.jwt'), settings.operatorJwt);
  const configuration = natsConfiguration({
    serverName: `latchkey-${region}`,
    listen: `127.0.0.1:${ports.client}`,
    operator: join(folder, 'operator.jwt'),
    systemAccount: settings.systemAccount,
    resolver: `${worker}/jwt/v1/${region}/accounts/`,
    websocket: `  listen: "127.0.0.1:${ports.websocket}"
  no_tls: true
  allowed_origins: ${JSON.stringify(settings.allowedOrigins)}`,
    jetstream: join(folder, 'jetstream'),
  });
  writeFileSync(join(folder, 'server.conf'), configuration);
}

function lastLines(folder: string): string {
  return readFileSync(join(folder, 'server.log'), 'utf8').trim().split('\n').slice(-5).join('\n');
}

/** Resolves when the port takes connections. */
async function listening(port: number): Promise<void> {
  const deadline = Date.now() + START_DEADLINE;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`nats-server does not listen on port ${port}`);
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
