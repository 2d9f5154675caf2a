/**
 * The tables of the identity database: organizations, the people and programs that act in them, and their projects.
 * `users`, `sessions`, `sign_in_methods` and `verifications` are the sign-in library's, field by field. Times are
 * integer milliseconds, columns snake_case (drizzle's `casing`). Queries live in store.ts.
 */
import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export { auditEvents } from '../audit.ts';

/** Who pays and decides: everything belongs to a project, every project to an organization. */
export const organizations = sqliteTable('organizations', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: integer().notNull(),
  updatedAt: integer().notNull(),
});

/** People. The sign-in library's `user`. */
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
 * Signed-in browsers. The sign-in library's `session`. The cookie is the token and an HMAC of it under the Worker's
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
  (table) => [uniqueIndex('sessions_by_token').on(table.token), index('sessions_by_user').on(table.userId)],
);

/** How a person signs in: today a password (scrypt). The sign-in library's `account`. */
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

/** One-time tokens of the sign-in library, its `verification`. */
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
  (table) => [index('verifications_by_identifier').on(table.identifier)],
);

/** Which people belong to which organization, and as what. */
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
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.organizationId] }),
    index('memberships_by_organization').on(table.organizationId),
  ],
);

/** Projects hold credentials. A project that is being deleted accepts nothing new. */
export const projects = sqliteTable(
  'projects',
  {
    id: text().primaryKey(),
    organizationId: text()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    description: text().notNull(),
    status: text({ enum: ['active', 'deleting'] }).notNull(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('projects_by_organization').on(table.organizationId, table.createdAt, table.id)],
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
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('applications_by_organization').on(table.organizationId)],
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
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    check('api_keys_bearer', sql`(user_id is null) <> (application_id is null)`),
    uniqueIndex('api_keys_by_secret').on(table.secretHash),
    index('api_keys_by_organization').on(table.organizationId),
  ],
);
