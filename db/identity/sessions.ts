/**
 * The sessions of people. Every insert checks its conditions in its `where` clause, so that no session starts from a
 * password, link or person that no longer exists. callers.ts finds the person of a session.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';
import { FIRST_ORGANIZATION } from './feedback.ts';
import { signInIdentifier } from './sign-in-links.ts';

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

/** A new session. Times are milliseconds since the epoch. */
export interface NewSession {
  id: string;
  token: string;
  now: number;
  expiresAt: number;
  address: string | null;
  userAgent: string | null;
}

/**
 * Returns the statement that starts a session of the user for each row of `rows`, a `from … where …` or `where …`
 * clause.
 */
export function insertSession(session: NewSession, userId: string | SQL, rows: SQL): SQL {
  const { id, token, now, expiresAt, address, userAgent } = session;
  return sql`insert into sessions (id, token, user_id, expires_at, ip_address, user_agent, created_at, updated_at)
    select ${id}, ${token}, ${userId}, ${expiresAt}, ${address}, ${userAgent}, ${now}, ${now} ${rows}`;
}

/**
 * Starts a session after a password check. Returns false, and starts none, if the stored hash is no longer `hash`, the
 * one that was verified.
 */
export async function createSessionByPassword(
  db: Database,
  session: NewSession,
  { userId, hash }: { userId: string; hash: string },
): Promise<boolean> {
  const [begun] = await db.batch(
    insertSession(
      session,
      userId,
      sql`where exists (select 1 from sign_in_methods
        where user_id = ${userId} and provider_id = 'credential' and password = ${hash})`,
    ),
  );
  return Boolean(begun?.meta.changes);
}

/**
 * Starts a session with a link and deletes the link. Returns false, and changes nothing, if it was used or has expired.
 */
export async function createSessionByLink(
  db: Database,
  session: NewSession,
  tokenHash: string,
): Promise<boolean> {
  const good: SQL = sql`identifier = ${signInIdentifier(tokenHash)} and expires_at > ${session.now}`;
  const [begun] = await db.batch(
    insertSession(
      session,
      sql`value`,
      sql`from verifications where ${good} and value in (select id from users)`,
    ),
    sql`delete from verifications where ${good}`,
  );
  return Boolean(begun?.meta.changes);
}

/** A valid session, as its browser sees it. */
export interface CurrentSession {
  name: string;
  email: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  due: boolean;
  /** Whether the person is an Owner of the operator's organization. */
  operator: boolean;
}

/** Sessions that expire before `until` are extended, except a guest's, which expires with the sandbox. */
const dueBefore = (now: number, until: number): SQL =>
  sql`sessions.expires_at > ${now} and sessions.expires_at < ${until}
    and not exists (select 1 from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = sessions.user_id and o.expires_at is not null)`;

/**
 * Returns the session with this token, or undefined if there is none or it has expired. `until`: see
 * {@link extendSession}.
 */
export async function findSession(
  db: Database,
  token: string,
  now: number,
  until: number,
): Promise<CurrentSession | undefined> {
  const [row] = await db.all<Omit<CurrentSession, 'due' | 'operator'> & { due: 0 | 1; operator: 0 | 1 }>(
    sql`select u.name, u.email, sessions.expires_at as "expiresAt", (${dueBefore(now, until)}) as due,
        exists (select 1 from memberships where user_id = u.id and role = 'owner' and joined_at is not null
          and organization_id = (${FIRST_ORGANIZATION})) as operator
      from sessions join users u on u.id = sessions.user_id
      where sessions.token = ${token} and sessions.expires_at > ${now}`,
  );
  return row && { ...row, due: row.due === 1, operator: row.operator === 1 };
}

/**
 * Extends the session with this token to `expiresAt` if it is valid, expires before `until` and is not a guest's.
 * Returns whether it did. Times are milliseconds since the epoch.
 */
export async function extendSession(
  db: Database,
  token: string,
  { now, until, expiresAt }: { now: number; until: number; expiresAt: number },
): Promise<boolean> {
  const [prolonged] = await db.batch(
    sql`update sessions set expires_at = ${expiresAt}, updated_at = ${now}
      where token = ${token} and ${dueBefore(now, until)}`,
  );
  return Boolean(prolonged?.meta.changes);
}

/** Personal events (sessions, passwords) are written to the audit trail of every organization the person has joined. */
export const joinedBy = (userId: string): SQL =>
  sql`from memberships where user_id = ${userId} and joined_at is not null`;

/** The audit columns for the rows of {@link joinedBy}. */
export const OF_PERSON = { organizationId: sql.raw('organization_id'), projectId: null };

/** Returns a page of a person's unexpired sessions and their total count. */
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

/** Revokes a person's session. Returns false if there is none with that id. */
export async function revokeSession(
  db: Database,
  audit: AuditContext,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  const [, revoked] = await db.batch(
    auditStatement(
      audit,
      { ...OF_PERSON, action: 'revoke', resource: 'sessions', resourceId: id },
      sql`${joinedBy(userId)} and exists (select 1 from sessions where id = ${id} and user_id = ${userId})`,
    ),
    sql`delete from sessions where id = ${id} and user_id = ${userId}`,
  );
  return Boolean(revoked?.meta.changes);
}

/** Ends the session with this token on sign-out, which is not audited. */
export async function endSession(db: Database, token: string): Promise<void> {
  await db.all(sql`delete from sessions where token = ${token}`);
}
