/**
 * The whole of it, running: the Worker, and for each region a nats-server and an engine of queues and topics. `npm
 * start`, the tests and the benchmarks all stand on this, so that what is tested and measured is what people start.
 * Everything listens on 127.0.0.1 and lives in one folder; starting again on that folder goes on where it ended,
 * however it ended.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type RegionsVar, regionBinding } from '../../functions/shared/regions.ts';
import { type Bundle, bundleWorker } from './bundle.ts';
import { databaseFile, type LocalDatabase, prepareDatabase } from './databases.ts';
import { ENGINE_KEY, type EngineServer, engineEntry, engineServer } from './engine.ts';
import { type NatsServer, type NatsSettings, natsServer } from './nats.ts';
import { ensureOwner } from './owner.ts';
import { copyPages } from './pages.ts';
import { choosePorts, type NatsPorts, type StackPorts } from './ports.ts';
import { endLeftovers, type Processes, recordProcesses } from './processes.ts';
import { defaultConfig, privateFolder } from './project.ts';
import { type DeploymentSecrets, ensureSecrets } from './secrets.ts';
import type { ServerProcess } from './server-process.ts';
import { signal } from './signal.ts';
import { claimStateFolder, emptyFolder } from './state-folder.ts';
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
  /**
   * Changes and adds vars of the Worker, given those that the stack sets: the regions' servers, that mail is printed,
   * that guests are let in, and small NATS accounts. By default they stay.
   */
  vars?: (vars: {
    REGIONS: RegionsVar;
    MAIL: unknown;
    SITE: unknown;
    GUESTS: unknown;
    NATS: unknown;
  }) => Record<string, unknown>;
  /** Rate limits in a minute, in place of the configuration's: name of the binding → limit. */
  limits?: Readonly<Record<string, number>>;
  /** Changes what each nats-server is told; by default nothing. */
  nats?: (settings: NatsSettings) => NatsSettings;
  /** The port of the first region's nats-server, when it is free, and the next ones for the others; by default any. */
  natsFrom?: number;
  /** Starts nats-servers and engines again when they end by themselves; by default they stay down. */
  restart?: boolean;
  /** Opens the inspector of the Worker's runtime, on a free port; by default it is closed. */
  inspect?: boolean;
}

/** Streams on disk of a local account, and of all accounts of a region: 1,024 accounts. Servers take it for a number only. */
const ACCOUNT_STORAGE = 64 * 1024 ** 2;
const NATS_STORAGE = 64 * 1024 ** 3;

/** A running stack. */
export interface Stack {
  /** `http://localhost:PORT`. */
  origin: string;
  /** Undefined when the state folder has an organization, but its `owner.json` was removed. */
  owner: Owner | undefined;
  /** The nats-server of each region. */
  nats: ReadonlyMap<string, NatsServer>;
  /** The engine of each region's queues and topics. */
  engines: ReadonlyMap<string, EngineServer>;
  /** The cron expressions of the configuration. */
  crons: readonly string[];
  /** How many processes of an earlier start had to be ended first. */
  leftovers: number;
  /** A D1 database by the name of its binding. */
  database(binding: string): Promise<D1Database>;
  /** The ids of the processes: `stack` (this one), `worker`, `nats <region>`, `engine <region>`. */
  pids(): Record<string, number>;
  /** Where the inspector of the Worker's runtime listens; rejects when it was not asked for. */
  inspector(): Promise<URL>;
  /** Runs the schedule once, now: of one cron expression, or of all. */
  schedule(cron?: string): Promise<void>;
  /** Ends everything. What was stored stays. */
  stop(): Promise<void>;
}

/**
 * Starts a stack and resolves when the origin answers and NATS clients can connect. Ends first what an earlier stack
 * that was killed left running on the same state folder. Rejects with a message for people ({@link Stop}) when a port is
 * taken, the folder is not a stack's own, a stack runs on it, or a file in it is damaged; leaves nothing running when it
 * rejects.
 */
export async function startStack(settings: StackSettings): Promise<Stack> {
  claimStateFolder(settings.state);
  const leftovers = await endLeftovers(settings.state);
  const processes = recordProcesses(settings.state);
  processes.add('stack', process.pid);
  try {
    return { ...(await startOn(settings, processes)), leftovers };
  } catch (error) {
    processes.clear();
    throw error;
  }
}

