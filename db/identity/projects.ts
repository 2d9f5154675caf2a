/** The projects of organizations. A project that is being deleted is found by the schedule only. */
import { sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';
import { projects } from './schema.ts';

/** A row of `projects`. */
export type Project = typeof projects.$inferSelect;

/** Those of the projects `ids` that match the filters: a page of them, and how many there are. */
export async function listProjects(
  db: Database,
  filter: { ids: readonly string[]; organizationId: string | undefined; name: string | undefined },
  page: Page,
): Promise<Listed<Project>> {
  const { ids, organizationId = null, name = null } = filter;
  const matching = sql`id in (select value from json_each(${JSON.stringify(ids)}))
    and (${organizationId} is null or organization_id = ${organizationId}) and (${name} is null or name = ${name})`;
  const [rows, totals] = await db.batch(
    sql`select ${columnsOf(projects, 'projects')} from projects where ${matching}
      order by ${orderOf('projects', page)} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total from projects where ${matching}`,
  );
  return { rows: rowsOf<Project>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}
