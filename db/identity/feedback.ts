/** What readers said of the site's pages. */
import { sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { Listed, Page } from '../page.ts';
import { pageFeedback } from './schema.ts';

/** A row of `page_feedback`. */
export type PageFeedback = typeof pageFeedback.$inferSelect;

/** How much feedback is kept: any reader can send some, so the oldest makes room for the newest. */
export const MOST_FEEDBACK = 10_000;

/** Keeps what a reader said, and deletes what is older than the newest {@link MOST_FEEDBACK}. */
export async function addFeedback(db: Database, feedback: Omit<PageFeedback, 'id'>): Promise<void> {
  const { at, page, helpful, remark } = feedback;
  await db.batch(
    sql`insert into page_feedback (at, page, helpful, remark)
      values (${at}, ${page}, ${helpful ? 1 : 0}, ${remark})`,
    sql`delete from page_feedback where id <= (select max(id) from page_feedback) - ${MOST_FEEDBACK}`,
  );
}

/** A page of the feedback, the newest first. `helpful` is 1 or 0. */
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

/** The organization that was there first: that of whoever runs this deployment. Null before there is any. */
export async function firstOrganization(db: Database): Promise<string | null> {
  const rows = await db.all<{ id: string }>(
    sql`select id from organizations where expires_at is null order by created_at, id limit 1`,
  );
  return rows[0]?.id ?? null;
}
