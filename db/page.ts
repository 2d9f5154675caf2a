/** Pages of a list, the same in every database. */
import { type SQL, sql } from 'drizzle-orm';

/** One page of a list. */
export interface Page {
  /** Rows before the page. */
  offset: number;
  /** Rows on the page. */
  limit: number;
  by: 'created_at' | 'updated_at' | 'name';
  direction: 'asc' | 'desc';
}

/** A list's answer. */
export interface Listed<Row> {
  total: number;
  rows: Row[];
}

/** The order of a page: the chosen column, ties broken by id in the same direction. */
export function orderOf(table: string, page: Page): SQL {
  return sql.raw(`${table}.${page.by} ${page.direction}, ${table}.id ${page.direction}`);
}
