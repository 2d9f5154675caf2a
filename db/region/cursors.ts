/** How far the jobs of the schedule have come that cannot do everything in one run: kept so that the next goes on. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Where a job goes on: what it wrote last, or an empty text. */
export async function readCursor(db: Database, job: string): Promise<string> {
  const [row] = await db.all<{ after: string }>(sql`select after from cursors where job = ${job}`);
  return row?.after ?? '';
}

/** Notes where a job goes on. */
export async function writeCursor(db: Database, job: string, after: string): Promise<void> {
  await db.all(sql`insert into cursors (job, after) values (${job}, ${after})
    on conflict (job) do update set after = excluded.after where after <> excluded.after`);
}
