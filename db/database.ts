/**
 * A D1 database, open for one request: runs statements alone or as a batch, which is one transaction and one round
 * trip. Statements are drizzle's `sql` templates. (drizzle's own batch takes no raw statement with parameters, and
 * ours need `changes()`, `json_each` and `insert … select`.)
 */
import type { D1Database, D1Result } from '@cloudflare/workers-types';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { SQLiteAsyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core';

/** See this file's head. */
export interface Database {
  /** The rows of one statement. `Row` is what the caller knows that it selects. */
  all<Row>(statement: SQL): Promise<Row[]>;
  /** Runs the statements in order, all or none, in one round trip. */
  batch(...statements: SQL[]): Promise<D1Result[]>;
}

const dialect = new SQLiteAsyncDialect();

/**
 * Opens a database for one request. Its first query goes to the primary, so that a replica that lags can never delay
 * a revoke.
 */
export function openDatabase(d1: D1Database): Database {
  const session = d1.withSession('first-primary');
  const prepare = (statement: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    return session.prepare(text).bind(...params);
  };
  const run = <Result>(query: Promise<Result>) =>
    query.catch((error: unknown) => {
      throw isRefusal(error) ? error : new DatabaseUnavailable(d1, error);
    });
  return {
    all: async <Row>(statement: SQL) => (await run(prepare(statement).all<Row>())).results,
    batch: async (...statements) => run(session.batch(statements.map(prepare))),
  };
}

/**
 * A database failed, whatever the statement: it is unreachable, corrupt, full, busy or replaced. The same statement can
 * succeed later. `cause` is what the platform threw.
 */
export class DatabaseUnavailable extends Error {
  readonly database: D1Database;

  constructor(database: D1Database, cause: unknown) {
    super('a database is unavailable', { cause });
    this.database = database;
  }
}

/**
 * Whether the database works and refused the statement: a constraint, or a mistake in our SQL or its parameters. SQLite's
 * result codes that say so are listed, because a failing database has many more, and the platform's own errors
 * ("internal error; reference = …", "Network connection lost.") have none. A table that does not exist is no mistake
 * in SQL: the database was lost, or replaced by an empty one.
 */
function isRefusal(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return (
    /SQLITE_(CONSTRAINT|ERROR|MISMATCH|RANGE|TOOBIG|AUTH|MISUSE)|^D1_TYPE_ERROR|parameter bindings/.test(
      message,
    ) && !message.includes('no such table')
  );
}

/** The failure of a database that caused this error, or null when the error has another cause. */
export function unavailableDatabase(error: unknown): DatabaseUnavailable | null {
  if (error instanceof DatabaseUnavailable) return error;
  return error instanceof Error && error.cause !== undefined ? unavailableDatabase(error.cause) : null;
}

/** The rows of a batch's statement. `Row` is what the caller knows that it selects. */
export function rowsOf<Row>(result: D1Result | undefined): Row[] {
  return (result?.results ?? []) as Row[];
}

const columns = new WeakMap<SQLiteTable, Map<string, SQL>>();

/** Every column of a table for a select, under its name in code: `table.project_id as "projectId"`. */
export function columnsOf(table: SQLiteTable, name: string): SQL {
  // Kept, because spelling the names out takes as long as most of the rest of a read.
  const kept = columns.get(table) ?? new Map<string, SQL>();
  columns.set(table, kept);
  const all = kept.get(name) ?? spellColumns(table, name);
  kept.set(name, all);
  return all;
}

function spellColumns(table: SQLiteTable, name: string): SQL {
  const names = Object.keys(getTableColumns(table));
  return sql.raw(names.map((column) => `${name}.${toSnakeCase(column)} as "${column}"`).join(', '));
}
