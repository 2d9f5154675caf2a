/**
 * The passwords of people: changed by who knows the old one, or reset by a link that a mail has brought. Either ends what
 * the old one let in, sessions and links, and writes its audit row, in one batch.
 */
import { type SQL, sql } from 'drizzle-orm';
import { auditStatement, type Change } from '../audit.ts';
import type { Database } from '../database.ts';
import { joinedBy, OF_PERSON } from './sessions.ts';

/** The hash of the person's password; undefined for who has none, such as one who is only invited. */
export async function passwordHashOf(db: Database, userId: string): Promise<string | undefined> {
  const [row] = await db.all<{ password: string }>(
    sql`select password from sign_in_methods where user_id = ${userId} and provider_id = 'credential'`,
  );
  return row?.password;
}

/** The session in which a person goes on after a change. */
export interface NewSession {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  userAgent: string | null;
}

/**
 * Changes a password and ends every session but the one that begins here. Returns whether it happened: not when the hash
 * is no longer `from`.
 */
export async function changePassword(
  db: Database,
  change: Change,
  { userId, from, to }: { userId: string; from: string; to: string },
  { token, expiresAt, userAgent }: NewSession,
): Promise<boolean> {
  const { now, address } = change;
  const good = sql`exists (select 1 from sign_in_methods
    where user_id = ${userId} and provider_id = 'credential' and password = ${from})`;
  const results = await db.batch(
    ...endOfOld(change, userId, 'change', good),
    sql`insert into sessions (id, token, user_id, expires_at, ip_address, user_agent, created_at, updated_at)
      select ${crypto.randomUUID()}, ${token}, ${userId}, ${expiresAt}, ${address}, ${userAgent}, ${now}, ${now}
      where ${good}`,
    setPassword(change, userId, to, good),
  );
  return Boolean(results.at(-1)?.meta.changes);
}

/** Who has this e-mail address (lower case) and a password; undefined for nobody. */
export async function findByPassword(db: Database, email: string): Promise<string | undefined> {
  const [row] = await db.all<{ id: string }>(
    sql`select u.id from users u join sign_in_methods s on s.user_id = u.id and s.provider_id = 'credential'
      where u.email = ${email}`,
  );
  return row?.id;
}

/** Keeps the hash of a link's token that may reset a person's password until `expiresAt` (milliseconds since the epoch). */
export async function addReset(
  db: Database,
  now: number,
  { userId, tokenHash, expiresAt }: { userId: string; tokenHash: string; expiresAt: number },
): Promise<void> {
  await db.all(
    sql`insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
      values (${crypto.randomUUID()}, ${tokenHash}, ${userId}, ${expiresAt}, ${now}, ${now})`,
  );
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

/** The audit row, the end of every session and of every link to reset the password that is still about. */
function endOfOld(change: Change, userId: string, by: 'change' | 'reset', good: SQL): SQL[] {
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
    sql`delete from sessions where user_id = ${userId} and ${good}`,
    sql`delete from verifications where value = ${userId} and ${good}`,
  ];
}
