/**
 * Sign-in and sign-out, below `/auth`. There is no sign-up: accounts come from bootstrap and invitations. The statement
 * that creates a session checks the verified hash again (db/identity/sessions.ts), so a password changed during the
 * check does not sign in. Sign-in and sign-out are not in the audit trail.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { openDatabase } from '../../../db/database.ts';
import { findByPassword } from '../../../db/identity/passwords.ts';
import { beginByPassword, endSession, findSession, prolongSession } from '../../../db/identity/sessions.ts';
import { beginByLink } from '../../../db/identity/sign-in-links.ts';
import { ApiError } from '../../shared/errors.ts';
import { type AppEnv, bodyOf, wireTime } from '../../shared/http.ts';
import { limitAttempts, refuseUnknown } from '../../shared/rate-limits.ts';
import { email } from '../members/user-schemas.ts';
import { hashLinkToken } from './link-tokens.ts';
import { NO_HASH, verifyPassword } from './passwords.ts';
import {
  forgetSessionToken,
  newSession,
  SESSION_SECONDS,
  sameOrigin,
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
  const found = await findByPassword(db, body.email);
  // Always run one scrypt: otherwise the response time reveals which addresses have an account.
  const matches = await verifyPassword({ hash: found?.hash ?? NO_HASH, password: body.password });
  if (!found || !matches) throw WRONG;
  const session = newSession(c);
  if (!(await beginByPassword(db, session, found))) throw WRONG;
  await setSessionToken(c, session.token, SESSION_SECONDS);
  return c.json({ user: { name: found.name, email: body.email } });
}

async function signInByLink(c: Context<AppEnv>): Promise<Response> {
  const { token } = await bodyOf(c, linkBody);
  const session = newSession(c);
  const db = openDatabase(c.get('config').identity);
  if (!(await beginByLink(db, session, await hashLinkToken(token)))) {
    await refuseUnknown(c);
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
  forgetSessionToken(c);
  return c.json({ success: true });
}

/** Using a session extends it, at most once a day. */
const PROLONGED_EVERY_MS = 24 * 3600 * 1000;

async function getSession(c: Context<AppEnv>): Promise<Response> {
  const token = await sessionToken(c);
  const now = Date.now();
  const prolonged = now + SESSION_SECONDS * 1000;
  const until = prolonged - PROLONGED_EVERY_MS;
  const db = openDatabase(c.get('config').identity);
  const found = token ? await findSession(db, token, now, until) : undefined;
  if (!token || !found) {
    if (token !== undefined) forgetSessionToken(c);
    return c.json(null);
  }
  let { expiresAt } = found;
  if (found.due && (await prolongSession(db, token, { now, until, expiresAt: prolonged }))) {
    await setSessionToken(c, token, SESSION_SECONDS);
    expiresAt = prolonged;
  }
  const { name, email, operator } = found;
  return c.json({
    user: { name, email, ...(operator && { operator }) },
    session: { expiresAt: wireTime(expiresAt) },
  });
}

export const signInRoutes = new Hono<AppEnv>()
  .post('/sign-in/email', sameOrigin, signIn)
  .post('/sign-in/link', sameOrigin, signInByLink)
  .post('/sign-out', sameOrigin, signOut)
  .get('/get-session', getSession);
