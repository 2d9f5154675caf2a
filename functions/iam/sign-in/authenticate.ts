/**
 * Authenticates a request by API key (`X-Auth-Token`) or session cookie, with one query that also loads everything
 * policies need. It does not authorize; access/authorize.ts does.
 */
import type { Context } from 'hono';
import { openDatabase } from '../../../db/database.ts';
import { noteApiKeyUse } from '../../../db/identity/api-keys.ts';
import { type Bearer, findApiKeyBearer, findSessionBearer } from '../../../db/identity/callers.ts';
import { ApiError, type ErrorFields } from '../../shared/errors.ts';
import { type AppEnv, inBackground } from '../../shared/http.ts';
import { LAST_USE_INTERVAL_MS } from '../../shared/last-use.ts';
import { refuseUnknown } from '../../shared/rate-limits.ts';
import { hashSecretKey, isSecretKey } from '../principals/api-keys.ts';
import { requireSameOrigin, sessionToken } from './session-cookie.ts';

type Refusal = ErrorFields<'denied_authentication'>;

/** Middleware that sets the principal and the identity database, or responds with 401. */
export async function authenticate(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  c.set('identity', openDatabase(c.get('config').identity));
  const found = await bearerOf(c);
  if (!found.ok) throw new ApiError('denied_authentication', found.refusal);
  const { expiresAt, lastUsedAt, ...principal } = found.bearer;
  const ends = [expiresAt, ...principal.memberships.map((membership) => membership.expiresAt)];
  if (ends.some((end) => end !== null && end <= Date.now())) {
    throw new ApiError('denied_authentication', { method: found.method, reason: 'expired' });
  }
  const safe = c.req.method === 'GET' || c.req.method === 'HEAD';
  if (found.method === 'session' && !safe) requireSameOrigin(c);
  c.set('principal', principal);
  noteLastUse(c, principal.accessKey, lastUsedAt);
  await next();
}

/** Skips the write if a use within the last few minutes is recorded. */
function noteLastUse(c: Context<AppEnv>, accessKey: string | null, lastUsedAt: number | null): void {
  const now = Date.now();
  if (accessKey === null || now - (lastUsedAt ?? 0) < LAST_USE_INTERVAL_MS) return;
  inBackground(c, 'recording the last use of an API key', noteApiKeyUse(c.get('identity'), accessKey, now));
}

type Found = { ok: true; method: Refusal['method']; bearer: Bearer } | { ok: false; refusal: Refusal };

async function bearerOf(c: Context<AppEnv>): Promise<Found> {
  const token = c.req.header('X-Auth-Token');
  if (token !== undefined) {
    if (!isSecretKey(token)) return refuse('api_key', 'invalid_argument');
    const bearer = await findApiKeyBearer(c.get('identity'), await hashSecretKey(token));
    return bearer ? { ok: true, method: 'api_key', bearer } : unknown(c, 'api_key');
  }
  const session = await sessionToken(c);
  if (session === undefined) return refuse('api_key', 'invalid_argument');
  if (session === false) return refuse('session', 'not_found');
  const bearer = await findSessionBearer(c.get('identity'), session);
  return bearer ? { ok: true, method: 'session', bearer } : unknown(c, 'session');
}

/** The session's user, for public endpoints; null if the session is absent, invalid or expired. */
export async function bearerOfSession(c: Context<AppEnv>): Promise<Bearer | null> {
  const session = await sessionToken(c);
  const bearer = session ? await findSessionBearer(c.get('identity'), session) : null;
  return bearer && (bearer.expiresAt ?? 0) > Date.now() ? bearer : null;
}

async function unknown(c: Context<AppEnv>, method: Refusal['method']): Promise<Found> {
  await refuseUnknown(c);
  return refuse(method, 'not_found');
}

const refuse = (method: Refusal['method'], reason: Refusal['reason']): Found => ({
  ok: false,
  refusal: { method, reason },
});
