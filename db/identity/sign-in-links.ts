/**
 * Links that sign a person in once, without a password. Only who can write to the database makes one: the local stack and
 * the command line run the statements, and no endpoint does. The database has the token's SHA-256.
 */
import { type SQL, sql } from 'drizzle-orm';
import { hashLinkToken, newLinkToken } from '../../functions/iam/link-tokens.ts';
import type { Database } from '../database.ts';
import type { Statement } from './bootstrap.ts';
import { insertSession, type NewSession } from './sessions.ts';

/** A link's identifier in `verifications`. The prefix keeps its token from resetting a password, and the other way round. */
const identifierOf = (tokenHash: string) => `sign-in ${tokenHash}`;

/**
 * A link for the person with this email address: its token, for `/sign-in/#TOKEN`, and the statements that store it, to be
 * run as one batch. It replaces an earlier link of theirs and ends when their password changes. When nobody has the
 * address, the statements do nothing. Times are milliseconds since the epoch.
 */
export async function newSignInLink(input: {
  email: string;
  now: number;
  expiresAt: number;
}): Promise<{ token: string; statements: Statement[] }> {
  const token = newLinkToken();
  const email = input.email.toLowerCase();
  return {
    token,
    statements: [
      {
        sql: `delete from verifications where identifier glob 'sign-in *'
          and value in (select id from users where email = ?)`,
        params: [email],
      },
      {
        sql: `insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
          select ?, ?, id, ?, ?, ? from users where email = ?`,
        params: [
          crypto.randomUUID(),
          identifierOf(await hashLinkToken(token)),
          input.expiresAt,
          input.now,
          input.now,
          email,
        ],
      },
    ],
  };
}

/** Begins a session by a link and deletes the link. Returns false, and changes nothing, when it was used or has expired. */
export async function beginByLink(db: Database, session: NewSession, tokenHash: string): Promise<boolean> {
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
