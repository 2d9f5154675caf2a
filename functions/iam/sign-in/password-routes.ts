/**
 * The endpoints that change and reset passwords, below `/auth`. Storing the new password, ending the old one's sessions
 * and links, and the audit row are one batch.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { openDatabase } from '../../../db/database.ts';
import {
  changePassword,
  createPasswordReset,
  findPasswordHash,
  findPasswordReset,
  resetPassword,
} from '../../../db/identity/passwords.ts';
import { sendEmail } from '../../shared/email.ts';
import { ApiError, invalidArgument } from '../../shared/errors.ts';
import { type AppEnv, bodyOf, inBackground } from '../../shared/http.ts';
import { limitAccount, limitAttempts, limitEmails, rejectUnknownToken } from '../../shared/rate-limits.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { email } from '../members/user-schemas.ts';
import { sessionCaller } from './authenticate.ts';
import { hashLinkToken, linkTo, newLinkToken } from './link-tokens.ts';
import { hashPassword, newPassword, PASSWORD_LENGTH, verifyPassword } from './passwords.ts';
import { newSession, onlySameOrigin, SESSION_SECONDS, setSessionToken } from './session-cookie.ts';

const RESET_MS = 3600 * 1000;

const changeBody = z.object({ currentPassword: z.string().max(PASSWORD_LENGTH.max), newPassword });
const requestBody = z.object({ email });
const resetBody = z.object({ token: z.string().min(1), newPassword });

async function change(c: Context<AppEnv>): Promise<Response> {
  const { currentPassword, newPassword } = await bodyOf(c, changeBody);
  const caller = await sessionCaller(c);
  if (!caller) throw SIGNED_OUT;
  const { id: userId } = caller;
  await limitAccount(c, userId);
  const from = await findPasswordHash(c.get('identityDb'), userId);
  if (!from || !(await verifyPassword({ hash: from, password: currentPassword }))) throw WRONG;
  const to = await hashPassword(newPassword);
  const made = auditContextOf(c, { type: 'user', id: userId, accessKey: null });
  const next = newSession(c);
  const by = caller.sessionId ?? '';
  if (!(await changePassword(c.get('identityDb'), made, { userId, from, to, by }, next))) {
    throw (await sessionCaller(c)) ? WRONG : SIGNED_OUT;
  }
  await setSessionToken(c, next.token, SESSION_SECONDS);
  return c.json({ status: true });
}

const SIGNED_OUT = new ApiError('denied_authentication', { method: 'session', reason: 'not_found' });
const WRONG = invalidArgument('currentPassword', 'constraint', 'must be your current password');

/** Responds immediately, and the same for known and unknown addresses; the email follows in the background. */
async function requestReset(c: Context<AppEnv>): Promise<Response> {
  const { email } = await bodyOf(c, requestBody);
  if (!c.get('config').mail) {
    throw new ApiError('precondition_failed', {
      precondition: 'unknown_precondition',
      help_message: 'This deployment sends no email, so passwords cannot be reset. Ask its operator.',
    });
  }
  await limitAttempts(c);
  await limitEmails(c, email);
  inBackground(c, 'a password reset', emailReset(c, email));
  return c.json({ status: true });
}

/** People who are only invited get no email: they choose a password through the invitation. */
async function emailReset(c: Context<AppEnv>, to: string): Promise<void> {
  const [token, now] = [newLinkToken(), Date.now()];
  const reset = { email: to, tokenHash: await hashLinkToken(token), expiresAt: now + RESET_MS };
  if (!(await createPasswordReset(c.get('identityDb'), now, reset))) return;
  const text = `Someone asked to reset the password of ${to} on Latchkey. Open this link to choose a new one:

${linkTo(c, 'reset-password', token)}

The link works once and expires in an hour. If you did not ask for it, ignore this email: your password has not changed.
`;
  await sendEmail(c.get('config').mail, { to, subject: 'Reset your Latchkey password', text });
}

async function reset(c: Context<AppEnv>): Promise<Response> {
  const { token, newPassword } = await bodyOf(c, resetBody);
  const tokenHash = await hashLinkToken(token);
  const userId = await findPasswordReset(c.get('identityDb'), tokenHash, Date.now());
  if (!userId) {
    await rejectUnknownToken(c);
    throw LINK_EXPIRED;
  }
  const to = await hashPassword(newPassword);
  const made = auditContextOf(c, { type: 'user', id: userId, accessKey: null });
  if (!(await resetPassword(c.get('identityDb'), made, { userId, tokenHash, to }))) throw LINK_EXPIRED;
  return c.json({ status: true });
}

const LINK_EXPIRED = new ApiError('precondition_failed', {
  precondition: 'unknown_precondition',
  help_message: 'This link has been used or has expired. Request a new one.',
});

async function ready(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  c.set('identityDb', openDatabase(c.get('config').identity));
  await next();
}

export const passwordRoutes = new Hono<AppEnv>()
  .post('/change-password', onlySameOrigin, ready, change)
  .post('/request-password-reset', onlySameOrigin, ready, requestReset)
  .post('/reset-password', onlySameOrigin, ready, reset);
