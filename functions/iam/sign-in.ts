/**
 * How people sign in: better-auth on the identity database, with e-mail and password. It owns sessions, their cookies
 * and passwords; reading a session for an API request is in principals.ts. Nobody signs up: accounts exist by bootstrap
 * and by invitation (invitations.ts).
 *
 * The library writes by itself, statement by statement: the audit rows of a change of password, with the end of what
 * the old one let in, are a batch right after it. Signing in and out is no change, and in no audit trail.
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
import { type Database, openDatabase } from '../../db/database.ts';
import * as schema from '../../db/identity/schema.ts';
import { hasPassword, notePasswordChange } from '../../db/identity/sessions.ts';
import { type AppEnv, changeOf, inBackground } from '../app.ts';
import { ApiError, problemsOf } from '../errors.ts';
import { sendMail } from '../mail.ts';
import { limitAttempts, limitMails } from './limits.ts';
import { hashPassword, newPassword, PASSWORD_LENGTH, verifyPassword } from './passwords.ts';
import { COOKIE_PREFIX, GUEST_DOMAIN, requireSameOrigin } from './session-cookie.ts';
import { email } from './user-schemas.ts';

const RESET_SECONDS = 3600;

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
      minPasswordLength: PASSWORD_LENGTH.min,
      maxPasswordLength: PASSWORD_LENGTH.max,
      password: { hash: hashPassword, verify: verifyPassword },
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      sendResetPassword: ({ user, token }) => mailReset(c, user, token),
      onPasswordReset: ({ user }) => notePassword(c, user.id, 'reset'),
    },
    account: { encryptOAuthTokens: true },
    verification: { storeIdentifier: 'hashed' },
    session: { expiresIn: 7 * 24 * 3600, updateAge: 24 * 3600, cookieCache: { enabled: false } },
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
    logger: { level: 'error' },
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

const identityOf = (c: Context<AppEnv>): Database => openDatabase(c.get('config').identity);

/** Who is only invited gets no such mail: the invitation is how they choose a password. */
async function mailReset(
  c: Context<AppEnv>,
  { id, email: to }: { id: string; email: string },
  token: string,
): Promise<void> {
  if (!(await hasPassword(identityOf(c), id))) return;
  const { origin } = new URL(c.req.url);
  const text = `Someone asked to reset the password of ${to} on Latchkey. Open this link to choose a new one:

${origin}/reset-password/#${token}

It works once, for an hour. If it was not you, you need not do anything: your password is what it was.
`;
  const mail = { to, subject: 'Reset your Latchkey password', text };
  inBackground(c, 'sending a password reset', sendMail(c.get('config').mail, mail));
}

async function notePassword(c: Context<AppEnv>, userId: string, how: 'change' | 'reset', keep?: string) {
  const change = changeOf(c, { type: 'user', id: userId, accessKey: null });
  await notePasswordChange(identityOf(c), change, { userId, how, keep: keep ?? null });
}

/** Has the library answer the request, with this body in place of its own, and without a query. */
function answer(c: Context<AppEnv>, body?: object): Promise<Response> {
  const { pathname, origin } = new URL(c.req.url);
  const { method } = c.req;
  const headers = new Headers(c.req.raw.headers as never);
  headers.delete('Content-Length');
  const request = new Request(new URL(pathname, origin), {
    method,
    headers,
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
  });
  return signInOf(c).handler(request);
}

type Handler = (c: Context<AppEnv>) => Promise<Response>;

/** Parses the body, and answers what does not fit in the contract's shape. */
function withBody<Body>(
  schema: z.ZodType<Body>,
  handle: (c: Context<AppEnv>, body: Body) => Promise<Response>,
) {
  return async (c: Context<AppEnv>) => {
    const parsed = schema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) throw new ApiError('invalid_arguments', { details: problemsOf(parsed.error) });
    return handle(c, parsed.data);
  };
}

const signIn = withBody(z.object({ email, password: z.string() }), async (c, body) => {
  await limitAttempts(c, body.email);
  return answer(c, body);
});

const changePassword = withBody(
  z.object({ currentPassword: z.string().max(PASSWORD_LENGTH.max), newPassword }),
  async (c, body) => {
    await limitAttempts(c);
    const response = await answer(c, { ...body, revokeOtherSessions: true });
    if (!response.ok) return response;
    // The library ends every session and begins this one; its token is in the answer as well, where no page needs it.
    const { token, user } = (await response.json()) as { token: string; user: { id: string } };
    await notePassword(c, user.id, 'change', token);
    return new Response('{"status":true}', { headers: response.headers });
  },
);

/** Answers at once and alike whether anybody has the address: the rest happens afterwards. */
const requestPasswordReset = withBody(z.object({ email }), async (c, body) => {
  await limitAttempts(c);
  if (!c.get('config').mail) {
    throw new ApiError('precondition_failed', {
      precondition: 'mail',
      help_message: 'This Latchkey sends no mail, so that no password can be reset. Ask who runs it.',
    });
  }
  await limitMails(c, body.email);
  inBackground(
    c,
    'a password reset',
    answer(c, body).then(() => undefined),
  );
  return c.json({ status: true });
});

const resetPassword = withBody(z.object({ token: z.string().min(1), newPassword }), async (c, body) => {
  await limitAttempts(c);
  return answer(c, body);
});

/** The endpoints of the sign-in library that are served; no other is reachable. */
const ENDPOINTS: Record<string, { method: 'GET' | 'POST'; handle: Handler }> = {
  '/sign-in/email': { method: 'POST', handle: signIn },
  '/sign-out': { method: 'POST', handle: (c) => answer(c) },
  '/get-session': { method: 'GET', handle: (c) => answer(c) },
  '/change-password': { method: 'POST', handle: changePassword },
  '/request-password-reset': { method: 'POST', handle: requestPasswordReset },
  '/reset-password': { method: 'POST', handle: resetPassword },
};

/** Sign-in, below `/auth`. Its errors are the library's, `{code, message}`, but for those of {@link ApiError}. */
export const signInRoutes = new Hono<AppEnv>();
for (const [path, { method, handle }] of Object.entries(ENDPOINTS)) {
  signInRoutes.on(method, path, (c: Context<AppEnv>) => {
    // The library checks the Origin header only when a cookie comes along; a sign-in needs the check as well.
    if (method === 'POST') requireSameOrigin(c);
    return handle(c);
  });
}
