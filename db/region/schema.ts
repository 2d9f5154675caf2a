/**
 * The tables of a region's database: activated products and their resources on the engine, NATS accounts, credentials,
 * counts and the audit trail. Times are integer milliseconds, columns snake_case (drizzle's `casing`). Queries are in
 * the other files of this folder.
 */
import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { ACCESS_KEY_PRODUCT_IDS, PRODUCT_IDS } from '../products.ts';
import { ALL_PERMISSIONS } from './permissions.ts';

/** Whether Queues or Topics and Events is activated in a project. Each activation has a new `prefix`. */
export const services = sqliteTable(
  'services',
  {
    organizationId: text().notNull(),
    projectId: text().notNull(),
    product: text({ enum: ACCESS_KEY_PRODUCT_IDS }).notNull(),
    status: text({ enum: ['enabled', 'disabled'] }).notNull(),
    prefix: text().notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.product] }),
    uniqueIndex('services_by_prefix').on(table.prefix),
  ],
);

/** The queues of an activation (by its prefix). `name` is the client's; on the engine the prefix precedes it. */
export const queues = sqliteTable(
  'queues',
  {
    prefix: text().notNull(),
    name: text().notNull(),
    /** The target queue of its redrive policy. */
    deadLetterQueue: text(),
    /** The attribute `Policy` as a client set it. It has no effect, but clients expect to read it back. */
    policy: text(),
    /** When it was last requested; increases with each create request. */
    askedAt: integer().notNull(),
    /** Whether the engine is known to have it. Lists contain only confirmed queues. */
    confirmed: integer({ mode: 'boolean' }).notNull().default(true),
  },
  (table) => [
    primaryKey({ columns: [table.prefix, table.name] }),
    index('queues_by_dead_letter_queue')
      .on(table.prefix, table.deadLetterQueue, table.name)
      .where(sql`dead_letter_queue is not null`),
  ],
);

/** The topics of an activation. `name` is the client's. */
export const topics = sqliteTable(
  'topics',
  {
    prefix: text().notNull(),
    name: text().notNull(),
    askedAt: integer().notNull(),
    /** As in `queues`. */
    confirmed: integer({ mode: 'boolean' }).notNull().default(true),
  },
  (table) => [primaryKey({ columns: [table.prefix, table.name] })],
);

/** The subscriptions to topics. `id` is the last part of the ARN, the same for client and engine. */
export const subscriptions = sqliteTable(
  'subscriptions',
  {
    /** The topic's prefix. */
    prefix: text().notNull(),
    topic: text().notNull(),
    id: text().notNull(),
    protocol: text().notNull(),
    /** A queue's name, or a URL. */
    endpoint: text().notNull(),
    /** The queue's prefix; null for a URL. */
    queuePrefix: text(),
    createdAt: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.prefix, table.topic, table.id] }),
    index('subscriptions_by_queue_prefix').on(table.queuePrefix).where(sql`queue_prefix is not null`),
  ],
);

/** Ended activations whose queues or topics can still be on the engine. */
export const deactivations = sqliteTable('deactivations', {
  prefix: text().primaryKey(),
  product: text({ enum: ACCESS_KEY_PRODUCT_IDS }).notNull(),
  projectId: text().notNull(),
  since: integer().notNull(),
});

/**
 * NATS accounts. `id` is the public identity key; the account JWT is derived from this row and its revocations. A
 * deleted account stays without its name, as the tombstone that the resolver serves.
 */
export const natsAccounts = sqliteTable(
  'nats_accounts',
  {
    id: text().primaryKey(),
    organizationId: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    signingKey: text().notNull(),
    sealedSigningSeed: text().notNull(),
    sealingKeyId: text().notNull(),
    /** Increases with each change that servers must apply. */
    revision: integer().notNull(),
    /** The `iat` of the account JWT, in seconds since the epoch; increases with each revision. */
    issuedAt: integer().notNull(),
    /** The newest revision that every active server has acknowledged; the first needs no acknowledgement. */
    acknowledgedRevision: integer().notNull(),
    /** How many of the servers active at the last push acknowledged it. */
    acknowledgedServers: integer().notNull(),
    /** Servers active at the last push. */
    servers: integer().notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    deletedAt: integer(),
    /** When the streams of a deleted account were deleted; null while they can still exist. */
    purgedAt: integer(),
    /** 1 if a guest created it, with lower limits; else 0. */
    guest: integer().notNull().default(0),
  },
  (table) => [
    index('nats_accounts_by_promise').on(table.guest).where(sql`purged_at is null`),
    index('nats_accounts_by_created')
      .on(table.projectId, table.createdAt, table.id)
      .where(sql`deleted_at is null`),
    index('nats_accounts_by_updated')
      .on(table.projectId, table.updatedAt, table.id)
      .where(sql`deleted_at is null`),
    index('nats_accounts_by_name').on(table.projectId, table.name, table.id).where(sql`deleted_at is null`),
    index('nats_accounts_by_sealing_key').on(table.sealingKeyId),
    index('nats_accounts_unfinished')
      .on(table.id)
      .where(sql`acknowledged_revision < revision or (deleted_at is not null and purged_at is null)`),
  ],
);

