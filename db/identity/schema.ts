/**
 * The tables of the identity database: organizations, their people and applications, and projects. Some columns of
 * `users`, `sessions`, `sign_in_methods` and `verifications` come from a former sign-in library; unused ones stay,
 * because dropping a column rebuilds its table. Times are integer milliseconds, columns snake_case (drizzle's
 * `casing`). Queries are in the other files of this folder.
 */
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';

/** Feedback about a page: whether it helped, and why not. Stores nothing about the reader. */
export const pageFeedback = sqliteTable('page_feedback', {
  id: integer().primaryKey({ autoIncrement: true }),
  /** Milliseconds since the epoch. */
  at: integer().notNull(),
  page: text().notNull(),
  helpful: integer({ mode: 'boolean' }).notNull(),
  remark: text().notNull(),
});

export { auditEvents } from '../audit.ts';
export { idempotencyKeys } from '../idempotency.ts';

/** An organization owns projects, and each project owns its resources. */
export const organizations = sqliteTable(
  'organizations',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** When a guest's organization expires and everything in it is deleted; null for others. */
    expiresAt: integer(),
    /** The longest time in seconds until new credentials must expire; 0 for no limit. */
    maxCredentialsDuration: integer().notNull().default(0),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('organizations_by_expiry').on(table.expiresAt).where(sql`expires_at is not null`)],
);

/** People. `emailVerified`: they chose their password through their email address, or the operator gave it to them. */
export const users = sqliteTable(
  'users',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    email: text().notNull(),
    emailVerified: integer({ mode: 'boolean' }).notNull(),
    image: text(),
    createdAt: integer({ mode: 'timestamp_ms' }).notNull(),
    updatedAt: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [uniqueIndex('users_by_email').on(table.email)],
);

/**
 * Browser sessions. The cookie is the token and its HMAC under the Worker's sign-in secret, so a stolen table gives no
 * access.
 */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text().primaryKey(),
    token: text().notNull(),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    expiresAt: integer({ mode: 'timestamp_ms' }).notNull(),
    ipAddress: text(),
    userAgent: text(),
    createdAt: integer({ mode: 'timestamp_ms' }).notNull(),
    updatedAt: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [
    uniqueIndex('sessions_by_token').on(table.token),
    index('sessions_by_user').on(table.userId),
    index('sessions_by_expiry').on(table.expiresAt),
  ],
);

/** How a person signs in; currently only with a password (scrypt). */
export const signInMethods = sqliteTable(
  'sign_in_methods',
  {
    id: text().primaryKey(),
    accountId: text().notNull(),
    providerId: text().notNull(),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    accessToken: text(),
    refreshToken: text(),
    idToken: text(),
    accessTokenExpiresAt: integer({ mode: 'timestamp_ms' }),
    refreshTokenExpiresAt: integer({ mode: 'timestamp_ms' }),
    scope: text(),
    password: text(),
    createdAt: integer({ mode: 'timestamp_ms' }).notNull(),
    updatedAt: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [
    uniqueIndex('sign_in_methods_by_account').on(table.providerId, table.accountId),
    index('sign_in_methods_by_user').on(table.userId),
  ],
);

/**
 * Single-use links, identified by the SHA-256 of their token: `identifier` is the hash for a password reset, and
 * `sign-in ` plus the hash for a sign-in. `value` is the person's id.
 */
export const verifications = sqliteTable(
  'verifications',
  {
    id: text().primaryKey(),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: integer({ mode: 'timestamp_ms' }).notNull(),
    createdAt: integer({ mode: 'timestamp_ms' }).notNull(),
    updatedAt: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [
    index('verifications_by_identifier').on(table.identifier),
    index('verifications_by_expiry').on(table.expiresAt),
  ],
);

/**
 * The people of organizations and their roles. An invited person has a row without `joinedAt`, which grants nothing but
 * allows preparing policies.
 */
export const memberships = sqliteTable(
  'memberships',
  {
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    role: text({ enum: ['owner', 'member'] }).notNull(),
    createdAt: integer().notNull(),
    joinedAt: integer(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.organizationId] }),
    index('memberships_by_organization').on(table.organizationId, table.createdAt, table.userId),
  ],
);

