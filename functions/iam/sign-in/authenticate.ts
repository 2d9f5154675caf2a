/**
 * Authenticates a request by API key (`X-Auth-Token`) or session cookie, with one query that also loads everything
 * policies need. It does not authorize; access/authorize.ts does.
 */
import type { Context } from 'hono';
import { openDatabase } from '../../../db/database.ts';
import { recordApiKeyUse } from '../../../db/identity/api-keys.ts';
import { type CallerRecord, findCallerByApiKey, findCallerBySession } from '../../../db/identity/callers.ts';
import { ApiError, type ErrorFields } from '../../shared/errors.ts';
import { type AppEnv, inBackground } from '../../shared/http.ts';
import { LAST_USE_INTERVAL_MS } from '../../shared/last-use.ts';
import { rejectUnknownToken } from '../../shared/rate-limits.ts';
import { hashSecretKey, isApiSecretKey } from '../principals/api-keys.ts';
import { requireSameOrigin, sessionToken } from './session-cookie.ts';

type Refusal = ErrorFields<'denied_authentication'>;

/** Middleware that sets the principal and the identity database, or responds with 401. */
export async function authenticate(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  c.set('identityDb', openDatabase(c.get('config').identity));
  const found = await callerFromRequest(c);
  if (!found.ok) throw new ApiError('denied_authentication', found.refusal);
  const { expiresAt, lastUsedAt, ...principal } = found.caller;
  const ends = [expiresAt, ...principal.memberships.map((membership) => membership.expiresAt)];
  if (ends.some((end) => end !== null && end <= Date.now())) {
    throw new ApiError('denied_authentication', { method: found.method, reason: 'expired' });
  }
  const safe = c.req.method === 'GET' || c.req.method === 'HEAD';
  if (found.method === 'session' && !safe) requireSameOrigin(c);
  c.set('principal', principal);
  recordLastUse(c, principal.accessKey, lastUsedAt);
  await next();
}

/** Skips the write if a use within the last few minutes is recorded. */
function recordLastUse(c: Context<AppEnv>, accessKey: string | null, lastUsedAt: number | null): void {
  const now = Date.now();
  if (accessKey === null || now - (lastUsedAt ?? 0) < LAST_USE_INTERVAL_MS) return;
  inBackground(
    c,
    'recording the last use of an API key',
    recordApiKeyUse(c.get('identityDb'), accessKey, now),
  );
}

type Authentication =
  | { ok: true; method: Refusal['method']; caller: CallerRecord }
  | { ok: false; refusal: Refusal };

async function callerFromRequest(c: Context<AppEnv>): Promise<Authentication> {
  const token = c.req.header('X-Auth-Token');
  if (token !== undefined) {
    if (!isApiSecretKey(token)) return refuse('api_key', 'invalid_argument');
    const caller = await findCallerByApiKey(c.get('identityDb'), await hashSecretKey(token));
    return caller ? { ok: true, method: 'api_key', caller } : unknown(c, 'api_key');
  }
  const session = await sessionToken(c);
  if (session === undefined) return refuse('api_key', 'invalid_argument');
  if (session === false) return refuse('session', 'not_found');
  const caller = await findCallerBySession(c.get('identityDb'), session);
  return caller ? { ok: true, method: 'session', caller } : unknown(c, 'session');
}

/** The session's user, for public endpoints; null if the session is absent, invalid or expired. */
export async function sessionCaller(c: Context<AppEnv>): Promise<CallerRecord | null> {
  const session = await sessionToken(c);
  const caller = session ? await findCallerBySession(c.get('identityDb'), session) : null;
  return caller && (caller.expiresAt ?? 0) > Date.now() ? caller : null;
}

async function unknown(c: Context<AppEnv>, method: Refusal['method']): Promise<Authentication> {
  await rejectUnknownToken(c);
  return refuse(method, 'not_found');
}

const refuse = (method: Refusal['method'], reason: Refusal['reason']): Authentication => ({
  ok: false,
  refusal: { method, reason },
});
