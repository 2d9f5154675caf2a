/** Signs, sets and clears the session cookie, and rejects cross-site changes. It does not look up the session. */
import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { NewSession } from '../../../db/identity/sessions.ts';
import { ApiError } from '../../shared/errors.ts';
import type { AppEnv } from '../../shared/http.ts';

const NAME = 'latchkey.session_token';

/** How long an unused session lasts. */
export const SESSION_SECONDS = 7 * 24 * 3600;

/**
 * Returns a session with a new token for the browser that sent the request. Default expiry: {@link SESSION_SECONDS}.
 */
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

/** The `__Secure-` prefix requires TLS. */
const prefixOf = (c: Context<AppEnv>) =>
  new URL(c.req.url).protocol === 'https:' ? ('secure' as const) : undefined;

/** Returns the session token in the request's cookie: undefined without a cookie, false if the signature is invalid. */
export async function sessionToken(c: Context<AppEnv>): Promise<string | false | undefined> {
  return getSignedCookie(c, c.get('config').signInSecret, NAME, prefixOf(c));
}

/** Sets the session cookie for this number of seconds. */
export async function setSessionToken(c: Context<AppEnv>, token: string, seconds: number): Promise<void> {
  await setSignedCookie(c, NAME, token, c.get('config').signInSecret, {
    ...attributesOf(c),
    maxAge: seconds,
  });
}

export function clearSessionToken(c: Context<AppEnv>): void {
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
export async function onlySameOrigin(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  requireSameOrigin(c);
  await next();
}

/**
 * Throws 403 for a request from another site's page, which would carry the cookie (CSRF). Allowed are the request's own
 * origin, which covers localhost and preview hosts, and the configured address, for a proxy that terminates TLS.
 * Forging host and origin gains nothing: the browser has no cookie of ours for that host.
 */
export function requireSameOrigin(c: Context<AppEnv>): void {
  const origin = c.req.header('Origin');
  if (origin !== undefined && [new URL(c.req.url).origin, c.get('config').siteUrl].includes(origin)) return;
  throw new ApiError('permissions_denied', { details: [{ resource: 'origin', action: 'write' }] });
}
