/**
 * The table of idempotency keys, the same in every database, and the statements that make a creation happen once per
 * key. Callers decide how to respond to a replay; functions/shared/idempotency.ts derives the secret again.
 */
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { columnsOf } from './database.ts';

/** How long a key is kept: one day, in milliseconds. After that the secret can no longer be derived. */
export const IDEMPOTENCY_RETENTION_MS = 24 * 3600 * 1000;

/** What was created with each idempotency key. Rows older than {@link IDEMPOTENCY_RETENTION_MS} count as deleted. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    /** SHA-256 (hex) of the caller, the endpoint and the client's key. */
    key: text().primaryKey(),
    /** SHA-256 (hex) of the request body: the same key with another body is rejected. */
    fingerprint: text().notNull(),
    /** Base64. A server key and this salt derive the secret. */
    salt: text().notNull(),
    /** The sealing key that the salt belongs to. */
    sealingKeyId: text().notNull(),
    resourceId: text().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [index('idempotency_keys_by_created').on(table.createdAt)],
);

/** The record of a completed creation. */
export type IdempotencyRecord = typeof idempotencyKeys.$inferSelect;

/** The idempotency data of a request. */
export type IdempotentRequest = Omit<IdempotencyRecord, 'resourceId'>;

const unexpired = (idempotency: IdempotentRequest) =>
  sql`key = ${idempotency.key} and created_at > ${idempotency.createdAt - IDEMPOTENCY_RETENTION_MS}`;

/** A condition for the creating statement: nothing was created with this key. True without a key. */
export function notReplayed(idempotency: IdempotentRequest | null): SQL {
  if (!idempotency) return sql`true`;
  return sql`not exists (select 1 from idempotency_keys where ${unexpired(idempotency)})`;
}

/**
 * Returns the statement that records the creation if the condition `created` holds. Place it after the creation, in the
 * same batch.
 */
export function insertIdempotencyRecord(
  idempotency: IdempotentRequest,
  resourceId: string,
  created: SQL,
): SQL {
  return sql`insert into idempotency_keys (key, fingerprint, salt, sealing_key_id, resource_id, created_at)
    select ${idempotency.key}, ${idempotency.fingerprint}, ${idempotency.salt}, ${idempotency.sealingKeyId}, ${resourceId}, ${idempotency.createdAt}
    where ${created}
    on conflict (key) do update set fingerprint = excluded.fingerprint, salt = excluded.salt,
      sealing_key_id = excluded.sealing_key_id, resource_id = excluded.resource_id, created_at = excluded.created_at`;
}

/** Returns the statement that selects the {@link IdempotencyRecord} of this key, from this creation or an earlier one. */
export function selectIdempotencyRecord(idempotency: IdempotentRequest): SQL {
  return sql`select ${columnsOf(idempotencyKeys, 'idempotency_keys')} from idempotency_keys where ${unexpired(idempotency)}`;
}

/** Returns the statement that deletes expired keys. */
export function deleteExpiredIdempotencyKeys(now: number): SQL {
  return sql`delete from idempotency_keys where created_at <= ${now - IDEMPOTENCY_RETENTION_MS}`;
}
