/** The wrangler configuration for a deployment: read once, and written with the IDs of the created databases. */
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { mailSettings, parseVars } from '../../functions/shared/env.ts';
import { type RegionsVar, regionBinding, regionsVar } from '../../functions/shared/regions.ts';

/** A D1 database that the deployment needs. */
export interface WantedDatabase {
  database_name: string;
  /** D1's location hint; undefined lets D1 choose. */
  location: string | undefined;
}

/** The parts of a wrangler configuration that a deployment uses. */
export interface DeployConfig {
  /** The name of the Worker. */
  name: string;
  /** The folder of the static assets, an absolute path. */
  assets: string;
  regions: RegionsVar;
  /** Whether email is sent through an HTTP provider, which needs a token. */
  mailByHttp: boolean;
  /** All databases, identity first. */
  databases: WantedDatabase[];
  /** The name of the identity database. */
  identity: string;
  /**
   * Returns the configuration with each database's ID (name → ID) and absolute paths, so that wrangler can read it
   * from any folder.
   */
  withIds(ids: ReadonlyMap<string, string>): Record<string, unknown>;
}

const readable = z.looseObject({
  name: z.string(),
  main: z.string(),
  alias: z.record(z.string(), z.string()).default({}),
  assets: z.looseObject({ directory: z.string() }),
  vars: z.looseObject({ REGIONS: regionsVar, MAIL: mailSettings.optional() }),
  durable_objects: z.looseObject({ bindings: z.array(z.looseObject({ name: z.string() })) }),
  d1_databases: z.array(
    z.looseObject({ binding: z.string(), database_name: z.string(), migrations_dir: z.string() }),
  ),
});

/** The bindings of the Worker's Durable Objects. */
const OBJECTS = ['ACCOUNT_PUBLISHER', 'CREDENTIAL_GUARD'];

/** The entry point that exports their classes. */
const ENTRY = 'functions/worker.ts';

/** Members that wrangler adds while reading and does not accept back. */
const OF_READING = ['configPath', 'userConfigPath', 'topLevelName', 'definedEnvironments', 'dev'];

/** Reads a wrangler configuration (absolute path). Throws if it lacks something that a deployment needs. */
export async function readDeployConfig(path: string): Promise<DeployConfig> {
  const { unstable_readConfig } = await import('wrangler');
  const config = readable.parse(unstable_readConfig({ config: path }, { hideWarnings: true }));
  // A Worker deployed with an invalid setting rejects every request.
  parseVars(config.vars);
  const near = (file: string) => resolve(dirname(path), file);
  const regions = config.vars.REGIONS;
  const locations = new Map(
    Object.entries(regions).map(([name, { location }]) => [regionBinding('REGION', name), location]),
  );
  const identity = config.d1_databases.find(({ binding }) => binding === 'IDENTITY');
  if (!identity) throw new Error(`${path} has no database with the binding IDENTITY`);
  // Found only after the databases are migrated, otherwise.
  for (const object of OBJECTS) {
    if (!config.durable_objects.bindings.some(({ name }) => name === object))
      throw new Error(`${path} has no Durable Object with the binding ${object}`);
  }
  if (!config.main.endsWith(ENTRY)) throw new Error(`${path}: main must be ${ENTRY}`);
  return {
    name: config.name,
    assets: near(config.assets.directory),
    regions,
    mailByHttp: config.vars.MAIL?.transport === 'http',
    databases: config.d1_databases.map(({ binding, database_name }) => ({
      database_name,
      location: locations.get(binding),
    })),
    identity: identity.database_name,
    withIds: (ids) => ({
      ...Object.fromEntries(
        Object.entries(config).filter(([key, value]) => !OF_READING.includes(key) && !isEmpty(value)),
      ),
      alias: Object.fromEntries(
        Object.entries(config.alias).map(([name, to]) => [name, to.startsWith('.') ? near(to) : to]),
      ),
      assets: { ...config.assets, directory: near(config.assets.directory) },
      d1_databases: config.d1_databases.map((database) => ({
        ...database,
        database_id: ids.get(database.database_name),
        migrations_dir: near(database.migrations_dir),
      })),
    }),
  };
}

// wrangler adds every member that it knows, most of them empty.
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).every(isEmpty);
}
