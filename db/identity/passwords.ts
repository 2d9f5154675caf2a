/**
 * The passwords of people: changed by who knows the old one, or reset by a link that a mail has brought. Either ends what
 * the old one let in, sessions and links, and writes its audit row, in one batch.
 */
import { type SQL, sql } from 'drizzle-orm';
import { auditStatement, type Change } from '../audit.ts';
import type { Database } from '../database.ts';
import { insertSession, joinedBy, type NewSession, OF_PERSON } from './sessions.ts';

/** The hash of the person's password; undefined for who has none, such as one who is only invited. */
export async function passwordHashOf(db: Database, userId: string): Promise<string | undefined> {
  const [row] = await db.all<{ password: string }>(
    sql`select password from sign_in_methods where user_id = ${userId} and provider_id = 'credential'`,
  );
  return row?.password;
}

/** Who can sign in with an email address, and the hash of their password. */
export interface PasswordHolder {
  userId: string;
  name: string;
  hash: string;
}

/** Who has this email address (lower case) and a password; undefined when nobody has. */
export async function findByPassword(db: Database, email: string): Promise<PasswordHolder | undefined> {
  const [row] = await db.all<PasswordHolder>(
    sql`select u.id as "userId", u.name, s.password as hash
      from users u join sign_in_methods s on s.user_id = u.id and s.provider_id = 'credential'
      where u.email = ${email}`,
  );
  return row;
}

/**
 * Changes a password and ends every session but `next`, which begins here. Returns false, and changes nothing, when the hash
 * is no longer `from` or the session `by`, which asked for the change, has ended.
 */
export async function changePassword(
  db: Database,
  change: Change,
  { userId, from, to, by }: { userId: string; from: string; to: string; by: string },
  next: NewSession,
): Promise<boolean> {
  // The new session holds both conditions, and everything after it only happens if it has begun.
  const good = sql`exists (select 1 from sessions where id = ${next.id})`;
  const [begun] = await db.batch(
    insertSession(
      next,
      userId,
      sql`where exists (select 1 from sign_in_methods
          where user_id = ${userId} and provider_id = 'credential' and password = ${from})
        and exists (select 1 from sessions where id = ${by} and user_id = ${userId} and expires_at > ${change.now})`,
    ),
    setPassword(change, userId, to, good),
    ...endOfOld(change, userId, 'change', good, next.id),
  );
  return Boolean(begun?.meta.changes);
}

/**
 * Stores the hash of a link's token that can reset the password of the person with this email address (lower case) until
 * `expiresAt` (milliseconds since the epoch). Returns false when nobody has the address and a password.
 */
export async function addReset(
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

/** Whose password the link with this token's hash may reset; undefined when it is used up or its time is over. */
export async function findReset(db: Database, tokenHash: string, now: number): Promise<string | undefined> {
  const [row] = await db.all<{ value: string }>(
    sql`select value from verifications where identifier = ${tokenHash} and expires_at > ${now}`,
  );
  return row?.value;
}

/**
 * Resets a password by a link, which ends every session; from then on the person is known to read the mail of their
 * address. Returns whether it happened: not when the link is no longer good.
 */
export async function resetPassword(
  db: Database,
  change: Change,
  { userId, tokenHash, to }: { userId: string; tokenHash: string; to: string },
): Promise<boolean> {
  const { now } = change;
  // Used up last: what else there is to do asks for it.
  const good = sql`exists (select 1 from verifications
    where identifier = ${tokenHash} and value = ${userId} and expires_at > ${now})`;
  const results = await db.batch(
    setPassword(change, userId, to, good),
    sql`update users set email_verified = 1, updated_at = ${now} where id = ${userId} and ${good}`,
    ...endOfOld(change, userId, 'reset', good),
  );
  return Boolean(results.at(0)?.meta.changes);
}

function setPassword({ now }: Change, userId: string, hash: string, good: SQL): SQL {
  return sql`update sign_in_methods set password = ${hash}, updated_at = ${now}
    where user_id = ${userId} and provider_id = 'credential' and ${good}`;
}

/** The audit row, and the end of every link of theirs and of every session, except the one with the id `next`. */
function endOfOld(change: Change, userId: string, by: 'change' | 'reset', good: SQL, next = ''): SQL[] {
  return [
    auditStatement(
      change,
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
