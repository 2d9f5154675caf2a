/**
 * Sign-in and sign-out, below `/auth`. There is no sign-up: accounts come from bootstrap and invitations. The statement
 * that creates a session checks the verified hash again (db/identity/sessions.ts), so a password changed during the
 * check does not sign in. Sign-in and sign-out are not in the audit trail.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { openDatabase } from '../../../db/database.ts';
import { findPasswordHolder } from '../../../db/identity/passwords.ts';
import {
  createSessionByLink,
  createSessionByPassword,
  endSession,
  extendSession,
  findSession,
} from '../../../db/identity/sessions.ts';
import { ApiError } from '../../shared/errors.ts';
import { type AppEnv, apiTime, bodyOf } from '../../shared/http.ts';
import { limitAttempts, rejectUnknownToken } from '../../shared/rate-limits.ts';
import { email } from '../members/user-schemas.ts';
import { hashLinkToken } from './link-tokens.ts';
import { NO_HASH, verifyPassword } from './passwords.ts';
import {
  clearSessionToken,
  newSession,
  onlySameOrigin,
  SESSION_SECONDS,
  sessionToken,
  setSessionToken,
} from './session-cookie.ts';

const passwordBody = z.object({ email, password: z.string() });
const linkBody = z.object({ token: z.string().min(1) });

const WRONG = new ApiError('denied_authentication', { method: 'password', reason: 'not_found' });

async function signIn(c: Context<AppEnv>): Promise<Response> {
  const body = await bodyOf(c, passwordBody);
  await limitAttempts(c, body.email);
  const db = openDatabase(c.get('config').identity);
  const found = await findPasswordHolder(db, body.email);
  // Always run one scrypt: otherwise the response time reveals which addresses have an account.
  const matches = await verifyPassword({ hash: found?.hash ?? NO_HASH, password: body.password });
  if (!found || !matches) throw WRONG;
  const session = newSession(c);
  if (!(await createSessionByPassword(db, session, found))) throw WRONG;
  await setSessionToken(c, session.token, SESSION_SECONDS);
  return c.json({ user: { name: found.name, email: body.email } });
}

async function signInByLink(c: Context<AppEnv>): Promise<Response> {
  const { token } = await bodyOf(c, linkBody);
  const session = newSession(c);
  const db = openDatabase(c.get('config').identity);
  if (!(await createSessionByLink(db, session, await hashLinkToken(token)))) {
    await rejectUnknownToken(c);
    throw new ApiError('precondition_failed', {
      precondition: 'unknown_precondition',
      help_message: 'This link has been used or has expired. Sign in with your password.',
    });
  }
  await setSessionToken(c, session.token, SESSION_SECONDS);
  return c.json({ success: true });
}

/** Clears the cookie only after the session has ended. If the database fails, responds with that error instead. */
async function signOut(c: Context<AppEnv>): Promise<Response> {
  const token = await sessionToken(c);
  if (token) await endSession(openDatabase(c.get('config').identity), token);
  clearSessionToken(c);
  return c.json({ success: true });
}

/** Using a session extends it, at most once a day. */
const EXTENSION_INTERVAL_MS = 24 * 3600 * 1000;

async function getSession(c: Context<AppEnv>): Promise<Response> {
  const token = await sessionToken(c);
  const now = Date.now();
  const prolonged = now + SESSION_SECONDS * 1000;
  const until = prolonged - EXTENSION_INTERVAL_MS;
  const db = openDatabase(c.get('config').identity);
  const found = token ? await findSession(db, token, now, until) : undefined;
  if (!token || !found) {
    if (token !== undefined) clearSessionToken(c);
    return c.json(null);
  }
  let { expiresAt } = found;
  if (found.due && (await extendSession(db, token, { now, until, expiresAt: prolonged }))) {
    await setSessionToken(c, token, SESSION_SECONDS);
    expiresAt = prolonged;
  }
  const { name, email, operator } = found;
  return c.json({
    user: { name, email, ...(operator && { operator }) },
    session: { expiresAt: apiTime(expiresAt) },
  });
}

export const signInRoutes = new Hono<AppEnv>()
  .post('/sign-in/email', onlySameOrigin, signIn)
  .post('/sign-in/link', onlySameOrigin, signInByLink)
  .post('/sign-out', onlySameOrigin, signOut)
  .get('/get-session', getSession);
