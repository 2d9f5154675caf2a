/**
 * Creations that may be asked for twice: the table, the same in every database, and the statements that let a creation
 * happen once for each idempotency key. What a repeated request is answered with is its caller's; how a secret is
 * derived so that it can be told again is in functions/idempotency.ts.
 */
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { columnsOf } from './database.ts';

/** How long a key is kept, in milliseconds: a day. After that the secret can no longer be derived. */
export const KEPT_MS = 24 * 3600 * 1000;

/** What was created with an idempotency key. Rows older than {@link KEPT_MS} count as gone. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    /** SHA-256 (hex) of the caller, the endpoint and the key that the client sent. */
    key: text().primaryKey(),
    /** SHA-256 (hex) of the request's body: the same key with another body is refused. */
    fingerprint: text().notNull(),
    /** Base64; with a key of the server it derives the secret. */
    salt: text().notNull(),
    /** Which of the sealing keys it goes with. */
    sealingKeyId: text().notNull(),
    /** The id of what was created. */
    resourceId: text().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [index('idempotency_keys_by_created').on(table.createdAt)],
);

/** A creation that has happened. */
export type Done = typeof idempotencyKeys.$inferSelect;

/** A creation that is to happen once, as the request brings it. */
export type Once = Omit<Done, 'resourceId'>;

const alive = (once: Once) => sql`key = ${once.key} and created_at > ${once.createdAt - KEPT_MS}`;

/** A condition for the statement that creates: nothing was created with this key. True without one. */
export function notDone(once: Once | null): SQL {
  if (!once) return sql`true`;
  return sql`not exists (select 1 from idempotency_keys where ${alive(once)})`;
}

/** Notes what was created, if `created` (a condition) says that it was. To stand in the creation's batch, after it. */
export function noteDone(once: Once, resourceId: string, created: SQL): SQL {
  return sql`insert into idempotency_keys (key, fingerprint, salt, sealing_key_id, resource_id, created_at)
    select ${once.key}, ${once.fingerprint}, ${once.salt}, ${once.sealingKeyId}, ${resourceId}, ${once.createdAt}
    where ${created}
    on conflict (key) do update set fingerprint = excluded.fingerprint, salt = excluded.salt,
      sealing_key_id = excluded.sealing_key_id, resource_id = excluded.resource_id, created_at = excluded.created_at`;
}

/** What was created with this key, by this creation or by an earlier one: a {@link Done}, or no row. */
export function selectDone(once: Once): SQL {
  return sql`select ${columnsOf(idempotencyKeys, 'idempotency_keys')} from idempotency_keys where ${alive(once)}`;
}

/** Forgets the keys that are too old to be answered. */
export function forgetDone(now: number): SQL {
  return sql`delete from idempotency_keys where created_at <= ${now - KEPT_MS}`;
}
