/**
 * How people sign in: better-auth on the identity database, with e-mail and password. It owns sessions and their cookies;
 * reading a session for an API request is in principals.ts. Nobody signs up: accounts exist by bootstrap and by invitation
 * (invitations.ts). Signing in and out is no change, and in no audit trail; another password is one (password-routes.ts).
 *
 * Further ways to sign in are the library's plugins, in {@link signInOf}, with their paths in {@link ENDPOINTS}:
 * passkeys (`@better-auth/passkey`, a table of its own), one-time codes (`twoFactor`, a table and a column of `users`),
 * and one configured OIDC issuer (`genericOAuth`), whose people are found in `sign_in_methods` by issuer and subject and
 * never by their e-mail address.
 */
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { betterAuth } from 'better-auth/minimal';
import { drizzle } from 'drizzle-orm/d1';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { DatabaseUnavailable, openDatabase } from '../../db/database.ts';
import * as schema from '../../db/identity/schema.ts';
import { endSession } from '../../db/identity/sessions.ts';
import { type AppEnv, bodyOf } from '../app.ts';
import { ApiError } from '../errors.ts';
import { limitAttempts } from './limits.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import {
  COOKIE_PREFIX,
  GUEST_DOMAIN,
  requireSameOrigin,
  SESSION_SECONDS,
  sessionToken,
} from './session-cookie.ts';
import { email } from './user-schemas.ts';

function signInOf(c: Context<AppEnv>) {
  const config = c.get('config');
  const { origin } = new URL(c.req.url);
  return betterAuth({
    appName: 'Latchkey',
    baseURL: origin,
    basePath: '/auth',
    secret: config.signInSecret,
    trustedOrigins: [origin],
    database: drizzleAdapter(drizzle(config.identity, { casing: 'snake_case' }), {
      provider: 'sqlite',
      schema: {
        user: schema.users,
        session: schema.sessions,
        account: schema.signInMethods,
        verification: schema.verifications,
      },
    }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    account: { encryptOAuthTokens: true },
    session: { expiresIn: SESSION_SECONDS, updateAge: 24 * 3600, cookieCache: { enabled: false } },
    databaseHooks: { session: { update: { before: keepEnd } } },
    // Its own would count in one isolate's memory: ours (limits.ts) come first.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: origin.startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' },
      database: { generateId: () => crypto.randomUUID() },
      ipAddress: { ipAddressHeaders: ['cf-connecting-ip'] },
    },
    telemetry: { enabled: false },
    // What fails is for this app to answer and to log: the library's own lines repeat queries with their parameters.
    onAPIError: { throw: true },
    logger: { disabled: true },
  });
}

/** The library prolongs sessions that are in use: a guest's would outlast the sandbox that it ends with. */
async function keepEnd(
  update: { expiresAt?: Date | undefined },
  context: { context: { session: { session: { expiresAt: Date }; user: { email: string } } | null } } | null,
) {
  const current = context?.context.session;
  if (!current?.user.email.endsWith(GUEST_DOMAIN)) return;
  return { data: { ...update, expiresAt: current.session.expiresAt } };
}

/** Has the library answer the request, with this body in place of its own, and without a query. Throws 503 where it fails. */
async function answer(c: Context<AppEnv>, body?: object): Promise<Response> {
  const { pathname, origin } = new URL(c.req.url);
  const { method } = c.req;
  const headers = new Headers(c.req.raw.headers as never);
  headers.delete('Content-Length');
  const request = new Request(new URL(pathname, origin), {
    method,
    headers,
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
  });
  // The library waits for nothing but the database, and throws the platform's own errors.
  const response = await signInOf(c)
    .handler(request)
    .catch((error: unknown) => {
      throw new DatabaseUnavailable(c.get('config').identity, error);
    });
  if (response.status < 500) return response;
  // It waits for nothing but the database, and tells no more of an error that it has caught.
  console.error(JSON.stringify({ request_id: c.get('requestId'), path: c.req.path, name: 'sign-in failed' }));
  throw new ApiError('unavailable', {}, { 'Retry-After': '5' });
}

async function signIn(c: Context<AppEnv>): Promise<Response> {
  const body = await bodyOf(c, signInBody);
  await limitAttempts(c, body.email);
  return answer(c, body);
}

/** Ends the session, and then has the library take the cookie away: it would say that it has where the session could not be ended. */
async function signOut(c: Context<AppEnv>): Promise<Response> {
  const token = await sessionToken(c);
  if (token) await endSession(openDatabase(c.get('config').identity), token);
  return answer(c);
}

const signInBody = z.object({ email, password: z.string() });

/** The endpoints of the sign-in library that are served; no other is reachable. */
const ENDPOINTS: Record<string, { method: 'GET' | 'POST'; handle(c: Context<AppEnv>): Promise<Response> }> = {
  '/sign-in/email': { method: 'POST', handle: signIn },
  '/sign-out': { method: 'POST', handle: signOut },
  '/get-session': { method: 'GET', handle: (c) => answer(c) },
};

/** Sign-in, below `/auth`. Its errors are the library's, `{code, message}`, but for those of this app. */
export const signInRoutes = new Hono<AppEnv>();
for (const [path, { method, handle }] of Object.entries(ENDPOINTS)) {
  signInRoutes.on(method, path, (c: Context<AppEnv>) => {
    // The library checks the Origin header only when a cookie comes along; a sign-in needs the check as well.
    if (method === 'POST') requireSameOrigin(c);
    return handle(c);
  });
}