async function startOn(
  {
    state,
    port,
    config = defaultConfig,
    onLog,
    vars = (own) => own,
    limits = {},
    nats: adapt = (settings) => settings,
    natsFrom,
    restart = false,
    inspect = false,
  }: StackSettings,
  processes: Processes,
): Promise<Omit<Stack, 'leftovers'>> {
  const bundle = await bundleWorker(config);
  if (!existsSync(join(bundle.assets, 'index.html')))
    throw new Error(`The site is not built: ${bundle.assets}`);
  const ports = await choosePorts(state, port, Object.keys(bundle.regions), natsFrom);
  const secrets = await ensureSecrets(state, Object.keys(bundle.regions));
  for (const name of ['worker', 'nats', 'engines']) privateFolder(join(state, name));
  const owner = await prepareDatabases(state, bundle);

  const nats = natsServers(state, ports, secrets, processes, restart, adapt);
  const engines = engineServers(state, Object.keys(bundle.regions), ports, processes, restart);
  const origin = `http://localhost:${ports.origin}`;
  const configured = vars({
    REGIONS: localRegions(bundle, ports),
    MAIL: { transport: 'console' },
    SITE: { url: `http://localhost:${ports.origin}` },
    GUESTS: { enabled: true },
    NATS: { account_limits: { disk: ACCOUNT_STORAGE } },
  });
  const startTheWorker = () =>
    startWorker({
      bundle: withPages(bundle, emptyFolder(state, 'pages'), origin, configured),
      storage: storageOf(state),
      port: ports.origin,
      vars: configured,
      limits,
      secrets: { ...engineKeys(bundle), ...secrets.worker },
      onSpawn: (pid) => processes.add('worker', pid),
      onLog,
      inspect,
    });
  const servers = { nats: [...nats.values()], engines: [...engines.values()] };
  const { worker, stop } = await startServers(startTheWorker, servers, processes);
  return {
    origin,
    owner,
    nats,
    engines,
    crons: bundle.crons,
    database: worker.database,
    inspector: worker.inspector,
    pids: processes.pids,
    async schedule(cron) {
      for (const each of cron ? [cron] : bundle.crons) await worker.schedule(each);
    },
    stop,
  };
}

async function startServers(
  startTheWorker: () => Promise<LocalWorker>,
  { nats, engines }: { nats: readonly NatsServer[]; engines: readonly EngineServer[] },
  processes: Processes,
): Promise<{ worker: LocalWorker; stop: () => Promise<void> }> {
  let worker: LocalWorker | undefined;
  const servers = [...nats, ...engines];
  const endNow = () => servers.forEach(killNow);
  process.on('exit', endNow);
  const stop = async () => {
    await Promise.all([...servers.map((server) => server.stop()), worker?.stop()]);
    process.off('exit', endNow);
    processes.clear();
  };
  try {
    [worker] = await Promise.all([startTheWorker(), ...engines.map((server) => server.start())]);
    // Only now: a nats-server asks the Worker for its system account, and ends when nobody answers.
    await Promise.all(nats.map((server) => server.start()));
    return { worker, stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
  if (!database) throw new Error(`The configuration has no database with the binding ${binding}`);
  return database.file;
}

async function prepareDatabases(state: string, bundle: Bundle): Promise<Owner | undefined> {
  const databases = localDatabases(state, bundle);
  for (const { file, migrations } of databases) prepareDatabase(file, migrations);
  return ensureOwner(state, fileOf(databases, 'IDENTITY'));
}

/** The `REGIONS` var with the endpoints of this machine. */
function localRegions({ worker, regions }: Bundle, { nats, engines }: StackPorts): RegionsVar {
  const configured = worker.bindings?.REGIONS as unknown as RegionsVar;
  return Object.fromEntries(
    Object.keys(regions).map((name) => [
      name,
      {
        ...(configured[name] as RegionsVar[string]),
        nats_endpoint: `nats://127.0.0.1:${nats[name]?.client}`,
        nats_websockets: [`ws://127.0.0.1:${nats[name]?.websocket}`],
        nats_storage: NATS_STORAGE,
        engine: engineEntry(name, engines[name]),
      },
    ]),
  );
}

/** The bundle with pages that name and may open the servers of the vars. */
function withPages(bundle: Bundle, folder: string, origin: string, vars: Record<string, unknown>): Bundle {
  const regions = Object.values(vars.REGIONS as RegionsVar);
  const websockets = regions.flatMap(({ nats_websockets }) => nats_websockets ?? []);
  const nats = regions.map(({ nats_endpoint }) => nats_endpoint);
  copyPages(bundle.assets, folder, { origin, nats, websockets });
  return { ...bundle, worker: { ...bundle.worker, assets: { ...bundle.worker.assets, directory: folder } } };
}

function natsServers(
  state: string,
  ports: StackPorts,
  { operatorJwt, systemAccounts }: DeploymentSecrets,
  processes: Processes,
  restart: boolean,
  adapt: (settings: NatsSettings) => NatsSettings,
): Map<string, NatsServer> {
  return new Map(
    Object.entries(systemAccounts).map(([region, systemAccount]) => [
      region,
      natsServer(
        adapt({
          region,
          folder: join(state, 'nats', region),
          ports: ports.nats[region] as NatsPorts,
          operatorJwt,
          systemAccount,
          worker: `http://127.0.0.1:${ports.origin}`,
          storage: NATS_STORAGE,
          allowedOrigins: [`http://localhost:${ports.origin}`, `http://127.0.0.1:${ports.origin}`],
          restart,
        }),
        (pid) => processes.add(`nats ${region}`, pid),
      ),
    ]),
  );
}

function engineServers(
  state: string,
  regions: readonly string[],
  { engines }: StackPorts,
  processes: Processes,
  restart: boolean,
): Map<string, EngineServer> {
  return new Map(
    regions.map((region) => {
      const settings = {
        region,
        folder: join(state, 'engines', region),
        port: engines[region] as number,
        restart,
      };
      return [region, engineServer(settings, (pid) => processes.add(`engine ${region}`, pid))];
    }),
  );
}

function engineKeys({ regions }: Bundle): Record<string, string> {
  return Object.fromEntries(
    Object.keys(regions).map((region) => [regionBinding('ENGINE_KEY', region), ENGINE_KEY]),
  );
}

function killNow(server: ServerProcess): void {
  const pid = server.pid();
  if (pid) signal(pid, 'SIGTERM');
}
