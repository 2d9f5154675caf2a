/**
 * The session cookie as requests bring it: its name, its signature, and the rule that a change comes from a page of
 * ours. The sign-in library (sign-in.ts) issues and removes it, but for guests and a changed password; whose a session is, the database says.
 */
import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { AppEnv } from '../app.ts';
import { ApiError } from '../errors.ts';

/** What the e-mail addresses of guests end with, which nobody else can have: the domain is reserved for no use. */
export const GUEST_DOMAIN = '@guest.invalid';

/** What the names of all our cookies begin with. */
export const COOKIE_PREFIX = 'latchkey';

const NAME = `${COOKIE_PREFIX}.session_token`;

/** How long a session lasts that is not used. */
export const SESSION_SECONDS = 7 * 24 * 3600;

/** A token of a session that the sign-in library did not begin. */
export const newSessionToken = (): string => (crypto.randomUUID() + crypto.randomUUID()).replaceAll('-', '');

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

/** Sets the cookie of a session that the sign-in library did not begin. */
export async function setSessionToken(c: Context<AppEnv>, token: string, seconds: number): Promise<void> {
  const prefix = prefixOf(c);
  await setSignedCookie(c, NAME, token, c.get('config').signInSecret, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: prefix !== undefined,
    maxAge: seconds,
    ...(prefix && { prefix }),
  });
}

/** Middleware: {@link requireSameOrigin}. */
export async function sameOrigin(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  requireSameOrigin(c);
  await next();
}

/** Refuses what another site's page sends: a cookie travels with it all the same. */
export function requireSameOrigin(c: Context<AppEnv>): void {
  if (c.req.header('Origin') !== new URL(c.req.url).origin) {
    throw new ApiError('permissions_denied', { details: [{ resource: 'origin', action: 'write' }] });
  }
}