/** Pending invitations into an organization. The link contains the token; the table stores its SHA-256 (hex). */
export const invitations = sqliteTable(
  'invitations',
  {
    userId: text().notNull(),
    organizationId: text().notNull(),
    tokenHash: text().notNull(),
    /** Whether the link was only emailed and never shown to the person who invited. */
    byMailOnly: integer({ mode: 'boolean' }).notNull().default(false),
    expiresAt: integer().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.organizationId] }),
    foreignKey({
      columns: [table.userId, table.organizationId],
      foreignColumns: [memberships.userId, memberships.organizationId],
    }).onDelete('cascade'),
    uniqueIndex('invitations_by_token').on(table.tokenHash),
    index('invitations_by_expiry').on(table.expiresAt),
  ],
);

/**
 * Projects own credentials. A `deleting` project accepts nothing new until every region reports that it is empty; a
 * `deleted` one stays for a while, so that resources created during the deletion are found and removed.
 */
export const projects = sqliteTable(
  'projects',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    status: text({ enum: ['active', 'deleting', 'deleted'] }).notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    index('projects_by_organization').on(table.organizationId, table.createdAt, table.id),
    index('projects_unsettled').on(table.updatedAt).where(sql`status <> 'active'`),
  ],
);

/** Applications: programs that act under their own name in an organization. */
export const applications = sqliteTable(
  'applications',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    /** The client's labels, a JSON array of strings. */
    tags: text().notNull().default('[]'),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('applications_by_organization').on(table.organizationId, table.createdAt, table.id)],
);

/** Policies grant rules to a user or an application; to nobody if both are null. */
export const policies = sqliteTable(
  'policies',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    /** The client's labels, a JSON array of strings. */
    tags: text().notNull().default('[]'),
    userId: text().references(() => users.id, { onDelete: 'set null' }),
    applicationId: text().references(() => applications.id, { onDelete: 'set null' }),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    check('policies_principal', sql`user_id is null or application_id is null`),
    index('policies_by_organization').on(table.organizationId, table.createdAt, table.id),
    index('policies_by_user').on(table.userId, table.organizationId).where(sql`user_id is not null`),
    index('policies_by_application').on(table.applicationId).where(sql`application_id is not null`),
  ],
);

/** The rules of a policy: permission sets in some projects or in the whole organization. */
export const rules = sqliteTable(
  'rules',
  {
    id: text().primaryKey(),
    policyId: text()
      .notNull()
      .references(() => policies.id, { onDelete: 'cascade' }),
    /** The rule's index in its policy, from 0. */
    position: integer().notNull(),
    /** Names, a JSON array of strings. */
    permissionSets: text().notNull(),
    /** A JSON array of ids; null for the whole organization. */
    projectIds: text(),
  },
  (table) => [index('rules_by_policy').on(table.policyId, table.position)],
);

/**
 * API keys of users and applications. `secretHash` is the SHA-256 (hex) of the secret key: 122 random bits need no slow
 * hash.
 */
export const apiKeys = sqliteTable(
  'api_keys',
  {
    accessKey: text().primaryKey(),
    secretHash: text().notNull(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    userId: text().references(() => users.id, { onDelete: 'cascade' }),
    applicationId: text().references(() => applications.id, { onDelete: 'cascade' }),
    description: text().notNull(),
    defaultProjectId: text()
      .notNull()
      .references(() => projects.id),
    expiresAt: integer(),
    creationAddress: text(),
    /** Precision: five minutes. */
    lastUsedAt: integer(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    check('api_keys_bearer', sql`(user_id is null) <> (application_id is null)`),
    uniqueIndex('api_keys_by_secret').on(table.secretHash),
    index('api_keys_by_organization').on(table.organizationId, table.createdAt, table.accessKey),
    index('api_keys_by_user').on(table.userId).where(sql`user_id is not null`),
    index('api_keys_by_application').on(table.applicationId).where(sql`application_id is not null`),
    index('api_keys_by_default_project').on(table.defaultProjectId),
  ],
);