/**
 * The newest account JWT that was composed for an account. In its own table, because it can be 1 MiB long, and other
 * changes of the account's row would rewrite it.
 */
export const natsAccountJwts = sqliteTable('nats_account_jwts', {
  accountId: text().primaryKey(),
  /** Identifies everything that the JWT is derived from: the account's revision, a dash, and the other inputs. */
  version: text().notNull(),
  jwt: text().notNull(),
});

/** Revoked users of an account: JWTs issued at or before `revokedAt` (seconds) are rejected. `*` means every user. */
export const natsRevocations = sqliteTable(
  'nats_revocations',
  {
    accountId: text().notNull(),
    userKey: text().notNull(),
    revokedAt: integer().notNull(),
    /** The `iat` of the user's JWT in seconds: a `*` at or after it makes this row redundant. */
    issuedAt: integer().notNull(),
    /** When the user's JWT expires, in seconds; null for never. */
    expiresAt: integer(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.userKey] })],
);

/**
 * The roles of NATS accounts. Each has a signing key of its own in the account JWT, whose template holds the permissions
 * of all users that it signed.
 */
export const natsRoles = sqliteTable(
  'nats_roles',
  {
    id: text().primaryKey(),
    organizationId: text().notNull(),
    projectId: text().notNull(),
    natsAccountId: text().notNull(),
    name: text().notNull(),
    /** The permissions and limits as canonical JSON: equal texts mean that nothing changes on the servers. */
    definition: text().notNull(),
    /** The bytes that the role takes of the account JWT. */
    size: integer().notNull(),
    signingKey: text().notNull(),
    sealedSigningSeed: text().notNull(),
    sealingKeyId: text().notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    index('nats_roles_by_account').on(table.natsAccountId),
    index('nats_roles_by_created').on(table.projectId, table.createdAt, table.id),
    index('nats_roles_by_updated').on(table.projectId, table.updatedAt, table.id),
    index('nats_roles_by_name').on(table.projectId, table.name, table.id),
    index('nats_roles_by_sealing_key').on(table.sealingKeyId),
  ],
);

