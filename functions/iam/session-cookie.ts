/**
 * The session cookie as requests bring it: its name, its signature, and the rule that a change comes from a page of
 * ours. The sign-in library (sign-in.ts) issues and removes it; whose a session is, the database says.
 */
import type { Context } from 'hono';
import { getSignedCookie } from 'hono/cookie';
import type { AppEnv } from '../app.ts';
import { ApiError } from '../errors.ts';

/** What the names of all our cookies begin with. */
export const COOKIE_PREFIX = 'latchkey';

/**
 * The token of the session that the request's cookie names; undefined without a cookie, false when its signature is
 * not ours. The name has the `__Secure-` prefix wherever there is TLS.
 */
export async function sessionToken(c: Context<AppEnv>): Promise<string | false | undefined> {
  const prefix = new URL(c.req.url).protocol === 'https:' ? 'secure' : undefined;
  return getSignedCookie(c, c.get('config').signInSecret, `${COOKIE_PREFIX}.session_token`, prefix);
}

/** Refuses what another site's page sends: a cookie travels with it all the same. */
export function requireSameOrigin(c: Context<AppEnv>): void {
  if (c.req.header('Origin') !== new URL(c.req.url).origin) {
    throw new ApiError('permissions_denied', { details: [{ resource: 'origin', action: 'write' }] });
  }
}
