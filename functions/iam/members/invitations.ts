/**
 * Sends invitations: a single-use link that is valid for a week, and its email. The token is in the URL fragment, which
 * browsers do not send, so no log records it. Anyone who has the link chooses the invited person's password and can then
 * act as them. Only Owners see the link: anyone else who invites could keep it until an Owner makes that person an
 * Owner.
 */
import type { Context } from 'hono';
import { invite } from '../../../db/identity/invitations.ts';
import type { Member } from '../../../db/identity/members.ts';
import { sendEmail } from '../../shared/email.ts';
import { ApiError } from '../../shared/errors.ts';
import { type AppEnv, inBackground } from '../../shared/http.ts';
import { limitEmails } from '../../shared/rate-limits.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { isOwner } from '../access/authorize.ts';
import { hashLinkToken, linkTo, newLinkToken } from '../sign-in/link-tokens.ts';

const INVITATION_LIFETIME_MS = 7 * 24 * 3600 * 1000;

/**
 * Invites an email address (lower case) and sends it the link. Returns the member and the link, which is shown only
 * once and is null for callers who are not Owners. A person who has already joined has `joinedAt` and gets no email.
 * Throws 412 if the caller is not an Owner and no email can be sent, and 429 if the address has received too many
 * emails recently.
 */
export async function inviteByMail(
  c: Context<AppEnv>,
  { organizationId, email }: { organizationId: string; email: string },
): Promise<{ member: Member; url: string | null }> {
  const { mail } = c.get('config');
  const shown = isOwner(c.get('principal'), organizationId);
  if (!mail && !shown) throw NOT_SENT;
  if (mail) await limitEmails(c, email);
  const token = newLinkToken();
  const audit = auditContextOf(c);
  const member = await invite(c.get('identityDb'), audit, {
    userId: await userIdOf(c.get('config').signInSecret, email),
    organizationId,
    email,
    tokenHash: await hashLinkToken(token),
    byMailOnly: !shown,
    expiresAt: audit.now + INVITATION_LIFETIME_MS,
  });
  if (member.joinedAt !== null) return { member, url: null };
  const url = linkTo(c, 'invitation', token);
  const message = { to: email, subject: 'Your invitation to Latchkey', text: textOf(url) };
  inBackground(c, 'sending an invitation', sendEmail(mail, message));
  return { member, url: shown ? url : null };
}

/**
 * Derives the id of a new person from the email address. A random id would reveal accounts: invite, remove and invite
 * an address again, and only a person with an account keeps their id.
 */
async function userIdOf(secret: string, email: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(`user ${email}`)), 0, 16);
  // RFC 9562, version 8: custom bits.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const NOT_SENT = new ApiError('precondition_failed', {
  precondition: 'unknown_precondition',
  help_message:
    'This deployment sends no email, so only an Owner can invite members and share the link. Ask an Owner of the organization.',
});

// Names no organization and no person: our email must not carry text chosen by a stranger.
const textOf = (
  url: string,
) => `You have been invited to join an organization on Latchkey. Open this link to see the organization and accept:

${url}

The link works once and expires in 7 days. If you did not expect this invitation, ignore this email.
`;
