/** What people left behind that opens nothing any more: sessions, one-time tokens and invitations whose time is over. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Until when something must have expired to be forgotten, by its table; milliseconds since the epoch. */
export type Ends = Record<'sessions' | 'verifications' | 'invitations', number>;

/**
 * Deletes at most `limit` rows of each table, those first that expired first. Returns the most that it deleted of one:
 * fewer than `limit` means that nothing is left. Who was invited stays a member to be.
 */
export async function forgetExpired(db: Database, ends: Ends, limit: number): Promise<number> {
  const results = await db.batch(
    ...Object.entries(ends).map(([name, end]) => {
      const table = sql.raw(name);
      return sql`delete from ${table} where rowid in
        (select rowid from ${table} where expires_at <= ${end} order by expires_at limit ${limit})`;
    }),
  );
  return Math.max(...results.map(({ meta }) => meta.changes));
}
