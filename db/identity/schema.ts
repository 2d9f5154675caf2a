/**
 * The tables of the identity database: organizations, the people and programs that act in them, and their projects.
 * `users`, `sessions`, `sign_in_methods` and `verifications` have columns of the library that once served sign-in; those that
 * nothing reads stay, since dropping a column rebuilds its table. Times are integer milliseconds, columns snake_case (drizzle's `casing`). Queries live in store.ts.
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

/** What readers said of a page of the site: whether it helped, and why not. Of whom, nothing is kept. */
export const pageFeedback = sqliteTable('page_feedback', {
  id: integer().primaryKey({ autoIncrement: true }),
  /** Milliseconds since the epoch. */
  at: integer().notNull(),
  /** The path of the page. */
  page: text().notNull(),
  helpful: integer({ mode: 'boolean' }).notNull(),
  remark: text().notNull(),
});

export { auditEvents } from '../audit.ts';
export { idempotencyKeys } from '../idempotency.ts';

/** Who pays and decides: everything belongs to a project, every project to an organization. */
export const organizations = sqliteTable(
  'organizations',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** When a guest's organization ends and is removed with all that it holds; null for every other. */
    expiresAt: integer(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('organizations_by_expiry').on(table.expiresAt).where(sql`expires_at is not null`)],
);

/**
 * People. `emailVerified` says that their password was chosen by who reads the mail of the
 * address, or was given to them by the operator.
 */
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
 * Signed-in browsers. The cookie is the token and an HMAC of it under the Worker's
 * sign-in secret, so that a stolen table opens nothing.
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

/** How a person signs in: today a password (scrypt). */
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
 * Links that work once, by the SHA-256 of their token: `identifier` is the hash of one that resets a password, and `sign-in `
 * with the hash of one that signs in. `value` is the id of the person.
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
 * Which people belong to which organization, and as what. Who is invited has a row without `joinedAt`, which grants
 * nothing, so that policies can be prepared.
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

/** Open invitations into an organization. The link has the token; here is its SHA-256 (hex). */
export const invitations = sqliteTable(
  'invitations',
  {
    userId: text().notNull(),
    organizationId: text().notNull(),
    tokenHash: text().notNull(),
    /** Whether the link went to the address and to nobody else. */
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
 * Projects hold credentials. One that is `deleting` accepts nothing new until every region has said that it holds
 * nothing; a `deleted` one stays for a while, so that what a creation at that very moment left behind is found.
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

/** Programs that act in an organization under their own name. */
export const applications = sqliteTable(
  'applications',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    /** Labels of the client's, a JSON array of strings. */
    tags: text().notNull().default('[]'),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('applications_by_organization').on(table.organizationId, table.createdAt, table.id)],
);

/** What grants rules to a person or an application; to nobody while both are null. */
export const policies = sqliteTable(
  'policies',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    /** Labels of the client's, a JSON array of strings. */
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

/** The rules of a policy: permission sets, in some projects of the organization or in the whole of it. */
export const rules = sqliteTable(
  'rules',
  {
    id: text().primaryKey(),
    policyId: text()
      .notNull()
      .references(() => policies.id, { onDelete: 'cascade' }),
    /** The place in the policy's list, from 0. */
    position: integer().notNull(),
    /** Names, a JSON array of strings. */
    permissionSets: text().notNull(),
    /** A JSON array of ids; null for the whole organization. */
    projectIds: text(),
  },
  (table) => [index('rules_by_policy').on(table.policyId, table.position)],
);

/**
 * Keys of the API, each a user's or an application's. `secretHash` is the SHA-256 (hex) of the secret key: 122 random
 * bits need no slow hash.
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
    /** Exact to five minutes. */
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
