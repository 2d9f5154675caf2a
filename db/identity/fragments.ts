/**
 * What the queries of applications, API keys and policies share: where the caller may see and change, and the pages of
 * a list.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';

/**
 * Ids of organizations: where the caller may see what it names by an id, and where it may change it. A row that it may
 * only see comes back unchanged, for the caller to be refused.
 */
export interface Access {
  readable: readonly string[];
  writable: readonly string[];
  /** Where the caller is an Owner. */
  owned: readonly string[];
}

/** `column in …`: one parameter, however many ids there are. */
export function among(column: string, ids: readonly string[]): SQL {
  return sql`${sql.raw(column)} in (select value from json_each(${JSON.stringify(ids)}))`;
}

/** `among(…)`, or true without ids: a filter that a client leaves out. */
export function amongIfAny(column: string, ids: readonly string[] | undefined): SQL {
  return ids ? among(column, ids) : sql`true`;
}

/** The text of the column contains `part`, whatever the case of ASCII letters; true without one. */
export function contains(column: string, part: string | undefined): SQL {
  return part === undefined ? sql`true` : sql`instr(lower(${sql.raw(column)}), lower(${part})) > 0`;
}

/** One of the tags in the column contains `part`, as {@link contains} has it; true without one. */
export function tagContains(column: string, part: string | undefined): SQL {
  if (part === undefined) return sql`true`;
  return sql`exists (select 1 from json_each(${sql.raw(column)}) as tag where instr(lower(tag.value), lower(${part})) > 0)`;
}

/** A page of the rows of a table that match, and how many there are on all pages, in one round trip. */
export async function listPage<Row>(
  db: Database,
  list: { table: string; key?: 'access_key'; columns: SQL; where: SQL },
  page: Page,
): Promise<Listed<Row>> {
  const from = sql`from ${sql.raw(list.table)} where ${list.where}`;
  const [rows, totals] = await db.batch(
    sql`select ${list.columns} ${from} order by ${orderOf(list.table, page, list.key)}
      limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total ${from}`,
  );
  return { rows: rowsOf<Row>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}
