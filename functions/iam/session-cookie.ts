/**
 * The session cookie: its name, its signature, how it is set and taken away, and the rule that a change comes from a page
 * of ours. Whose session it is, the database knows.
 */
import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { NewSession } from '../../db/identity/sessions.ts';
import type { AppEnv } from '../app.ts';
import { ApiError } from '../errors.ts';

const NAME = 'latchkey.session_token';

/** How long a session lasts that is not used. */
export const SESSION_SECONDS = 7 * 24 * 3600;

/** A session for the browser that sent the request, with a new token; by default as long as sessions last. */
export function newSession(c: Context<AppEnv>, expiresAt?: number): NewSession {
  const now = Date.now();
  return {
    id: crypto.randomUUID(),
    token: (crypto.randomUUID() + crypto.randomUUID()).replaceAll('-', ''),
    now,
    expiresAt: expiresAt ?? now + SESSION_SECONDS * 1000,
    address: c.req.header('CF-Connecting-IP') ?? null,
    userAgent: c.req.header('User-Agent')?.slice(0, 500) ?? null,
  };
}

/** The name has the `__Secure-` prefix wherever there is TLS. */
const prefixOf = (c: Context<AppEnv>) =>
  new URL(c.req.url).protocol === 'https:' ? ('secure' as const) : undefined;

/**
 * The token of the session that the request's cookie names; undefined without a cookie, false when its signature is
 * not ours.
 */
export async function sessionToken(c: Context<AppEnv>): Promise<string | false | undefined> {
  return getSignedCookie(c, c.get('config').signInSecret, NAME, prefixOf(c));
}

/** Sets the cookie of a session, for so many seconds. */
export async function setSessionToken(c: Context<AppEnv>, token: string, seconds: number): Promise<void> {
  await setSignedCookie(c, NAME, token, c.get('config').signInSecret, {
    ...attributesOf(c),
    maxAge: seconds,
  });
}

/** Takes the cookie away. */
export function forgetSessionToken(c: Context<AppEnv>): void {
  deleteCookie(c, NAME, attributesOf(c));
}

function attributesOf(c: Context<AppEnv>) {
  const prefix = prefixOf(c);
  return {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax' as const,
    secure: prefix !== undefined,
    ...(prefix && { prefix }),
  };
}

/** Middleware: {@link requireSameOrigin}. */
export async function sameOrigin(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  requireSameOrigin(c);
  await next();
}

/**
 * Refuses a request that a page of another site sends: the cookie comes with it. Ours are the pages of the request's own
 * origin, which covers localhost and preview hosts, and of the configured one, which is the pages' address behind a proxy
 * that ends TLS. A request that claims another host and origin gains nothing: the browser has no cookie of ours for it.
 */
export function requireSameOrigin(c: Context<AppEnv>): void {
  const origin = c.req.header('Origin');
  if (origin !== undefined && [new URL(c.req.url).origin, c.get('config').siteUrl].includes(origin)) return;
  throw new ApiError('permissions_denied', { details: [{ resource: 'origin', action: 'write' }] });
}
