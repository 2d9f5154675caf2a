/**
 * Single-use links that sign a person in without a password. Only someone who can write to the database can create one
 * (the local stack and the command line); no endpoint does. The database stores the token's SHA-256. sessions.ts accepts
 * links. Imports no query builder: loading one takes a quarter of the local stack's start.
 */
import type { Statement } from './bootstrap.ts';

/**
 * Returns the identifier of a link in `verifications`. The prefix separates sign-in tokens from password reset tokens,
 * so that neither works as the other.
 */
export const signInIdentifier = (tokenHash: string) => `sign-in ${tokenHash}`;

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
      params: [crypto.randomUUID(), signInIdentifier(tokenHash), expiresAt, now, now, email],
    },
  ];
}
