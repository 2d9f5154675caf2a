/**
 * A D1 database opened for one request: runs drizzle `sql` templates alone, or as a batch in one transaction and round
 * trip. (drizzle's own batch takes no raw statement with parameters, and ours need `changes()`, `json_each` and `insert
 * … select`.)
 */
import type { D1Database, D1Result } from '@cloudflare/workers-types';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { SQLiteAsyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core';

/** A database opened for one request. */
export interface Database {
  /** Returns the rows of one statement. `Row` is the caller's claim and is not checked. */
  all<Row>(statement: SQL): Promise<Row[]>;
  /** Runs the statements in order as one transaction, in one round trip. */
  batch(...statements: SQL[]): Promise<D1Result[]>;
}

const dialect = new SQLiteAsyncDialect();

/**
 * Opens a database for one request. The first query goes to the primary, so that a lagging replica cannot delay a
 * revocation.
 */
export function openDatabase(d1: D1Database): Database {
  const session = d1.withSession('first-primary');
  const prepare = (statement: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    return session.prepare(text).bind(...params);
  };
  const run = <Result>(query: Promise<Result>) =>
    query.catch((error: unknown) => {
      throw isStatementError(error) ? error : new DatabaseUnavailable(d1, error);
    });
  return {
    all: async <Row>(statement: SQL) => (await run(prepare(statement).all<Row>())).results,
    batch: async (...statements) => run(session.batch(statements.map(prepare))),
  };
}

/**
 * A database failure independent of the statement: unreachable, corrupt, full, busy or replaced. A retry can succeed.
 * `cause` is the platform's error.
 */
export class DatabaseUnavailable extends Error {
  readonly database: D1Database;

  constructor(database: D1Database, cause: unknown) {
    super('a database is unavailable', { cause });
    this.database = database;
  }
}

/**
 * Whether a working database rejected the statement: a constraint, or an error in our SQL or its parameters. Lists the
 * SQLite result codes that mean this: a failing database has many more, and the platform's own errors ("internal error;
 * reference = …", "Network connection lost.") have none. A missing table does not count: the database was lost, or
 * replaced by an empty one.
 */
function isStatementError(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return (
    /SQLITE_(CONSTRAINT|ERROR|MISMATCH|RANGE|TOOBIG|AUTH|MISUSE)|^D1_TYPE_ERROR|parameter bindings/.test(
      message,
    ) && !message.includes('no such table')
  );
}

/** Returns the database failure that caused this error, or null if the cause is something else. */
export function unavailableDatabase(error: unknown): DatabaseUnavailable | null {
  if (error instanceof DatabaseUnavailable) return error;
  return error instanceof Error && error.cause !== undefined ? unavailableDatabase(error.cause) : null;
}

/** Returns the rows of one statement of a batch. `Row` is the caller's claim and is not checked. */
export function rowsOf<Row>(result: D1Result | undefined): Row[] {
  return (result?.results ?? []) as Row[];
}

const columns = new WeakMap<SQLiteTable, Map<string, SQL>>();

/** Returns every column of a table for a select, under its name in code: `table.project_id as "projectId"`. */
export function columnsOf(table: SQLiteTable, name: string): SQL {
  // Cached: building the list takes as long as most of the rest of a read.
  const cached = columns.get(table) ?? new Map<string, SQL>();
  columns.set(table, cached);
  const all = cached.get(name) ?? listColumns(table, name);
  cached.set(name, all);
  return all;
}

function listColumns(table: SQLiteTable, name: string): SQL {
  const names = Object.keys(getTableColumns(table));
  return sql.raw(names.map((column) => `${name}.${toSnakeCase(column)} as "${column}"`).join(', '));
}
