/** Creates single-use links that sign a person in without a password, for the local stack and the command line. */
import type { Statement } from '../../../db/identity/bootstrap.ts';
import { insertSignInLink } from '../../../db/identity/sign-in-links.ts';
import { hashLinkToken, newLinkToken } from './link-tokens.ts';

/**
 * Creates a link for the person with this email address. Returns its token, for `/sign-in/#TOKEN`, and the statements
 * that store it; run them as one batch. Times are milliseconds since the epoch.
 */
export async function newSignInLink(input: {
  email: string;
  now: number;
  expiresAt: number;
}): Promise<{ token: string; statements: Statement[] }> {
  const token = newLinkToken();
  const tokenHash = await hashLinkToken(token);
  const { now, expiresAt } = input;
  return {
    token,
    statements: insertSignInLink({ email: input.email.toLowerCase(), tokenHash, now, expiresAt }),
  };
}
