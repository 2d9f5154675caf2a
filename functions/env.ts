/**
 * The Worker's bindings, vars and secrets, parsed once. Everything that the Worker is configured with passes here;
 * a missing or malformed value stops the first request with an error that names it.
 */
import type { D1Database, Fetcher } from '@cloudflare/workers-types';
import * as z from 'zod';
import { type RegionsVar, regionBinding, regionsVar } from './regions.ts';

/** What wrangler hands to the Worker; the members of each region are named by {@link regionBinding}. */
export interface Bindings {
  ASSETS: Fetcher;
  IDENTITY: D1Database;
  REGIONS: unknown;
  [name: string]: unknown;
}

/**
 * The secrets of the Worker. `SYSTEM_SEED_<REGION>` (an account seed `SA…`, the identity of the region's NATS system
 * account) comes for each region beside them.
 */
export const secrets = z.object({
  /** Seals recoverable secrets, JSON: `[{"id","key"}]`, key 32 bytes in base64. The first seals, all open. */
  SEALING_KEYS: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue('must be JSON');
        return z.NEVER;
      }
    })
    .pipe(
      z.array(z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), key: z.base64().length(44) })).min(1),
    ),
  /** Signs account JWTs: the seed `SO…` of a signing key of the operator. The identity seed stays offline. */
  OPERATOR_SIGNING_SEED: z.string().regex(/^SO[A-Z2-7]{56}$/),
  /** Signs session cookies: at least 32 characters. */
  SIGN_IN_SECRET: z.string().min(32),
});

/** The id and raw AES-256 key (base64) of one sealing key. */
export type SealingKey = z.infer<typeof secrets>['SEALING_KEYS'][number];

/** A region that this deployment serves. */
export interface Region {
  name: string;
  label: string;
  natsEndpoint: string;
  database: D1Database;
  systemSeed: string;
}

/** The parsed environment. */
export interface Config {
  assets: Fetcher;
  identity: D1Database;
  regions: ReadonlyMap<string, Region>;
  sealingKeys: readonly SealingKey[];
  operatorSigningSeed: string;
  signInSecret: string;
}

const parsed = new WeakMap<object, Config>();

/** Parses the Worker's environment, once for each isolate. Throws an error that names what is missing or malformed. */
export function configOf(env: Bindings): Config {
  let config = parsed.get(env);
  if (!config) {
    config = parse(env);
    parsed.set(env, config);
  }
  return config;
}

function parse(env: Bindings): Config {
  const shape = z.object({ REGIONS: regionsVar, ...secrets.shape });
  const result = shape.safeParse(env);
  if (!result.success) {
    // The values may be secrets: the message names the members only.
    const names = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.code})`);
    throw new Error(`The Worker's configuration is incomplete: ${names.join(', ')}`);
  }
  const { REGIONS, SEALING_KEYS, OPERATOR_SIGNING_SEED, SIGN_IN_SECRET } = result.data;
  return {
    assets: env.ASSETS,
    identity: env.IDENTITY,
    regions: new Map(Object.entries(REGIONS).map(([name, settings]) => [name, region(env, name, settings)])),
    sealingKeys: SEALING_KEYS,
    operatorSigningSeed: OPERATOR_SIGNING_SEED,
    signInSecret: SIGN_IN_SECRET,
  };
}

function region(env: Bindings, name: string, settings: RegionsVar[string]): Region {
  const database = env[regionBinding('REGION', name)];
  const systemSeed = env[regionBinding('SYSTEM_SEED', name)];
  if (!database) throw new Error(`Region ${name} has no database: bind ${regionBinding('REGION', name)}`);
  if (typeof systemSeed !== 'string' || !/^SA[A-Z2-7]{56}$/.test(systemSeed)) {
    throw new Error(`Region ${name} has no system account: set ${regionBinding('SYSTEM_SEED', name)}`);
  }
  return {
    name,
    label: settings.label,
    natsEndpoint: settings.nats_endpoint,
    database: database as D1Database,
    systemSeed,
  };
}
