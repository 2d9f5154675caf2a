/**
 * Single-use links that sign a person in without a password. Only someone who can write to the database can create one
 * (the local stack and the command line); no endpoint does. The database stores the token's SHA-256.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import type { Statement } from './bootstrap.ts';
import { insertSession, type NewSession } from './sessions.ts';

/** The prefix separates sign-in tokens from password reset tokens, so that neither works as the other. */
const identifierOf = (tokenHash: string) => `sign-in ${tokenHash}`;

/**
 * Returns the statements that store a link for the person with this email address (lower case); run them as one batch.
 * The link replaces the person's earlier one and ends when their password changes. If nobody has the address, the
 * statements do nothing. Times are milliseconds since the epoch.
 */
export function insertSignInLink(link: {
  email: string;
  tokenHash: string;
  now: number;
  expiresAt: number;
}): Statement[] {
  const { email, tokenHash, now, expiresAt } = link;
  return [
    {
      sql: `delete from verifications where identifier glob 'sign-in *'
        and value in (select id from users where email = ?)`,
      params: [email],
    },
    {
      sql: `insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
        select ?, ?, id, ?, ?, ? from users where email = ?`,
      params: [crypto.randomUUID(), identifierOf(tokenHash), expiresAt, now, now, email],
    },
  ];
}

/**
 * Starts a session with a link and deletes the link. Returns false, and changes nothing, if it was used or has expired.
 */
export async function createSessionByLink(
  db: Database,
  session: NewSession,
  tokenHash: string,
): Promise<boolean> {
  const good: SQL = sql`identifier = ${identifierOf(tokenHash)} and expires_at > ${session.now}`;
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
