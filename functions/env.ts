/**
 * The Worker's bindings, vars and secrets, parsed once. Everything that the Worker is configured with passes here;
 * a missing or malformed value stops the first request with an error that names it.
 */
import type { D1Database, DurableObjectNamespace, Fetcher, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod';
import { type engineSettings, type RegionsVar, regionBinding, regionsVar } from './regions.ts';

/** What wrangler hands to the Worker; the members of each region are named by {@link regionBinding}. */
export interface Bindings {
  ASSETS: Fetcher;
  IDENTITY: D1Database;
  ACCOUNT_PUBLISHER: DurableObjectNamespace;
  RESOLVER_LIMIT: RateLimit;
  VISITOR_LIMIT: RateLimit;
  SIGN_IN_LIMIT: RateLimit;
  ACCOUNT_LIMIT: RateLimit;
  TOKEN_LIMIT: RateLimit;
  REGIONS: unknown;
  [name: string]: unknown;
}

/** A text that is JSON. */
const jsonText = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('must be JSON');
    return z.NEVER;
  }
});

/** The secret `ENGINE_KEY_<REGION>`: the key that the region's engine knows the operator by. */
export const engineKey = jsonText.pipe(
  z.object({ access_key_id: z.string().min(1), secret_access_key: z.string().min(1) }),
);

/**
 * The secrets of the Worker. For each region there come beside them `SYSTEM_SEED_<REGION>` (an account seed `SA…`, the
 * identity of the region's NATS system account) and, where it has an engine, `ENGINE_KEY_<REGION>` (JSON:
 * `{"access_key_id","secret_access_key"}`);
 * and where mail is sent by http, `MAIL_TOKEN`, what the provider knows the sender by.
 */
export const secrets = z.object({
  /** Seals recoverable secrets, JSON: `[{"id","key"}]`, key 32 bytes in base64. The first seals, all open. */
  SEALING_KEYS: jsonText.pipe(
    z.array(z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), key: z.base64().length(44) })).min(1),
  ),
  /** Signs account JWTs: the seed `SO…` of a signing key of the operator. The identity seed stays offline. */
  OPERATOR_SIGNING_SEED: z.string().regex(/^SO[A-Z2-7]{56}$/),
  /** Signs session cookies: at least 32 characters. */
  SIGN_IN_SECRET: z.string().min(32),
});

/** The servers keep counts in 32 bits, and a time in nanoseconds in 64: what is larger wraps around, and shuts everyone out. */
const MOST = 2 ** 31 - 1;
const TEN_YEARS = 10 * 365 * 86_400;
const MOST_BYTES = 1e15;

/** A number within bounds, or `none`, which means no limit or no end. */
function orNone(none: 0 | -1, least: number, most: number, unit = '') {
  const error = `must be ${none} for none, or ${least} to ${most}${unit}`;
  return z.union([z.literal(none), z.number().int(error).min(least, error).max(most, error)], { error });
}

// 0 is refused: the servers let nobody in for 0 connections, and take 0 streams or consumers for any number.
const count = orNone(-1, 1, MOST);
const bytes = orNone(-1, 0, MOST_BYTES, ' bytes');
const seconds = (least: number) => orNone(0, least, TEN_YEARS, ' seconds');

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
      error: 'memory and disk cannot both be 0: the servers would stop the streams of every account',
    })
    .prefault({});

/** The `NATS` var: settings of enforcement, each with its default. The Operate page says what follows from each. */
export const natsSettings = z.strictObject({
  /** How long a DELETE waits for the servers' acknowledgements, in milliseconds. */
  push_deadline_ms: z.number().int().min(100).max(10_000).default(2_000),
  /**
   * How long an account JWT is good for, in seconds; 0 for ever. With a lease, a server that can reach nobody stops
   * honouring what it holds; so do all when the Worker is down for longer. At least an hour, since the schedule renews.
   */
  account_lease_seconds: seconds(3600).default(0),
  /** How long the JWT of new NATS credentials is good for, in seconds; 0 for ever. */
  user_expiry_seconds: seconds(60).default(0),
  /** What one account may use; -1 is no limit. A server that is not in a cluster reserves finite storage. */
  account_limits: limitsOf({ connections: -1, disk: 1024 ** 3, streams: 100, consumers: 1000 }),
  /** The same for an account of a guest. */
  guest_limits: limitsOf({ connections: 20, disk: 16 * 1024 ** 2, streams: 10, consumers: 50 }),
  /**
   * How many credentials, live and revoked, an account may have. Each revocation takes some 93 bytes of an account JWT,
   * which
   * servers refuse above 1 MiB, whatever their `max_payload`; 150,000 bytes of it are left for roles.
   */
  max_revocations: z.number().int().min(10).max(9_500).default(9_500),
});

/** See {@link natsSettings}. */
export type NatsSettings = z.infer<typeof natsSettings>;

/**
 * The `MAIL` var: how mail is sent; without it none is. `http` posts each mail as JSON to a provider's endpoint, with
 * the secret `MAIL_TOKEN`. `console` prints it, links and all, to the Worker's output: for the local stack alone.
 */
export const mailSettings = z.strictObject({
  transport: z.enum(['http', 'console']),
  /** Where mail is posted to. In the clear only on this machine, since the token goes along. */
  endpoint: z
    .string()
    .regex(/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])/, 'must be https://…')
    .optional(),
  /** The sender's address. */
  from: z.string().min(3).optional(),
});

