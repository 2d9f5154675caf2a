/**
 * What an invitation is: a link that is good for a week, once, and the mail that brings it. The token is in the link's
 * fragment, which browsers send to nobody, so that no log on the way has it. Who has the link chooses the password of the
 * person who is invited, and is that person from then on. Only Owners are shown it, who may do everything anyhow: another
 * inviter could wait until an Owner makes that person an Owner.
 */
import type { Context } from 'hono';
import { invite } from '../../db/identity/invitations.ts';
import type { Member } from '../../db/identity/members.ts';
import { type AppEnv, changeOf, inBackground } from '../app.ts';
import { ApiError } from '../errors.ts';
import { sendMail } from '../mail.ts';
import { limitMails } from './limits.ts';
import { hashLinkToken, linkTo, newLinkToken } from './link-tokens.ts';
import { isOwner } from './policies.ts';

const GOOD_FOR_MS = 7 * 24 * 3600 * 1000;

/**
 * Invites an e-mail address (lower case) and sends it the link. Returns the member, who has `joinedAt` when they had joined
 * already and are sent nothing, and the link to show this once: null for a caller who is no Owner. Throws 412 for such a
 * caller where no mail is sent, and 429 when the address has had too many mails of late.
 */
export async function inviteByMail(
  c: Context<AppEnv>,
  { organizationId, email }: { organizationId: string; email: string },
): Promise<{ member: Member; url: string | null }> {
  const { mail } = c.get('config');
  const shown = isOwner(c.get('principal'), organizationId);
  if (!mail && !shown) throw UNSENT;
  if (mail) await limitMails(c, email);
  const token = newLinkToken();
  const change = changeOf(c);
  const member = await invite(c.get('identity'), change, {
    userId: await userIdOf(c.get('config').signInSecret, email),
    organizationId,
    email,
    tokenHash: await hashLinkToken(token),
    byMailOnly: !shown,
    expiresAt: change.now + GOOD_FOR_MS,
  });
  if (member.joinedAt !== null) return { member, url: null };
  const url = linkTo(c, 'invitation', token);
  const message = { to: email, subject: 'Your invitation to Latchkey', text: textOf(url) };
  inBackground(c, 'sending an invitation', sendMail(mail, message));
  return { member, url: shown ? url : null };
}

/**
 * The id of a new person with this email address: always the same one. With a random one, inviting, removing and inviting an
 * address again would show whether it has an account: only then does the person outlive the membership, and their id with it.
 */
async function userIdOf(secret: string, email: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(`user ${email}`)), 0, 16);
  // RFC 9562, version 8: bits of our own making.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const UNSENT = new ApiError('precondition_failed', {
  precondition: 'unknown_precondition',
  help_message:
    'This Latchkey sends no mail, and only an Owner is shown the link to pass on. Ask an Owner of the organization to invite.',
});

// Names no organization and nobody: a mail in our name must not carry a stranger's words.
const textOf = (
  url: string,
) => `You are invited to join an organization on Latchkey. Open this link to see which one, and to accept:

${url}

It works once, for a week. If you did not expect it, you need not do anything.
`;
