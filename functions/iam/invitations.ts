/**
 * What an invitation is: a link that is good for a week, once, and the mail that brings it. The token is in the link's
 * fragment, which browsers send to nobody, so that no log on the way has it.
 */
import type { Context } from 'hono';
import { invite } from '../../db/identity/invitations.ts';
import type { Member } from '../../db/identity/members.ts';
import { type AppEnv, changeOf, inBackground } from '../app.ts';
import { digestHex } from '../credentials/secrets.ts';
import { sendMail } from '../mail.ts';

const GOOD_FOR_MS = 7 * 24 * 3600 * 1000;

/** What the database keeps of an invitation's token: its SHA-256, in hex. 256 random bits need no slow hash. */
export function hashInvitationToken(token: string): Promise<string> {
  return digestHex('SHA-256', token);
}

function newToken(): string {
  const random = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}

/**
 * Invites an e-mail address (lower case) and sends it the link. Returns the member, and the link to show this once;
 * null for who has joined already, whom nothing is sent.
 */
export async function inviteByMail(
  c: Context<AppEnv>,
  { organizationId, email }: { organizationId: string; email: string },
): Promise<{ member: Member; url: string | null }> {
  const token = newToken();
  const change = changeOf(c);
  const member = await invite(c.get('identity'), change, {
    organizationId,
    email,
    tokenHash: await hashInvitationToken(token),
    expiresAt: change.now + GOOD_FOR_MS,
  });
  if (member.joinedAt !== null) return { member, url: null };
  const url = `${new URL(c.req.url).origin}/invitation/#${token}`;
  const mail = { to: email, subject: 'Your invitation to Latchkey', text: textOf(url) };
  inBackground(c, 'sending an invitation', sendMail(c.get('config').mail, mail));
  return { member, url };
}

// Names no organization and nobody: a mail in our name must not carry a stranger's words.
const textOf = (
  url: string,
) => `You are invited to join an organization on Latchkey. Open this link to see which one, and to accept:

${url}

It works once, for a week. If you did not expect it, you need not do anything.
`;
