/**
 * A RabbitMQ from Debian's package with its management API, on the loopback interface, its state in its own folder,
 * for peers.ts. Started only where it is installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../stack/ports.ts';

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const START_MS = 60_000;
const STOP_MS = 20_000;

/** A running broker. */
export interface RabbitMq {
  /** `http://127.0.0.1:PORT`; the API is below `/api`. */
  origin: string;
  /** The Authorization header of its administrator. */
  authorization: string;
  stop(): Promise<void>;
}

/** Starts a broker; null if Debian's rabbitmq-server is not installed. */
export async function startRabbitMq(): Promise<RabbitMq | null> {
  if (!existsSync(SERVER)) return null;
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-rabbitmq-'));
  const [http, amqp, dist, epmd] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const env = environment(folder, { dist, epmd });
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp.1 = 127.0.0.1:${amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${http}\n`,
  );
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n');
  // In the foreground and on its own port: otherwise Erlang starts a port mapper that outlives the broker.
  const names = spawn('epmd', ['-port', String(epmd), '-address', '127.0.0.1'], { env, stdio: 'ignore' });
  const broker = spawn(SERVER, [], { env, stdio: 'ignore' });
  const stop = async () => {
    await end(broker);
    await end(names);
    rmSync(folder, { recursive: true, force: true });
  };
  const origin = `http://127.0.0.1:${http}`;
  const authorization = `Basic ${btoa('guest:guest')}`;
  try {
    await ready(`${origin}/api/overview`, authorization, broker);
    return { origin, authorization, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environment(folder: string, { dist, epmd }: { dist: number; epmd: number }): NodeJS.ProcessEnv {
  const make = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  return {
    PATH: process.env.PATH,
    HOME: make('home'),
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'bench@localhost',
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_MNESIA_BASE: make('mnesia'),
    RABBITMQ_LOG_BASE: make('log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
  };
}

async function ready(url: string, authorization: string, broker: ChildProcess): Promise<void> {
  const end = performance.now() + START_MS;
  while (performance.now() < end && broker.exitCode === null) {
    const response = await fetch(url, { headers: { authorization } }).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('RabbitMQ did not start');
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
