/**
 * What the queries of a region's database share: the scope of a caller and the pages of a list. What is done with
 * accounts, credentials and services is beside this file, each in its own.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';

/** `(project_id in …)`: the row belongs to one of these projects. One parameter, however many they are. */
export function inProjects(projectIds: readonly string[]): SQL {
  return sql`project_id in (select value from json_each(${JSON.stringify(projectIds)}))`;
}

/** What a list reads. */
export interface List {
  table: SQLiteTable;
  /** The table's name. */
  name: string;
  /** A source with a `value` column: the ids of the scopes, which are projects or NATS accounts. */
  scopes: SQL;
  /** The column of the table that names a row's scope. */
  column: string;
  /** What else holds for a row, called `nth`. */
  where: SQL;
  /** What `counts` calls these rows. */
  resource: string;
}

/** The scopes of a list: these projects. */
export function projectScopes(projectIds: readonly string[]): SQL {
  return sql`json_each(${JSON.stringify(projectIds)})`;
}

/**
 * A page of a list, and how many rows there are on all pages. Each scope is read in the order of its index and no
 * further than the page needs, and the total is summed from `counts`, so that what a page costs does not grow with the
 * table.
 */
export async function listPage<Row>(db: Database, list: List, page: Page): Promise<Listed<Row>> {
  const name = sql.raw(list.name);
  const [rows, totals] = await db.batch(
    sql`select ${columnsOf(list.table, list.name)} from ${list.scopes} as scope cross join ${name}
      where ${name}.rowid in (
        select nth.rowid from ${name} as nth where nth.${sql.raw(list.column)} = scope.value and ${list.where}
        order by ${orderOf('nth', page)} limit ${page.offset + page.limit})
      order by ${orderOf(list.name, page)} limit ${page.limit} offset ${page.offset}`,
    sql`select coalesce(sum(value), 0) as total from counts
      where resource = ${list.resource} and scope in (select value from ${list.scopes})`,
  );
  return { rows: rowsOf<Row>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}
