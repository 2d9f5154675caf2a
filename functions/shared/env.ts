/**
 * Parses and validates the Worker's bindings, vars and secrets, once per isolate. A missing or malformed value fails
 * the first request with an error that names it.
 */
import type { D1Database, DurableObjectNamespace, Fetcher, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod';
import { type AccessKeyCheck, accessKeyCheckOf } from './access-keys.ts';
import { type engineSettings, type RegionsVar, regionBinding, regionsVar } from './regions.ts';

/** The Worker's environment. {@link regionBinding} names the members of each region. */
export interface Bindings {
  ASSETS: Fetcher;
  IDENTITY: D1Database;
  ACCOUNT_PUBLISHER: DurableObjectNamespace;
  CREDENTIAL_GUARD: DurableObjectNamespace;
  RESOLVER_LIMIT: RateLimit;
  VISITOR_LIMIT: RateLimit;
  SIGN_IN_LIMIT: RateLimit;
  ACCOUNT_LIMIT: RateLimit;
  TOKEN_LIMIT: RateLimit;
  REGIONS: unknown;
  [name: string]: unknown;
}

const jsonText = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('must be JSON');
    return z.NEVER;
  }
});

/** The secret `ENGINE_KEY_<REGION>`: the operator's key for the region's engine. */
export const engineKey = jsonText.pipe(
  z.object({ access_key_id: z.string().min(1), secret_access_key: z.string().min(1) }),
);

/**
 * The Worker's secrets. In addition, each region has `SYSTEM_SEED_<REGION>` (the account seed `SA…` of the region's
 * NATS system account) and, if it has an engine, `ENGINE_KEY_<REGION>` (JSON:
 * `{"access_key_id","secret_access_key"}`). If email is sent over http, `MAIL_TOKEN` is the provider's token.
 */
export const secrets = z.object({
  /**
   * Encrypts recoverable secrets. JSON: `[{"id","key"}]` with 32-byte keys in base64. The first encrypts, all decrypt.
   */
  SEALING_KEYS: jsonText.pipe(
    z.array(z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), key: z.base64().length(44) })).min(1),
  ),
  /** Signs account JWTs: the seed `SO…` of an operator signing key. The operator's identity seed stays offline. */
  OPERATOR_SIGNING_SEED: z.string().regex(/^SO[A-Z2-7]{56}$/),
  /** Signs session cookies and marks access keys: at least 32 characters. */
  SIGN_IN_SECRET: z.string().min(32),
});

/**
 * nats-server stores counts in 32 bits and times in nanoseconds in 64 bits. Larger values overflow and lock everyone
 * out.
 */
const MAX_COUNT = 2 ** 31 - 1;
const MAX_SECONDS = 10 * 365 * 86_400;
const MAX_BYTES = 1e15;

/** A number from `min` to `max`, or `none` for no limit or no expiry. */
function orNone(none: 0 | -1, min: number, max: number, unit = '') {
  const error = `must be ${none} for no limit, or ${min} to ${max}${unit}`;
  return z.union([z.literal(none), z.number().int(error).min(min, error).max(max, error)], { error });
}

// 0 is refused: nats-server accepts nobody for 0 connections, but does not limit 0 streams or consumers.
const count = orNone(-1, 1, MAX_COUNT);
const bytes = orNone(-1, 0, MAX_BYTES, ' bytes');
const seconds = (min: number) => orNone(0, min, MAX_SECONDS, ' seconds');

const limitsOf = (own: { connections: number; disk: number; streams: number; consumers: number }) =>
  z
    .strictObject({
      connections: count.default(own.connections),
      payload: count.default(-1),
      memory: bytes.default(0),
      disk: bytes.default(own.disk),
      streams: count.default(own.streams),
      consumers: count.default(own.consumers),
    })
    .refine(({ memory, disk }) => memory !== 0 || disk !== 0, {
      error: 'memory and disk cannot both be 0: the servers would disable the streams of every account',
    })
    .prefault({});