/** The `SITE` var: the deployment's own address and that of its sources. */
export const siteSettings = z.object({
  /** The public address: `https://latchkey.example.com`. Needed where mail is sent, since its links lead there. */
  url: z
    .string()
    .regex(/^https?:\/\/[^/?#]+$/, 'must be http://host or https://host, without a path')
    .optional(),
  /** Where the project's sources can be edited, up to and with its folder `site/`. */
  edit_url: z.url().regex(/\/$/, 'must end with a slash').optional(),
});

/** How mail is sent. */
export type Mail =
  | { transport: 'console' }
  | { transport: 'http'; endpoint: string; from: string; token: string };

/** The `AUDIT` var: what is kept of the audit trail. */
export const auditSettings = z.strictObject({
  /** How long a row of the audit trail is kept, in days; 0 for ever. */
  retention_days: z.number().int().min(0).max(36_500).default(365),
});

const quotasOf = (natsAccounts: number, credentials: number) =>
  z.strictObject({
    /** NATS accounts of an organization in a region. */
    nats_accounts: z.number().int().min(0).default(natsAccounts),
    /** Credentials of a project in a region, of all products together. */
    credentials: z.number().int().min(0).default(credentials),
  });

/** The `QUOTAS` var: how much there may be. What is there already stays when a quota is lowered. */
export const quotaSettings = quotasOf(1000, 10_000);

/** See {@link quotaSettings}. */
export type Quotas = z.infer<typeof quotaSettings>;

/** The `GUESTS` var: whether readers may try the product without an account, and how much. */
export const guestSettings = z.strictObject({
  enabled: z.boolean().default(false),
  /** After so many minutes a guest's session ends, and what it made is deleted. */
  minutes: z
    .number()
    .int()
    .min(5)
    .max(24 * 60)
    .default(30),
  /** How many guests there may be at a time. */
  most: z.number().int().min(1).max(10_000).default(50),
  /** What one guest may have, in place of the `QUOTAS`. */
  quotas: quotasOf(2, 10).prefault({}),
});

/** See {@link guestSettings}. */
export type GuestSettings = z.infer<typeof guestSettings>;

/** The limits that servers reserve, and the setting of a region that says how much there is. */
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
    AUDIT: auditSettings.prefault({}),
    QUOTAS: quotaSettings.prefault({}),
  })
  .superRefine(({ REGIONS, NATS, MAIL, SITE }, context) => {
    if (MAIL && SITE.url === undefined) {
      const message = 'is required with MAIL, whose links lead there: "https://latchkey.example.com"';
      context.addIssue({ code: 'custom', path: ['SITE', 'url'], message });
    }
    for (const [name, region] of Object.entries(REGIONS)) {
      for (const limits of ['account_limits', 'guest_limits'] as const) {
        for (const [member, capacity] of STORAGE) {
          const [limit, most = limit] = [NATS[limits][member], region[capacity]];
          if (limit <= most) continue;
          const message = `must be at most REGIONS.${name}.${capacity}, ${most}: no account would get JetStream there`;
          context.addIssue({ code: 'custom', path: ['NATS', limits, member], message });
        }
      }
    }
  });

/** The vars of the Worker, checked and with their defaults. Throws an error that names each setting that is wrong, and why. */
export function parseVars(given: unknown): z.infer<typeof vars> {
  const result = vars.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The Worker's configuration is wrong: ${problems.join('; ')}`);
}

/** The id and raw AES-256 key (base64) of one sealing key. */
export type SealingKey = z.infer<typeof secrets>['SEALING_KEYS'][number];

/** Where a region's queues and topics are, and the key to it. Nothing of it may reach a client. */
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
  natsEndpoint: string;
  natsWebsockets: readonly string[];
  /** What the accounts may be promised together, in bytes; null where nothing is said. */
  natsCapacity: Record<'disk' | 'memory', number | null>;
  database: D1Database;
  systemSeed: string;
  /** Null where no engine is configured. */
  engine: Engine | null;
}

/** The parsed environment. */
export interface Config {
  assets: Fetcher;
  identity: D1Database;
  regions: ReadonlyMap<string, Region>;
  sealingKeys: readonly SealingKey[];
  operatorSigningSeed: string;
  signInSecret: string;
  nats: NatsSettings;
  guests: GuestSettings;
  audit: z.infer<typeof auditSettings>;
  quotas: Quotas;
  publishers: DurableObjectNamespace;
  /** Null where none is sent. */
  mail: Mail | null;
  /** The deployment's public origin, as configured. Null where it is not, which is only allowed without mail. */
  siteUrl: string | null;
  resolverLimit: RateLimit;
  visitorLimit: RateLimit;
  /** Attempts to sign in and the like, from one address. */
  signInLimit: RateLimit;
  /** The same for one account, which is the narrower limit. */
  accountLimit: RateLimit;
  /** Unknown tokens from one address. */
  tokenLimit: RateLimit;
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
  const { REGIONS, NATS, GUESTS, AUDIT, QUOTAS, MAIL, SITE } = parseVars(env);
  const result = secrets.safeParse(env);
  if (!result.success) {
    // The values may be secrets: the message names the members only.
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
    guests: GUESTS,
    audit: AUDIT,
    quotas: QUOTAS,
    publishers: env.ACCOUNT_PUBLISHER,
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
  if (!endpoint || !from) throw new Error('Mail by http needs MAIL.endpoint and MAIL.from');
  const token = env.MAIL_TOKEN;
  if (typeof token !== 'string' || !token) throw new Error('Mail by http needs the secret MAIL_TOKEN');
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
    throw new Error(`Region ${name} has no key of its engine: set ${regionBinding('ENGINE_KEY', name)}`);
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