/** The credentials of all products. `permissions` is a bit mask (permissions.ts), null for NATS. */
export const credentials = sqliteTable(
  'credentials',
  {
    id: text().primaryKey(),
    product: text({ enum: PRODUCT_IDS }).notNull(),
    organizationId: text().notNull(),
    projectId: text().notNull(),
    natsAccountId: text(),
    /** Null for full access to the account. */
    natsRoleId: text(),
    name: text().notNull(),
    /** The access key, or the public key `U…` of a NATS user. */
    key: text().notNull(),
    /** Null for NATS: a user's seed is never stored. */
    sealedSecret: text(),
    sealingKeyId: text(),
    /**
     * SHA-1 (hex) of the secret: of the secret key, or of the `.creds` file for NATS. The API returns it as
     * `secret_checksum`, for NATS as `checksum`.
     */
    checksum: text().notNull(),
    permissions: integer(),
    /** Increases when the credentials can do less, so that a waiting receive notices even if it is undone. */
    version: integer().notNull().default(1),
    createdAt: integer().notNull(),
    /** When the key was issued, if that was after the creation: the `iat` of a NATS user's JWT. */
    keyIssuedAt: integer(),
    updatedAt: integer().notNull(),
    lastUsedAt: integer(),
    expiresAt: integer(),
    description: text().notNull().default(''),
    /** A JSON array of texts. */
    tags: text().notNull().default('[]'),
    /** Patterns of the queues and topics that they can name, as a JSON array; null for all. */
    resources: text(),
    /** CIDR blocks that requests can come from, as a JSON array; null for anywhere. */
    sourceIps: text(),
    /** Who created them; null for credentials from before this was recorded. The name is that of the time. */
    createdByType: text({ enum: ['user', 'application', 'system'] }),
    createdById: text(),
    createdByName: text(),
    /** Null unless the credentials are disabled: they are then rejected as if they were revoked. */
    disabledAt: integer(),
    disabledReason: text(),
    /** When the schedule revokes disabled credentials; null for never. */
    revokeAt: integer(),
  },
  (table) => [
    check(
      'credentials_permissions',
      sql`case when nats_account_id is null then coalesce(permissions, 0) between 1 and ${sql.raw(`${ALL_PERMISSIONS}`)} else permissions is null end`,
    ),
    uniqueIndex('credentials_by_key').on(table.key),
    index('credentials_by_checksum').on(table.checksum),
    index('credentials_by_created').on(table.projectId, table.product, table.createdAt, table.id),
    index('credentials_by_updated').on(table.projectId, table.product, table.updatedAt, table.id),
    index('credentials_by_name').on(table.projectId, table.product, table.name, table.id),
    index('credentials_of_account_by_created')
      .on(table.natsAccountId, table.createdAt, table.id)
      .where(sql`nats_account_id is not null`),
    index('credentials_of_account_by_updated')
      .on(table.natsAccountId, table.updatedAt, table.id)
      .where(sql`nats_account_id is not null`),
    index('credentials_of_account_by_name')
      .on(table.natsAccountId, table.name, table.id)
      .where(sql`nats_account_id is not null`),
    index('credentials_by_role').on(table.natsRoleId).where(sql`nats_role_id is not null`),
    index('credentials_by_sealing_key').on(table.sealingKeyId).where(sql`sealing_key_id is not null`),
    index('credentials_by_expiry').on(table.expiresAt).where(sql`expires_at is not null`),
    index('credentials_by_revocation').on(table.revokeAt).where(sql`revoke_at is not null`),
  ],
);

/**
 * The public key `U…` of every NATS user that ever existed, also of revoked ones. A key works once: a new JWT for a
 * revoked key would let in everyone with the old private key.
 */
export const natsUserKeys = sqliteTable('nats_user_keys', {
  key: text().primaryKey(),
});

/** The usage of NATS credentials, by the public key `U…` of the user. Format: functions/nats/usage.ts. */
export const natsUsage = sqliteTable('nats_usage', {
  key: text().primaryKey(),
  sampledAt: integer().notNull(),
  usage: text().notNull(),
});

/**
 * Rotations in progress: the previous key of credentials, which works beside their own until the rotation ends. It ends
 * some time after the first use of the new key.
 */
export const rotations = sqliteTable(
  'rotations',
  {
    credentialId: text().primaryKey(),
    previousKey: text().notNull(),
    sealedSecret: text(),
    sealingKeyId: text(),
    checksum: text().notNull(),
    /** When the previous key was issued; the `iat` of a NATS user's JWT. */
    issuedAt: integer().notNull(),
    startedAt: integer().notNull(),
    overlapSeconds: integer().notNull(),
    firstUsedAt: integer(),
    previousLastUsedAt: integer(),
    /** When the previous key ends; null until the new one is used. */
    endsAt: integer(),
  },
  (table) => [
    uniqueIndex('rotations_by_key').on(table.previousKey),
    index('rotations_by_checksum').on(table.checksum),
    index('rotations_by_end').on(table.endsAt).where(sql`ends_at is not null`),
    index('rotations_by_sealing_key').on(table.sealingKeyId).where(sql`sealing_key_id is not null`),
  ],
);

/**
 * How many of `resource` (`nats_accounts`, `nats_roles`, `nats_revocations`, or a product's id for its credentials) a
 * scope holds. The scope is the id of a project or of a NATS account, or `organization:<id>`, because a project can have
 * the id of its organization. Creations and deletions update the counts, so no total needs a scan.
 */
export const counts = sqliteTable(
  'counts',
  {
    scope: text().notNull(),
    resource: text().notNull(),
    value: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.resource] })],
);

export { auditEvents } from '../audit.ts';
export { idempotencyKeys } from '../idempotency.ts';

/** The progress of a scheduled job that handles one batch per run: `after` is where the next run continues. */
export const cursors = sqliteTable('cursors', {
  job: text().primaryKey(),
  after: text().notNull(),
});
