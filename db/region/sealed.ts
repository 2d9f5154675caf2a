/** Finds and replaces the sealed secrets of a region when sealing keys are rotated. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Kind of secret → table, key and column. */
const SEALED_COLUMNS = {
  credential: { table: 'credentials', id: 'id', column: 'sealed_secret' },
  rotation: { table: 'rotations', id: 'credential_id', column: 'sealed_secret' },
  nats_account: { table: 'nats_accounts', id: 'id', column: 'sealed_signing_seed' },
  nats_role: { table: 'nats_roles', id: 'id', column: 'sealed_signing_seed' },
} as const;

export type SealedKind = keyof typeof SEALED_COLUMNS;

export interface SealedRow {
  id: string;
  keyId: string;
  text: string;
}

/** Returns at most `limit` secrets sealed under one of these keys, by id, after `after`. */
export function findSealedUnder(
  db: Database,
  kind: SealedKind,
  keyIds: readonly string[],
  after: string,
  limit: number,
): Promise<SealedRow[]> {
  const [table, id, column] = namesOf(kind);
  return db.all<SealedRow>(sql`select ${id} as id, sealing_key_id as ${sql.raw('"keyId"')}, ${column} as text
    from ${table} where ${sealedUnder(keyIds)} and ${id} > ${after} order by ${id} limit ${limit}`);
}

function namesOf(kind: SealedKind): [table: SQL, id: SQL, column: SQL] {
  const { table, id, column } = SEALED_COLUMNS[kind];
  return [sql.raw(table), sql.raw(id), sql.raw(column)];
}

const sealedUnder = (keyIds: readonly string[]) =>
  sql`sealing_key_id in (select value from json_each(${JSON.stringify(keyIds)}))`;

/** Counts the secrets sealed under one of these keys. */
export async function countSealedUnder(
  db: Database,
  kind: SealedKind,
  keyIds: readonly string[],
): Promise<number> {
  const [table] = namesOf(kind);
  const [row] = await db.all<{ n: number }>(
    sql`select count(*) as n from ${table} where ${sealedUnder(keyIds)}`,
  );
  return row?.n ?? 0;
}

/** A secret sealed again under another key: `text` is the stored value, `sealed` the new one. */
export interface Resealed {
  id: string;
  text: string;
  sealed: { keyId: string; text: string };
}

/** Replaces sealed secrets in one statement; those changed since they were read are skipped. */
export async function replaceSealed(
  db: Database,
  kind: SealedKind,
  resealed: readonly Resealed[],
): Promise<void> {
  const [table, id, column] = namesOf(kind);
  const rows = resealed.map(({ id, text, sealed }) => ({
    id,
    old: text,
    text: sealed.text,
    key: sealed.keyId,
  }));
  await db.all(sql`update ${table} set ${column} = fresh.text, sealing_key_id = fresh.key
    from (select value ->> 'id' as id, value ->> 'old' as old, value ->> 'text' as text, value ->> 'key' as key
      from json_each(${JSON.stringify(rows)})) fresh
    where ${table}.${id} = fresh.id and ${table}.${column} = fresh.old`);
}
