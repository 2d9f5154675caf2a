/** SQL fragments shared by the queries of a region's database: the caller's projects and the pages of a list. */
import { type SQL, sql } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';

/** `(project_id in …)` with one parameter, however many projects there are. */
export function inProjects(projectIds: readonly string[]): SQL {
  return sql`project_id in (select value from json_each(${JSON.stringify(projectIds)}))`;
}

/** Organization → the latest expiry that its credentials can have, in milliseconds since the epoch. Others have no limit. */
export type LatestExpiries = Readonly<Record<string, number>>;

/** Whether the row's organization allows this expiry of credentials; null is never. */
export function isAllowedExpiry(expiresAt: SQL, latest: LatestExpiries): SQL {
  return sql`not exists (select 1 from json_each(${JSON.stringify(latest)}) as latest
    where latest.key = organization_id and coalesce(${expiresAt} > latest.value, true))`;
}

/** The source of a list. */
export interface List {
  table: SQLiteTable;
  name: string;
  /** Further columns of a row; the argument is the table's alias. */
  more?: (alias: string) => SQL;
  /** A source with a `value` column: the ids of the scopes (projects or NATS accounts). */
  scopes: SQL;
  /** The column with a row's scope. */
  column: string;
  /** A further condition on a row, called `nth`. */
  where: SQL;
  /** The name of these rows in `counts`. */
  resource: string;
}

/** Returns the scopes for a list of these projects. */
export function projectScopes(projectIds: readonly string[]): SQL {
  return sql`json_each(${JSON.stringify(projectIds)})`;
}

/**
 * Returns a page of a list and its total count. Reads each scope in index order and only as far as the page needs, and
 * sums the total from `counts`, so the cost of a page does not grow with the table.
 */
export async function listPage<Row>(db: Database, list: List, page: Page): Promise<Listed<Row>> {
  const name = sql.raw(list.name);
  const [rows, totals] = await db.batch(
    sql`select ${columnsFor(list, list.name)} from ${list.scopes} as scope cross join ${name}
      where ${name}.rowid in (
        select nth.rowid from ${name} as nth where nth.${sql.raw(list.column)} = scope.value and ${list.where}
        order by ${orderOf('nth', page)} limit ${page.offset + page.limit})
      order by ${orderOf(list.name, page)} limit ${page.limit} offset ${page.offset}`,
    sql`select coalesce(sum(value), 0) as total from counts
      where resource = ${list.resource} and scope in (select value from ${list.scopes})`,
  );
  return { rows: rowsOf<Row>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

/** Like {@link listPage} for a list with a filter or an order that no index covers: reads every row of the scopes. */
export async function listFiltered<Row>(db: Database, list: List, page: Page): Promise<Listed<Row>> {
  const name = sql.raw(list.name);
  const from = sql`from ${list.scopes} as scope join ${name} as nth on nth.${sql.raw(list.column)} = scope.value
    where ${list.where}`;
  // Null is the latest expiry: never.
  const never = page.by === 'expires_at' ? sql.raw(`nth.expires_at is null ${page.direction},`) : sql``;
  const [rows, totals] = await db.batch(
    sql`select ${columnsFor(list, 'nth')} ${from}
      order by ${never} ${orderOf('nth', page)} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total ${from}`,
  );
  return { rows: rowsOf<Row>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

function columnsFor({ table, more }: List, alias: string): SQL {
  return more ? sql`${columnsOf(table, alias)}, ${more(alias)}` : columnsOf(table, alias);
}