/** The `NATS` var: settings of enforcement with their defaults. The Operate page describes the effect of each. */
export const natsSettings = z.strictObject({
  /** How long a DELETE waits for acknowledgements from the servers, in milliseconds. */
  push_deadline_ms: z.number().int().min(100).max(10_000).default(2_000),
  /**
   * Validity of account JWTs in seconds; 0 for no expiry. With a lease, a server that is cut off stops accepting its
   * cached accounts when the lease expires. All servers do so if the Worker is down for longer than the lease. At
   * least an hour, because the schedule renews leases.
   */
  account_lease_seconds: seconds(3600).default(0),
  /** Validity of new NATS credentials' JWTs in seconds; 0 for no expiry. */
  user_expiry_seconds: seconds(60).default(0),
  /** Limits of an account; -1 for no limit. A server that is not in a cluster reserves finite storage. */
  account_limits: limitsOf({ connections: -1, disk: 1024 ** 3, streams: 100, consumers: 1000 }),
  /** Limits of a guest's account. */
  guest_limits: limitsOf({ connections: 20, disk: 16 * 1024 ** 2, streams: 10, consumers: 50 }),
  /**
   * Maximum number of active and revoked credentials of an account. Each revocation takes about 93 bytes of the
   * account JWT, which servers reject above 1 MiB whatever their `max_payload`. 150,000 bytes are reserved for roles.
   */
  max_revocations: z.number().int().min(10).max(9_500).default(9_500),
});

export type NatsSettings = z.infer<typeof natsSettings>;

/**
 * The `MAIL` var: how email is sent. Without it, none is sent. `http` posts each email as JSON to a provider's
 * endpoint with the secret `MAIL_TOKEN`. `console` prints emails with their links to the Worker's output, for the
 * local stack only.
 */
export const mailSettings = z.strictObject({
  transport: z.enum(['http', 'console']),
  /** The provider's endpoint. Plain http only on this machine, because requests contain the token. */
  endpoint: z
    .string()
    .regex(/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])/, 'must be an https:// URL')
    .optional(),
  from: z.string().min(3).optional(),
});

