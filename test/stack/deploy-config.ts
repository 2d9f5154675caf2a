/**
 * The wrangler configuration as a deployment needs it: read once, and written again with the ids that the databases
 * got. Owns no step of the deployment.
 */
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { mailSettings, parseVars } from '../../functions/shared/env.ts';
import { type RegionsVar, regionBinding, regionsVar } from '../../functions/shared/regions.ts';

/** A D1 database to have. */
export interface WantedDatabase {
  database_name: string;
  /** D1's location hint; undefined lets D1 choose. */
  location: string | undefined;
}

/** What a deployment takes from a wrangler configuration. */
export interface DeployConfig {
  /** The name of the Worker. */
  name: string;
  /** The folder of the static assets, absolute. */
  assets: string;
  regions: RegionsVar;
  /** Whether mail is posted to a provider, which needs a token. */
  mailByHttp: boolean;
  /** Every database: identity first. */
  databases: WantedDatabase[];
  /** The name of the identity database. */
  identity: string;
  /** The whole configuration, each database with its id (name → id), paths absolute: wrangler reads it anywhere. */
  withIds(ids: ReadonlyMap<string, string>): Record<string, unknown>;
}

const readable = z.looseObject({
  name: z.string(),
  main: z.string(),
  alias: z.record(z.string(), z.string()).default({}),
  assets: z.looseObject({ directory: z.string() }),
  vars: z.looseObject({ REGIONS: regionsVar, MAIL: mailSettings.optional() }),
  d1_databases: z.array(
    z.looseObject({ binding: z.string(), database_name: z.string(), migrations_dir: z.string() }),
  ),
});

/** Members that wrangler adds while it reads and does not want back. */
const OF_READING = ['configPath', 'userConfigPath', 'topLevelName', 'definedEnvironments', 'dev'];

/** Reads a wrangler configuration (absolute path). Throws when it lacks something that a deployment needs. */
export async function readDeployConfig(path: string): Promise<DeployConfig> {
  const { unstable_readConfig } = await import('wrangler');
  const config = readable.parse(unstable_readConfig({ config: path }, { hideWarnings: true }));
  // A Worker that is deployed with a wrong setting refuses every request.
  parseVars(config.vars);
  const near = (file: string) => resolve(dirname(path), file);
  const regions = config.vars.REGIONS;
  const locations = new Map(
    Object.entries(regions).map(([name, { location }]) => [regionBinding('REGION', name), location]),
  );
  const identity = config.d1_databases.find(({ binding }) => binding === 'IDENTITY');
  if (!identity) throw new Error(`${path} has no database with the binding IDENTITY`);
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

// wrangler fills in every member that it knows, most of them with nothing.
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).every(isEmpty);
}
