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

/** At most `limit` secrets that are sealed under one of these keys. */
export function findSealedUnder(
  db: Database,
  kind: SealedKind,
  keyIds: readonly string[],
  limit: number,
): Promise<SealedRow[]> {
  const { table, column } = PLACES[kind];
  return db.all<SealedRow>(sql`select id, sealing_key_id as ${sql.raw('"keyId"')}, ${sql.raw(column)} as text
    from ${sql.raw(table)} where sealing_key_id in (select value from json_each(${JSON.stringify(keyIds)}))
    limit ${limit}`);
}

/** Replaces a sealed secret by the same one sealed anew, unless it has changed meanwhile. */
export async function replaceSealed(
  db: Database,
  kind: SealedKind,
  row: SealedRow,
  anew: { keyId: string; text: string },
): Promise<void> {
  const { table, column } = PLACES[kind];
  await db.all(sql`update ${sql.raw(table)} set ${sql.raw(column)} = ${anew.text}, sealing_key_id = ${anew.keyId}
    where id = ${row.id} and ${sql.raw(column)} = ${row.text}`);
}
