/** Makes inserts of audit rows fail on a real database. */
import type { D1Database } from '@cloudflare/workers-types';

/**
 * Wraps the database so that a constraint rejects every audit row (its time is null). The batch fails midway, after
 * the statements before it.
 */
export function rejectingAudit(database: D1Database): D1Database {
  const session = database.withSession('first-primary');
  const prepare = (sql: string) =>
    session.prepare(
      sql.includes('insert into audit_events') ? sql.replace('select ?', 'select nullif(1, 1) + ?') : sql,
    );
  return {
    withSession: () => ({ prepare, batch: session.batch.bind(session) }),
  } as unknown as D1Database;
}
