/** Counts the cost of requests on a real database. */
import type { D1Database, D1PreparedStatement, D1Result } from '@cloudflare/workers-types';

/** The total cost of requests. */
export interface Cost {
  trips: number;
  rowsRead: number;
  rowsWritten?: number;
}

const ORIGINAL = Symbol('the statement behind a counted one');

/** Wraps a database to count its round trips and the rows it reads and writes. */
export function counted(database: D1Database, cost: Cost): D1Database {
  const record = <R extends D1Result | D1Result[]>(results: R): R => {
    cost.trips++;
    for (const { meta } of [results].flat()) {
      cost.rowsRead += meta.rows_read;
      cost.rowsWritten = (cost.rowsWritten ?? 0) + meta.rows_written;
    }
    return results;
  };
  const statement = (original: D1PreparedStatement): D1PreparedStatement =>
    ({
      [ORIGINAL]: original,
      bind: (...values: unknown[]) => statement(original.bind(...values)),
      all: async () => record(await original.all()),
      run: async () => record(await original.run()),
    }) as unknown as D1PreparedStatement;
  const session = database.withSession('first-primary');
  return {
    withSession: () => ({
      prepare: (sql: string) => statement(session.prepare(sql)),
      batch: async (statements: { [ORIGINAL]: D1PreparedStatement }[]) =>
        record(await session.batch(statements.map((one) => one[ORIGINAL]))),
    }),
  } as unknown as D1Database;
}
