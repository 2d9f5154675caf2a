/**
 * Deletes expired sessions, single-use tokens and invitations. Expired API keys stay;
 * functions/iam/sign-in/authenticate.ts refuses them.
 */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Per table: delete rows that expired before this time (milliseconds since the epoch). */
export type ExpiryCutoffs = Record<'sessions' | 'verifications' | 'invitations', number>;

/**
 * Deletes at most `limit` rows of each table, the earliest expiry first. Returns the highest number deleted from one
 * table; fewer than `limit` means that none are left. Invited people remain members who have not joined.
 */
export async function deleteExpiredRows(db: Database, ends: ExpiryCutoffs, limit: number): Promise<number> {
  const results = await db.batch(
    ...Object.entries(ends).map(([name, end]) => {
      const table = sql.raw(name);
      return sql`delete from ${table} where rowid in
        (select rowid from ${table} where expires_at <= ${end} order by expires_at limit ${limit})`;
    }),
  );
  return Math.max(...results.map(({ meta }) => meta.changes));
}
