/** Makes the writing of audit rows fail on a real database. */
import type { D1Database } from '@cloudflare/workers-types';

/**
 * The database, whose constraint refuses every audit row: its time is null. It fails in the midst of its batch, when
 * the statements before it have run.
 */
export function refusingAudit(database: D1Database): D1Database {
  const session = database.withSession('first-primary');
  const prepare = (sql: string) =>
    session.prepare(
      sql.includes('insert into audit_events') ? sql.replace('select ?', 'select nullif(1, 1) + ?') : sql,
    );
  return {
    withSession: () => ({ prepare, batch: session.batch.bind(session) }),
  } as unknown as D1Database;
}
