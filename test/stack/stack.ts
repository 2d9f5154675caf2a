/**
 * The whole of it, running: the Worker, and a nats-server for each region. `npm start`, the tests and the benchmarks
 * all stand on this, so that what is tested and measured is what people start. Everything listens on 127.0.0.1 and
 * lives in one folder; starting again on that folder goes on where it ended, however it ended.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import type { Owner } from '../../db/identity/bootstrap.ts';
import type { RegionsVar } from '../../functions/regions.ts';
import { type Bundle, bundleWorker } from './bundle.ts';
import { databaseFile, type LocalDatabase, migrate, openDatabase } from './databases.ts';
import { type NatsServer, natsServer } from './nats.ts';
import { ensureOwner } from './owner.ts';
import { choosePorts, type NatsPorts } from './ports.ts';
import { endLeftovers, type Processes, recordProcesses } from './processes.ts';
import { defaultConfig, privateFolder } from './project.ts';
import { type DeploymentSecrets, ensureSecrets } from './secrets.ts';
import { type LocalWorker, startWorker, type WorkerLog } from './worker.ts';

/** What to start. */
export interface StackSettings {
  /** The state folder, absolute; made when missing. */
  state: string;
  /** The port of the origin; 0 takes a free one and keeps it for the state folder. */
  port: number;
  /** The wrangler configuration, absolute; that of the project by default. Its assets must be built. */
  config?: string;
  /** Gets what the Worker prints; by default it is printed. */
  onLog?: (log: WorkerLog) => void;
}

/** A running stack. */
export interface Stack {
  /** `http://localhost:PORT`. */
  origin: string;
  /** Undefined when the state folder has an organization, but its `owner.json` was removed. */
  owner: Owner | undefined;
  /** The nats-server of each region. */
  nats: ReadonlyMap<string, NatsServer>;
  /** The cron expressions of the configuration. */
  crons: readonly string[];
  /** How many processes of an earlier start had to be ended first. */
  leftovers: number;
  /** A D1 database by the name of its binding. */
  database(binding: string): Promise<D1Database>;
  /** The ids of the processes: `stack` (this one), `worker`, `nats <region>`. */
  pids(): Record<string, number>;
  /** Runs the schedule once, now: of one cron expression, or of all. */
  schedule(cron?: string): Promise<void>;
  /** Ends everything. What was stored stays. */
  stop(): Promise<void>;
}

/**
 * Starts a stack and resolves when the origin answers and NATS clients can connect. Ends first what an earlier stack
 * left running on the same state folder. Rejects with {@link PortTaken} when the port is somebody else's, and leaves
 * nothing running when it rejects.
 */
export async function startStack({
  state,
  port,
  config = defaultConfig,
  onLog,
}: StackSettings): Promise<Stack> {
  privateFolder(state);
  const leftovers = await endLeftovers(state);
  const bundle = await bundleWorker(config);
  if (!existsSync(join(bundle.assets, 'index.html')))
    throw new Error(`The site is not built: ${bundle.assets}`);
  const ports = await choosePorts(state, port, Object.keys(bundle.regions));
  const processes = recordProcesses(state);
  processes.add('stack', process.pid);

  const secrets = await ensureSecrets(state, Object.keys(bundle.regions));
  const databases = localDatabases(state, bundle);
  prepare(databases);
  const owner = await ensureOwner(state, fileOf(databases, 'IDENTITY'));

  const servers = natsServers(state, ports, secrets, processes);
  const endNow = () => {
    for (const server of servers.values()) killNow(server);
  };
  process.on('exit', endNow);
  let worker: LocalWorker | undefined;
  const stop = async () => {
    await Promise.all([...[...servers.values()].map((server) => server.stop()), worker?.stop()]);
    process.off('exit', endNow);
    processes.clear();
  };
  try {
    worker = await startWorker({
      bundle,
      storage: storageOf(state),
      port: ports.origin,
      regions: localRegions(bundle, ports.nats),
      secrets: secrets.worker,
      onSpawn: (pid) => processes.add('worker', pid),
      onLog,
    });
    // Only now: a nats-server asks the Worker for its system account, and ends when nobody answers.
    await Promise.all([...servers.values()].map((server) => server.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return running({
    origin: `http://localhost:${ports.origin}`,
    owner,
    leftovers,
    bundle,
    servers,
    processes,
    worker,
    stop,
  });
}

function running({
  origin,
  owner,
  leftovers,
  bundle,
  servers,
  processes,
  worker,
  stop,
}: {
  origin: string;
  owner: Owner | undefined;
  leftovers: number;
  bundle: Bundle;
  servers: Map<string, NatsServer>;
  processes: Processes;
  worker: LocalWorker;
  stop: () => Promise<void>;
}): Stack {
  return {
    origin,
    owner,
    nats: servers,
    crons: bundle.crons,
    leftovers,
    database: worker.database,
    pids: processes.pids,
    async schedule(cron) {
      for (const each of cron ? [cron] : bundle.crons) await worker.schedule(each);
    },
    stop,
  };
}

/** The databases of a state folder, as the configuration binds them: for who looks into the files themselves. */
export async function stackDatabases(state: string, config = defaultConfig): Promise<LocalDatabase[]> {
  return localDatabases(state, await bundleWorker(config));
}

function localDatabases(state: string, { databases }: Bundle): LocalDatabase[] {
  return databases.map(({ binding, id, migrations }) => ({
    binding,
    file: databaseFile(storageOf(state), id),
    migrations,
  }));
}

function storageOf(state: string): string {
  return join(state, 'worker');
}

function fileOf(databases: readonly LocalDatabase[], binding: string): string {
  const database = databases.find((database) => database.binding === binding);
  if (!database) throw new Error(`The configuration binds no database as ${binding}`);
  return database.file;
}

function prepare(databases: readonly LocalDatabase[]): void {
  for (const { file, migrations } of databases) {
    const database = openDatabase(file);
    try {
      migrate(database, migrations);
    } finally {
      database.close();
    }
  }
}

/** The `REGIONS` var with the endpoints of this machine. */
function localRegions({ worker, regions }: Bundle, ports: Record<string, NatsPorts>): RegionsVar {
  const configured = worker.bindings?.REGIONS as unknown as RegionsVar;
  return Object.fromEntries(
    Object.keys(regions).map((name) => [
      name,
      {
        ...(configured[name] as RegionsVar[string]),
        nats_endpoint: `nats://127.0.0.1:${ports[name]?.client}`,
        nats_websockets: [`ws://127.0.0.1:${ports[name]?.websocket}`],
      },
    ]),
  );
}

function natsServers(
  state: string,
  ports: { origin: number; nats: Record<string, NatsPorts> },
  { operatorJwt, systemAccounts }: DeploymentSecrets,
  processes: Processes,
): Map<string, NatsServer> {
  return new Map(
    Object.entries(systemAccounts).map(([region, systemAccount]) => [
      region,
      natsServer(
        {
          region,
          folder: join(state, 'nats', region),
          ports: ports.nats[region] as NatsPorts,
          operatorJwt,
          systemAccount,
          worker: `http://127.0.0.1:${ports.origin}`,
          allowedOrigins: [`http://localhost:${ports.origin}`, `http://127.0.0.1:${ports.origin}`],
        },
        (pid) => processes.add(`nats ${region}`, pid),
      ),
    ]),
  );
}

function killNow(server: NatsServer): void {
  const pid = server.pid();
  if (pid) process.kill(pid, 'SIGTERM');
}
