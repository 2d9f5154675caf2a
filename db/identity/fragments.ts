/**
 * SQL fragments shared by the queries of applications, API keys and policies: the caller's access, filters and pages.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';

/**
 * Ids of the organizations where the caller can see and change a row. A row that it can only see is returned unchanged,
 * so that the endpoint can respond with 403.
 */
export interface Access {
  readable: readonly string[];
  writable: readonly string[];
  /** Organizations where the caller is an Owner. */
  owned: readonly string[];
}

/** Returns `column in …` with one parameter, however many ids there are. */
export function inList(column: string, ids: readonly string[]): SQL {
  return sql`${sql.raw(column)} in (select value from json_each(${JSON.stringify(ids)}))`;
}

/** Like {@link inList}, but true if the client left out the filter. */
export function inListIfPresent(column: string, ids: readonly string[] | undefined): SQL {
  return ids ? inList(column, ids) : sql`true`;
}

/** The column contains `part`, ignoring the case of ASCII letters; true without `part`. */
export function contains(column: string, part: string | undefined): SQL {
  return part === undefined ? sql`true` : sql`instr(lower(${sql.raw(column)}), lower(${part})) > 0`;
}

/** One of the column's tags contains `part`, as in {@link contains}; true without `part`. */
export function tagContains(column: string, part: string | undefined): SQL {
  if (part === undefined) return sql`true`;
  return sql`exists (select 1 from json_each(${sql.raw(column)}) as tag where instr(lower(tag.value), lower(${part})) > 0)`;
}

/** Returns a page of the matching rows of a table and their total count, in one round trip. */
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
