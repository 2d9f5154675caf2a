/**
 * Runs the whole stack: the Worker, and for each region a nats-server and an engine for queues and topics. `npm
 * start`, the tests and the benchmarks share it, so that the tested and measured stack is the one that people start.
 * Everything listens on 127.0.0.1 and is stored in one folder; a start on that folder resumes where the last one
 * ended, even after a kill.
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
  /** The state folder, an absolute path; created if missing. */
  state: string;
  /** The port of the origin; 0 uses a free one and keeps it for the state folder. */
  port: number;
  /** The wrangler configuration, an absolute path; the project's by default. Its assets must be built. */
  config?: string;
  /** Gets the Worker's output, which is printed by default. */
  onLog?: (log: WorkerLog) => void;
  /**
   * Changes the Worker's vars. Gets the stack's own: the regions' servers, printed emails, guest sessions, and small
   * NATS accounts, which are the default.
   */
  vars?: (vars: {
    REGIONS: RegionsVar;
    MAIL: unknown;
    SITE: unknown;
    GUESTS: unknown;
    NATS: unknown;
  }) => Record<string, unknown>;
  /** Rate limits per minute that replace the configured ones: name of the binding → limit. */
  limits?: Readonly<Record<string, number>>;
  /** Changes each nats-server's settings; nothing by default. */
  nats?: (settings: NatsSettings) => NatsSettings;
  /**
   * The preferred port of the first region's nats-server; the other regions use the next ones. Any free port by
   * default.
   */
  natsFrom?: number;
  /** Restarts nats-servers and engines that end by themselves; off by default. */
  restart?: boolean;
  /** Opens the inspector of the Worker's runtime on a free port; off by default. */
  inspect?: boolean;
}

/**
 * Disk space for the streams of a local account, and of all accounts of a region: 1,024 accounts. Servers do not
 * reserve it.
 */
const ACCOUNT_STORAGE = 64 * 1024 ** 2;
const NATS_STORAGE = 64 * 1024 ** 3;

/** A running stack. */
export interface Stack {
  /** `http://localhost:PORT`. */
  origin: string;
  /** Undefined if the state folder has an organization, but its `owner.json` was deleted. */
  owner: Owner | undefined;
  /** The nats-server of each region. */
  nats: ReadonlyMap<string, NatsServer>;
  /** The engine of each region's queues and topics. */
  engines: ReadonlyMap<string, EngineServer>;
  /** The cron expressions of the configuration. */
  crons: readonly string[];
  /** The number of processes of an earlier start that had to be ended first. */
  leftovers: number;
  /** Returns a D1 database by the name of its binding. */
  database(binding: string): Promise<D1Database>;
  /** The process IDs: `stack` (this process), `worker`, `nats <region>`, `engine <region>`. */
  pids(): Record<string, number>;
  /** Resolves to the URL of the runtime's inspector; rejects if it was not requested. */
  inspector(): Promise<URL>;
  /** Runs the schedule now: one cron expression, or all. */
  schedule(cron?: string): Promise<void>;
  /** Stops everything. The stored data stays. */
  stop(): Promise<void>;
}

/**
 * Starts a stack. Resolves when the origin responds and NATS clients can connect. First ends the processes of a
 * killed stack on the same state folder. Rejects with a readable message ({@link Stop}) if a port is in use, the
 * folder is not a stack's, a stack is running on it, or a file in it is damaged; then it leaves nothing running.
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
    // Only now: a nats-server requests its system account from the Worker, and exits if there is no response.
    await Promise.all(nats.map((server) => server.start()));
    return { worker, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns the databases of a state folder with their bindings, for direct access to the files. */
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

/** The `REGIONS` var with this machine's endpoints. */
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

/** The bundle, with pages that refer to the servers in the vars and can connect to them. */
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
