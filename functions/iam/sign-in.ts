/**
 * How people sign in: better-auth on the identity database, with e-mail and password. It owns sessions and their
 * cookies; reading a session for an API request is in principals.ts. Nobody signs up: accounts exist by bootstrap.
 */
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { betterAuth } from 'better-auth/minimal';
import { drizzle } from 'drizzle-orm/d1';
import { type Context, Hono } from 'hono';
import * as schema from '../../db/identity/schema.ts';
import type { AppEnv } from '../app.ts';
import type { Config } from '../env.ts';
import { ApiError } from '../errors.ts';
import { hashPassword, verifyPassword } from './passwords.ts';

const COOKIE_PREFIX = 'latchkey';

/** The name of the session cookie at an origin: with the `__Secure-` prefix wherever there is TLS. */
export function sessionCookie({ protocol }: URL): { name: string; prefix: 'secure' | undefined } {
  return { name: `${COOKIE_PREFIX}.session_token`, prefix: protocol === 'https:' ? 'secure' : undefined };
}

function signInOf(config: Config, origin: string) {
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
      minPasswordLength: 12,
      maxPasswordLength: 128,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    account: { encryptOAuthTokens: true },
    verification: { storeIdentifier: 'hashed' },
    session: { expiresIn: 7 * 24 * 3600, updateAge: 24 * 3600, cookieCache: { enabled: false } },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: origin.startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' },
      database: { generateId: () => crypto.randomUUID() },
      ipAddress: { ipAddressHeaders: ['cf-connecting-ip'] },
    },
    telemetry: { enabled: false },
    logger: { level: 'error' },
  });
}

/** The endpoints of the sign-in library that are served; no other is reachable. */
const ENDPOINTS = {
  '/sign-in/email': 'POST',
  '/sign-out': 'POST',
  '/get-session': 'GET',
} as const;

/** Sign-in, below `/auth`. Its errors are the library's: `{code, message}`. */
export const signInRoutes = new Hono<AppEnv>();
for (const [path, method] of Object.entries(ENDPOINTS)) {
  signInRoutes.on(method, path, async (c: Context<AppEnv>) => {
    const { origin } = new URL(c.req.url);
    // The library checks the Origin header only when a cookie comes along; a sign-in needs the check as well.
    if (method === 'POST' && c.req.header('Origin') !== origin) {
      throw new ApiError('permissions_denied', { details: [{ resource: 'origin', action: 'write' }] });
    }
    return signInOf(c.get('config'), origin).handler(c.req.raw);
  });
}
