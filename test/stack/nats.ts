/**
 * A real nats-server for one region: its configuration and its process. It trusts our operator, requests accounts
 * from the Worker, and stores streams in the state folder. The keys come from secrets.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultsOf, isSupported, leastSupported } from '../../functions/nats/versions.ts';
import type { NatsPorts } from './ports.ts';
import { type ServerProcess, serverProcess } from './server-process.ts';
import { Stop } from './tools.mjs';

/** The settings of a nats-server. */
export interface NatsSettings {
  region: string;
  /** A folder for its configuration, log and streams. */
  folder: string;
  ports: NatsPorts;
  operatorJwt: string;
  /** The public key of the region's system account. */
  systemAccount: string;
  /** The Worker's URL as the server reaches it: `http://127.0.0.1:PORT`. */
  worker: string;
  /** For one of several servers in the region: its number, its cluster port, and those of the others. */
  cluster?: {
    node: number;
    port: number;
    routes: readonly number[];
    /** The port that the others use, if it is not `port`. */
    advertise?: number | undefined;
  };
  /** The maximum size of all accounts' streams on disk, in bytes. */
  storage: number;
  /** The port for leaf nodes; without it, none can connect. */
  leafnodes?: number;
  /** Origins whose pages can open a websocket. */
  allowedOrigins: readonly string[];
  /** Without it, clients connect without TLS. */
  tls?: ClientTls;
  /** Whether it restarts after it ends by itself. */
  restart: boolean;
}

/** A nats-server of the stack. It can start only while the Worker responds. */
export interface NatsServer extends ServerProcess {
  /** The URL for clients: `nats://127.0.0.1:PORT`. */
  url: string;
  /** The URL for browsers: `ws://127.0.0.1:PORT`. */
  websocketUrl: string;
}

/**
 * New connections per second. A server that restarts fetches the account of each client that comes back, and refuses a
 * client whose account does not arrive within two seconds. Most client libraries give up after two refusals. A
 * connection over this limit is not refused but closed, and the client tries again.
 */
const CONNECTIONS_PER_SECOND = 200;

/** TLS for clients of a server. */
export interface ClientTls {
  /** The files of the certificate and its key. */
  cert: string;
  key: string;
  /** New connections per second; by default, {@link CONNECTIONS_PER_SECOND}. */
  limit?: number;
}

/** Returns the `tls` setting for clients of a server. */
export function clientTls({ cert, key, limit = CONNECTIONS_PER_SECOND }: ClientTls): string {
  return `tls { cert_file: "${cert}", key_file: "${key}", connection_rate_limit: ${limit} }`;
}

/**
 * Returns the configuration of a nats-server, the same for the local stack and a deployment. Paths are on the
 * server's file system; `listen` is `address:port`; `tls`, `websocket` and `cluster` are text in the server's own
 * syntax; `storage` and `memory` are the maximum bytes of all streams on disk and in memory.
 */
export function natsConfiguration(settings: {
  serverName: string;
  listen: string;
  operator: string;
  systemAccount: string;
  resolver: string;
  websocket: string;
  jetstream: string;
  storage: number;
  memory?: number | undefined;
  tls?: string;
  cluster?: string;
  leafnodes?: string;
}): string {
  return `server_name: ${settings.serverName}
listen: "${settings.listen}"
${settings.tls ? `${settings.tls}\n` : ''}operator: "${settings.operator}"
system_account: ${settings.systemAccount}
resolver: URL(${settings.resolver})
websocket {
${settings.websocket}
}
${settings.cluster ? `cluster {\n${settings.cluster}\n}\n` : ''}${settings.leafnodes ? `leafnodes {\n${settings.leafnodes}\n}\n` : ''}jetstream {
  store_dir: "${settings.jetstream}"
  max_mem: ${settings.memory ?? '256M'}
  max_file: ${settings.storage}
}
`;
}

/** The nats-server to run: the one in `NATS_SERVER` (bootstrap.mjs sets it), else the one on PATH. */
const program = process.env.NATS_SERVER || 'nats-server';

/** Returns the version of the nats-server to run, for example `2.15.1`. Throws {@link Stop} if it prints none. */
export function natsServerVersion(): string {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /^nats-server: v(\S+)/m.exec(stdout ?? '')?.[1];
  if (!version)
    throw new Stop(`${program} is not a nats-server: it does not print a version. Correct NATS_SERVER.`);
  return version;
}

/** Returns a warning with the known faults of this version if it is not supported; else undefined. */
export function versionWarning(version: string): string | undefined {
  if (isSupported(version)) return undefined;
  const faults = faultsOf(version).map(
    ({ summary, reference }) => `  - ${summary}${reference ? ` (${reference})` : ''}`,
  );
  return [
    `Warning: nats-server ${version} is not supported. The minimum is ${leastSupported.join(' or ')}. Do not use it in production.`,
    ...faults,
  ].join('\n');
}

/** Creates a nats-server without starting it. `onSpawn` is called with each started process, immediately. */
export function natsServer(settings: NatsSettings, onSpawn: (pid: number) => void): NatsServer {
  const { folder, ports, region } = settings;
  const server = serverProcess(
    {
      name: `nats-server for ${region}`,
      program,
      args: ['-c', join(folder, 'server.conf')],
      log: join(folder, 'server.log'),
      port: ports.client,
      restart: settings.restart,
    },
    onSpawn,
  );
  return {
    ...server,
    url: `nats://127.0.0.1:${ports.client}`,
    websocketUrl: `ws://127.0.0.1:${ports.websocket}`,
    async start() {
      writeFiles(settings);
      await startWithRetries(server);
    },
  };
}

/**
 * Starts a server, with retries: nats-server exits if its first request to the Worker takes more than two seconds,
 * which can happen on a busy machine.
 */
async function startWithRetries(server: ServerProcess, attempts = 5): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    if (attempts === 1 || !String(error).includes('could not fetch')) throw error;
    await startWithRetries(server, attempts - 1);
  }
}

function writeFiles(settings: NatsSettings): void {
  const { folder, ports, region, worker, cluster, leafnodes } = settings;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'operator.jwt'), settings.operatorJwt);
  const configuration = natsConfiguration({
    serverName: `latchkey-${region}${cluster ? `-${cluster.node}` : ''}`,
    listen: `127.0.0.1:${ports.client}`,
    operator: join(folder, 'operator.jwt'),
    systemAccount: settings.systemAccount,
    resolver: `${worker}/jwt/v1/${region}/accounts/`,
    websocket: `  listen: "127.0.0.1:${ports.websocket}"
  no_tls: true
  allowed_origins: ${JSON.stringify(settings.allowedOrigins)}`,
    jetstream: join(folder, 'jetstream'),
    storage: settings.storage,
    ...(settings.tls && { tls: clientTls(settings.tls) }),
    ...(leafnodes && { leafnodes: `  listen: "127.0.0.1:${leafnodes}"` }),
    ...(cluster && {
      cluster: `  name: ${region}
  listen: "127.0.0.1:${cluster.port}"
  advertise: "127.0.0.1:${cluster.advertise ?? cluster.port}"
  routes: ${JSON.stringify(cluster.routes.map((port) => `nats://127.0.0.1:${port}`))}`,
    }),
  });
  writeFileSync(join(folder, 'server.conf'), configuration);
}
