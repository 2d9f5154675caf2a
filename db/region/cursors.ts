/** The cursors of scheduled jobs that need several runs for all of their rows. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Returns the cursor that the job stored last, or an empty string. */
export async function readCursor(db: Database, job: string): Promise<string> {
  const [row] = await db.all<{ after: string }>(sql`select after from cursors where job = ${job}`);
  return row?.after ?? '';
}

/** Stores where a job continues. */
export async function writeCursor(db: Database, job: string, after: string): Promise<void> {
  await db.all(sql`insert into cursors (job, after) values (${job}, ${after})
    on conflict (job) do update set after = excluded.after where after <> excluded.after`);
}
