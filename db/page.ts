/** Pages of a list, the same in every database. */
import { type SQL, sql } from 'drizzle-orm';

/** One page of a list. */
export interface Page {
  /** Rows before the page. */
  offset: number;
  /** Rows on the page. */
  limit: number;
  by: 'created_at' | 'updated_at' | 'name' | 'expires_at' | 'access_key';
  direction: 'asc' | 'desc';
}

/** A list's answer. */
export interface Listed<Row> {
  total: number;
  rows: Row[];
}

/** The order of a page: the chosen column, ties broken by the table's key in the same direction. */
export function orderOf(table: string, page: Page, key: 'id' | 'access_key' = 'id'): SQL {
  return sql.raw(`${table}.${page.by} ${page.direction}, ${table}.${key} ${page.direction}`);
}
