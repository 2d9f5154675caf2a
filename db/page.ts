/** Pages of lists, the same in every database. */
import { type SQL, sql } from 'drizzle-orm';

export interface Page {
  offset: number;
  limit: number;
  by: 'created_at' | 'updated_at' | 'name' | 'expires_at' | 'last_used_at' | 'access_key';
  direction: 'asc' | 'desc';
}

/** One page of rows, and the total count. */
export interface Listed<Row> {
  total: number;
  rows: Row[];
}

/** Orders a page by the chosen column, then by the table's key in the same direction. */
export function orderOf(table: string, page: Page, key: 'id' | 'access_key' = 'id'): SQL {
  return sql.raw(`${table}.${page.by} ${page.direction}, ${table}.${key} ${page.direction}`);
}
