/** Feedback from readers about the site's pages. */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { Listed, Page } from '../page.ts';
import { pageFeedback } from './schema.ts';

export type PageFeedback = typeof pageFeedback.$inferSelect;

/** How many entries to keep. Anyone can send feedback, so the oldest is deleted to bound the table. */
export const MAX_FEEDBACK = 10_000;

/** Stores an entry and deletes those older than the newest {@link MAX_FEEDBACK}. */
export async function addFeedback(db: Database, feedback: Omit<PageFeedback, 'id'>): Promise<void> {
  const { at, page, helpful, remark } = feedback;
  await db.batch(
    sql`insert into page_feedback (at, page, helpful, remark)
      values (${at}, ${page}, ${helpful ? 1 : 0}, ${remark})`,
    sql`delete from page_feedback where id <= (select max(id) from page_feedback) - ${MAX_FEEDBACK}`,
  );
}

/** Returns a page of the feedback, newest first. `helpful` is 1 or 0. */
export async function listFeedback(
  db: Database,
  { offset, limit }: Pick<Page, 'offset' | 'limit'>,
): Promise<Listed<Omit<PageFeedback, 'helpful'> & { helpful: 0 | 1 }>> {
  const [rows, totals] = await db.batch(
    sql`select ${columnsOf(pageFeedback, 'page_feedback')} from page_feedback
      order by id desc limit ${limit} offset ${offset}`,
    sql`select count(*) as total from page_feedback`,
  );
  return { rows: rowsOf(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

/** Selects the ID of the first organization, which is the operator's. */
export const FIRST_ORGANIZATION: SQL = sql.raw(
  'select id from organizations where expires_at is null order by created_at, id limit 1',
);

/** Returns the first organization, which is the operator's, or null if there is none. */
export async function firstOrganization(db: Database): Promise<string | null> {
  const rows = await db.all<{ id: string }>(FIRST_ORGANIZATION);
  return rows[0]?.id ?? null;
}