/** The `SITE` var: addresses of the deployment and of its sources. */
export const siteSettings = z.object({
  /** The public address: `https://latchkey.example.com`. Required with `MAIL` for the links in emails. */
  url: z
    .string()
    .regex(/^https?:\/\/[^/?#]+$/, 'must be http://host or https://host, without a path')
    .optional(),
  /** Where the sources can be edited, up to and including the folder `site/`. */
  edit_url: z.url().regex(/\/$/, 'must end with a slash').optional(),
});

/** How email is sent. */
export type Mail =
  | { transport: 'console' }
  | { transport: 'http'; endpoint: string; from: string; token: string };

/** The `GUARD` var: how the gateway keeps credentials in memory. */
export const guardSettings = z.strictObject({
  /**
   * How long a guard uses credentials before it reads them again, in seconds: the longest delay of a change that could
   * not be announced. Shorter leases cost more database reads.
   */
  lease_seconds: z.number().int().min(1).max(300).default(30),
});

/** The `CREDENTIALS` var: how long credentials are kept. */
export const credentialSettings = z.strictObject({
  /** How long expired credentials stay in lists, in days. */
  keep_expired_days: z.number().int().min(1).max(3650).default(30),
});

/** The `AUDIT` var: retention of the audit trail. */
export const auditSettings = z.strictObject({
  /** Retention of audit events in days; 0 for no limit. */
  retention_days: z.number().int().min(0).max(36_500).default(365),
});

const quotasOf = (natsAccounts: number, credentials: number, natsRoles: number) =>
  z.strictObject({
    /** NATS accounts per organization in a region. */
    nats_accounts: z.number().int().min(0).default(natsAccounts),
    /** Credentials per project in a region, for all products together. */
    credentials: z.number().int().min(0).default(credentials),
    /** Roles per NATS account. At most 100, because the account JWT contains them. */
    nats_roles: z.number().int().min(0).max(100).default(natsRoles),
  });

/** The `QUOTAS` var: maximum numbers of resources. Lowering a quota keeps existing resources. */
export const quotaSettings = quotasOf(1000, 10_000, 100);

export type Quotas = z.infer<typeof quotaSettings>;

/** The `GUESTS` var: whether visitors can try the product without an account, and its limits. */
export const guestSettings = z.strictObject({
  enabled: z.boolean().default(false),
  /** Minutes after which a guest's session ends and its resources are deleted. */
  minutes: z
    .number()
    .int()
    .min(5)
    .max(24 * 60)
    .default(30),
  /** Maximum number of simultaneous guests. */
  most: z.number().int().min(1).max(10_000).default(50),
  /** Quotas of a guest, in place of `QUOTAS`. */
  quotas: quotasOf(2, 10, 10).prefault({}),
});

export type GuestSettings = z.infer<typeof guestSettings>;

/** Limits for which servers reserve storage, with the setting for a region's capacity. */
const STORAGE = [
  ['disk', 'nats_storage'],
  ['memory', 'nats_memory'],
] as const;

const vars = z
  .object({
    REGIONS: regionsVar,
    NATS: natsSettings.prefault({}),
    GUESTS: guestSettings.prefault({}),
    MAIL: mailSettings.optional(),
    SITE: siteSettings.prefault({}),
    GUARD: guardSettings.prefault({}),
    CREDENTIALS: credentialSettings.prefault({}),
    AUDIT: auditSettings.prefault({}),
    QUOTAS: quotaSettings.prefault({}),
  })
  .superRefine(({ REGIONS, NATS, MAIL, SITE }, context) => {
    if (MAIL && SITE.url === undefined) {
      const message = 'is required with MAIL, for the links in emails: "https://latchkey.example.com"';
      context.addIssue({ code: 'custom', path: ['SITE', 'url'], message });
    }
    for (const [name, region] of Object.entries(REGIONS)) {
      for (const limits of ['account_limits', 'guest_limits'] as const) {
        for (const [member, capacity] of STORAGE) {
          const [limit, max = limit] = [NATS[limits][member], region[capacity]];
          if (limit <= max) continue;
          const message = `must be at most REGIONS.${name}.${capacity}, ${max}: no account would get JetStream there`;
          context.addIssue({ code: 'custom', path: ['NATS', limits, member], message });
        }
      }
    }
  });

/**
 * Returns the Worker's validated vars with defaults. Throws an error that lists every invalid setting with the reason.
 */
export function parseVars(given: unknown): z.infer<typeof vars> {
  const result = vars.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The Worker's configuration is invalid: ${problems.join('; ')}`);
}

/** A sealing key: its id and the raw AES-256 key in base64. */
export type SealingKey = z.infer<typeof secrets>['SEALING_KEYS'][number];

/** The service that runs a region's queues and topics, with the operator's key. None of it is disclosed to clients. */
export interface Engine {
  sqsEndpoint: string;
  snsEndpoint: string;
  region: string;
  account: string;
  partition: string;
  httpsSubscriptions: boolean;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A region that this deployment serves. */
export interface Region {
  name: string;
  label: string;
  /** Where the region's objects and database are; undefined to let the platform choose. */
  location: RegionsVar[string]['location'];
  natsEndpoint: string;
  natsWebsockets: readonly string[];
  /** Total storage that accounts can reserve, in bytes; null if it is not set. */
  natsCapacity: Record<'disk' | 'memory', number | null>;
  database: D1Database;
  systemSeed: string;
  /** Null if no engine is configured. */
  engine: Engine | null;
}

export interface Config {
  assets: Fetcher;
  identity: D1Database;
  regions: ReadonlyMap<string, Region>;
  sealingKeys: readonly SealingKey[];
  operatorSigningSeed: string;
  signInSecret: string;
  nats: NatsSettings;
  guard: z.infer<typeof guardSettings>;
  credentials: z.infer<typeof credentialSettings>;
  guests: GuestSettings;
  audit: z.infer<typeof auditSettings>;
  quotas: Quotas;
  publishers: DurableObjectNamespace;
  guards: DurableObjectNamespace;
  /** Marks new access keys, so that keys that were never created are recognized without a look-up. */
  accessKeyCheck: AccessKeyCheck;
  /** Null if email is not configured. */
  mail: Mail | null;
  /** The deployment's public origin. Null if it is not configured, which is allowed only without email. */
  siteUrl: string | null;
  resolverLimit: RateLimit;
  visitorLimit: RateLimit;
  /** Limits sign-in and similar attempts per address. */
  signInLimit: RateLimit;
  /** Limits the same per account, which is the stricter limit. */
  accountLimit: RateLimit;
  /** Limits unknown tokens per address. */
  tokenLimit: RateLimit;
}

const parsed = new WeakMap<object, Config>();

/** Returns the parsed environment, cached per isolate. Throws an error that names what is missing or malformed. */
export function configOf(env: Bindings): Config {
  let config = parsed.get(env);
  if (!config) {
    config = parse(env);
    parsed.set(env, config);
  }
  return config;
}

function parse(env: Bindings): Config {
  const { REGIONS, NATS, GUARD, CREDENTIALS, GUESTS, AUDIT, QUOTAS, MAIL, SITE } = parseVars(env);
  const result = secrets.safeParse(env);
  if (!result.success) {
    // Values can be secrets, so the message contains only names.
    const names = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.code})`);
    throw new Error(`The Worker's configuration is incomplete: ${names.join(', ')}`);
  }
  const { SEALING_KEYS, OPERATOR_SIGNING_SEED, SIGN_IN_SECRET } = result.data;
  return {
    assets: env.ASSETS,
    identity: env.IDENTITY,
    regions: new Map(Object.entries(REGIONS).map(([name, settings]) => [name, region(env, name, settings)])),
    sealingKeys: SEALING_KEYS,
    operatorSigningSeed: OPERATOR_SIGNING_SEED,
    signInSecret: SIGN_IN_SECRET,
    nats: NATS,
    guard: GUARD,
    credentials: CREDENTIALS,
    guests: GUESTS,
    audit: AUDIT,
    quotas: QUOTAS,
    publishers: env.ACCOUNT_PUBLISHER,
    guards: env.CREDENTIAL_GUARD,
    accessKeyCheck: accessKeyCheckOf(SIGN_IN_SECRET),
    mail: MAIL ? mail(env, MAIL) : null,
    siteUrl: SITE.url === undefined ? null : new URL(SITE.url).origin,
    resolverLimit: env.RESOLVER_LIMIT,
    visitorLimit: env.VISITOR_LIMIT,
    signInLimit: env.SIGN_IN_LIMIT,
    accountLimit: env.ACCOUNT_LIMIT,
    tokenLimit: env.TOKEN_LIMIT,
  };
}

function mail(env: Bindings, { transport, endpoint, from }: z.infer<typeof mailSettings>): Mail {
  if (transport === 'console') return { transport };
  if (!endpoint || !from) throw new Error('MAIL.transport "http" requires MAIL.endpoint and MAIL.from');
  const token = env.MAIL_TOKEN;
  if (typeof token !== 'string' || !token)
    throw new Error('MAIL.transport "http" requires the secret MAIL_TOKEN');
  return { transport, endpoint, from, token };
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
    location: settings.location,
    natsEndpoint: settings.nats_endpoint,
    natsWebsockets: settings.nats_websockets,
    natsCapacity: { disk: settings.nats_storage ?? null, memory: settings.nats_memory ?? null },
    database: database as D1Database,
    systemSeed,
    engine: settings.engine ? engine(env, name, settings.engine) : null,
  };
}

function engine(env: Bindings, name: string, settings: z.infer<typeof engineSettings>): Engine {
  const key = engineKey.safeParse(env[regionBinding('ENGINE_KEY', name)]);
  if (!key.success)
    throw new Error(`Region ${name} has no key for its engine: set ${regionBinding('ENGINE_KEY', name)}`);
  return {
    sqsEndpoint: settings.sqs_endpoint,
    snsEndpoint: settings.sns_endpoint,
    region: settings.region,
    account: settings.account,
    partition: settings.partition,
    httpsSubscriptions: settings.https_subscriptions,
    accessKeyId: key.data.access_key_id,
    secretAccessKey: key.data.secret_access_key,
  };
}
