/** The sealed secrets of a region, for moving them under the newest sealing key. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Where sealed secrets are: what they are sealed for → table and column. */
const PLACES = {
  credential: { table: 'credentials', column: 'sealed_secret' },
  nats_account: { table: 'nats_accounts', column: 'sealed_signing_seed' },
} as const;

/** What a secret is sealed for. */
export type SealedKind = keyof typeof PLACES;

/** A sealed secret and its row. */
export interface SealedRow {
  id: string;
  keyId: string;
  text: string;
}

/** At most `limit` secrets that are sealed under one of these keys, by id, after `after`. */
export function findSealedUnder(
  db: Database,
  kind: SealedKind,
  keyIds: readonly string[],
  after: string,
  limit: number,
): Promise<SealedRow[]> {
  const { table, column } = PLACES[kind];
  return db.all<SealedRow>(sql`select id, sealing_key_id as ${sql.raw('"keyId"')}, ${sql.raw(column)} as text
    from ${sql.raw(table)} where ${under(keyIds)} and id > ${after} order by id limit ${limit}`);
}

const under = (keyIds: readonly string[]) =>
  sql`sealing_key_id in (select value from json_each(${JSON.stringify(keyIds)}))`;

/** How many secrets are sealed under one of these keys. */
export async function countSealedUnder(
  db: Database,
  kind: SealedKind,
  keyIds: readonly string[],
): Promise<number> {
  const { table } = PLACES[kind];
  const [row] = await db.all<{ n: number }>(
    sql`select count(*) as n from ${sql.raw(table)} where ${under(keyIds)}`,
  );
  return row?.n ?? 0;
}

/** A secret that is to be sealed under another key: `text` is what the row has, `sealed` what it shall have. */
export interface Resealed {
  id: string;
  text: string;
  sealed: { keyId: string; text: string };
}

/** Replaces sealed secrets, in one statement; those that have changed since they were read stay as they are. */
export async function replaceSealed(
  db: Database,
  kind: SealedKind,
  resealed: readonly Resealed[],
): Promise<void> {
  const { table, column } = PLACES[kind];
  const rows = resealed.map(({ id, text, sealed }) => ({
    id,
    old: text,
    text: sealed.text,
    key: sealed.keyId,
  }));
  await db.all(sql`update ${sql.raw(table)} set ${sql.raw(column)} = fresh.text, sealing_key_id = fresh.key
    from (select value ->> 'id' as id, value ->> 'old' as old, value ->> 'text' as text, value ->> 'key' as key
      from json_each(${JSON.stringify(rows)})) fresh
    where ${sql.raw(table)}.id = fresh.id and ${sql.raw(table)}.${sql.raw(column)} = fresh.old`);
}
