/**
 * Passwords: changed with the old one, or reset through an emailed link. Both end the old password's sessions and links
 * and write the audit row, in one batch.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import type { Database } from '../database.ts';
import { insertSession, joinedBy, type NewSession, OF_PERSON } from './sessions.ts';

/** Returns the hash of the person's password; undefined if they have none, for example when only invited. */
export async function findPasswordHash(db: Database, userId: string): Promise<string | undefined> {
  const [row] = await db.all<{ password: string }>(
    sql`select password from sign_in_methods where user_id = ${userId} and provider_id = 'credential'`,
  );
  return row?.password;
}

/** A person who can sign in with an email address, and the hash of their password. */
export interface PasswordHolder {
  userId: string;
  name: string;
  hash: string;
}

/** Returns the person with this email address (lower case) and a password; undefined if there is none. */
export async function findPasswordHolder(db: Database, email: string): Promise<PasswordHolder | undefined> {
  const [row] = await db.all<PasswordHolder>(
    sql`select u.id as "userId", u.name, s.password as hash
      from users u join sign_in_methods s on s.user_id = u.id and s.provider_id = 'credential'
      where u.email = ${email}`,
  );
  return row;
}

/**
 * Changes a password and ends every session except `next`, which starts here. Returns false, and changes nothing, if
 * the hash is no longer `from` or the session `by` that requested the change has ended.
 */
export async function changePassword(
  db: Database,
  audit: AuditContext,
  { userId, from, to, by }: { userId: string; from: string; to: string; by: string },
  next: NewSession,
): Promise<boolean> {
  // The insert of the new session checks both conditions; everything after it depends on that session.
  const good = sql`exists (select 1 from sessions where id = ${next.id})`;
  const [begun] = await db.batch(
    insertSession(
      next,
      userId,
      sql`where exists (select 1 from sign_in_methods
          where user_id = ${userId} and provider_id = 'credential' and password = ${from})
        and exists (select 1 from sessions where id = ${by} and user_id = ${userId} and expires_at > ${audit.now})`,
    ),
    setPassword(audit, userId, to, good),
    ...endOldSessions(audit, userId, 'change', good, next.id),
  );
  return Boolean(begun?.meta.changes);
}

/**
 * Stores the token hash of a link that can reset the password of the person with this email address (lower case) until
 * `expiresAt` (milliseconds since the epoch). Returns false if nobody has the address and a password.
 */
export async function createPasswordReset(
  db: Database,
  now: number,
  { email, tokenHash, expiresAt }: { email: string; tokenHash: string; expiresAt: number },
): Promise<boolean> {
  const [added] = await db.batch(
    sql`insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
      select ${crypto.randomUUID()}, ${tokenHash}, u.id, ${expiresAt}, ${now}, ${now}
      from users u join sign_in_methods s on s.user_id = u.id and s.provider_id = 'credential'
      where u.email = ${email}`,
  );
  return Boolean(added?.meta.changes);
}

/** Returns the id of the person whose password the link can reset; undefined if it was used or has expired. */
export async function findPasswordReset(
  db: Database,
  tokenHash: string,
  now: number,
): Promise<string | undefined> {
  const [row] = await db.all<{ value: string }>(
    sql`select value from verifications where identifier = ${tokenHash} and expires_at > ${now}`,
  );
  return row?.value;
}

/**
 * Resets a password through a link, which ends every session and verifies the email address. Returns false if the link
 * is no longer valid.
 */
export async function resetPassword(
  db: Database,
  audit: AuditContext,
  { userId, tokenHash, to }: { userId: string; tokenHash: string; to: string },
): Promise<boolean> {
  const { now } = audit;
  // The link is deleted last, because the other statements check that it exists.
  const good = sql`exists (select 1 from verifications
    where identifier = ${tokenHash} and value = ${userId} and expires_at > ${now})`;
  const results = await db.batch(
    setPassword(audit, userId, to, good),
    sql`update users set email_verified = 1, updated_at = ${now} where id = ${userId} and ${good}`,
    ...endOldSessions(audit, userId, 'reset', good),
  );
  return Boolean(results.at(0)?.meta.changes);
}

function setPassword({ now }: AuditContext, userId: string, hash: string, good: SQL): SQL {
  return sql`update sign_in_methods set password = ${hash}, updated_at = ${now}
    where user_id = ${userId} and provider_id = 'credential' and ${good}`;
}

/**
 * Returns the statements that write the audit row and end all of the person's links and sessions, except session
 * `next`.
 */
function endOldSessions(
  audit: AuditContext,
  userId: string,
  by: 'change' | 'reset',
  good: SQL,
  next = '',
): SQL[] {
  return [
    auditStatement(
      audit,
      {
        ...OF_PERSON,
        action: 'update',
        resource: 'passwords',
        resourceId: userId,
        after: sql`json_object('by', ${by}, 'other_sessions', 'revoked')`,
      },
      sql`${joinedBy(userId)} and ${good}`,
    ),
    sql`delete from sessions where user_id = ${userId} and id <> ${next} and ${good}`,
    sql`delete from verifications where value = ${userId} and ${good}`,
  ];
}
