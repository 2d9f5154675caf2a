/**
 * The sessions of people, as they see and revoke them. The sign-in library makes them; whose one is when it is used,
 * bearers.ts finds. A token never leaves this database here.
 */
import { type SQL, sql } from 'drizzle-orm';
import { auditStatement, type Change } from '../audit.ts';
import { type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';

/** A session, without its token. Times are milliseconds since the epoch. */
export interface Session {
  id: string;
  userId: string;
  createdAt: number;
  updatedAt: number;
  expiresAt: number;
  ipAddress: string | null;
  userAgent: string | null;
}

/** What concerns a person and no single organization is in the trail of each that they have joined. */
export const joinedBy = (userId: string): SQL =>
  sql`from memberships where user_id = ${userId} and joined_at is not null`;

/** See {@link joinedBy}: where such a row stands. */
export const OF_PERSON = { organizationId: sql.raw('organization_id'), projectId: null };

/** The sessions of a person that have not expired: a page of them, and how many there are. */
export async function listSessions(
  db: Database,
  userId: string,
  now: number,
  page: Page,
): Promise<Listed<Session>> {
  const live = sql`user_id = ${userId} and expires_at > ${now}`;
  const [rows, totals] = await db.batch(
    sql`select id, user_id as "userId", created_at as "createdAt", updated_at as "updatedAt",
        expires_at as "expiresAt", ip_address as "ipAddress", user_agent as "userAgent"
      from sessions where ${live}
      order by ${orderOf('sessions', page)} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total from sessions where ${live}`,
  );
  return { rows: rowsOf<Session>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

/** Revokes a session of a person's. Returns whether there was one of that id. */
export async function revokeSession(
  db: Database,
  change: Change,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  const [, revoked] = await db.batch(
    auditStatement(
      change,
      { ...OF_PERSON, action: 'revoke', resource: 'sessions', resourceId: id },
      sql`${joinedBy(userId)} and exists (select 1 from sessions where id = ${id} and user_id = ${userId})`,
    ),
    sql`delete from sessions where id = ${id} and user_id = ${userId}`,
  );
  return Boolean(revoked?.meta.changes);
}

/** Ends the session that has this token, if there is one: signing out, which is in no audit trail. */
export async function endSession(db: Database, token: string): Promise<void> {
  await db.all(sql`delete from sessions where token = ${token}`);
}
