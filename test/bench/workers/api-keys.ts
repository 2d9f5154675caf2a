/**
 * API keys of better-auth's plugin on our identity database: an endpoint for each of the four operations that
 * peers.ts compares. Its own rate limit and its work after the response are off. A successful verification always
 * writes twice, when the key was last used and changed; one that is rejected for a missing permission, as in the
 * comparison, only reads.
 */
import { apiKey } from '@better-auth/api-key';
import type { D1Database } from '@cloudflare/workers-types';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { betterAuth } from 'better-auth/minimal';
import { drizzle } from 'drizzle-orm/d1';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import * as schema from '../../../db/identity/schema.ts';
import { hashPassword, verifyPassword } from '../../../functions/iam/sign-in/passwords.ts';

const time = (name: string) => integer(name, { mode: 'timestamp_ms' });
const flag = (name: string) => integer(name, { mode: 'boolean' });

const apikey = sqliteTable('apikey', {
  id: text('id').primaryKey(),
  configId: text('config_id').notNull(),
  name: text('name'),
  start: text('start'),
  referenceId: text('reference_id').notNull(),
  prefix: text('prefix'),
  key: text('key').notNull(),
  refillInterval: integer('refill_interval'),
  refillAmount: integer('refill_amount'),
  lastRefillAt: time('last_refill_at'),
  enabled: flag('enabled'),
  rateLimitEnabled: flag('rate_limit_enabled'),
  rateLimitTimeWindow: integer('rate_limit_time_window'),
  rateLimitMax: integer('rate_limit_max'),
  requestCount: integer('request_count'),
  remaining: integer('remaining'),
  lastRequest: time('last_request'),
  expiresAt: time('expires_at'),
  createdAt: time('created_at').notNull(),
  updatedAt: time('updated_at').notNull(),
  permissions: text('permissions'),
  metadata: text('metadata'),
});

function authOf(database: D1Database) {
  return betterAuth({
    baseURL: 'http://127.0.0.1',
    secret: '0123456789'.repeat(4),
    database: drizzleAdapter(drizzle(database, { casing: 'snake_case' }), {
      provider: 'sqlite',
      schema: {
        user: schema.users,
        session: schema.sessions,
        account: schema.signInMethods,
        verification: schema.verifications,
        apikey,
      },
    }),
    emailAndPassword: { enabled: true, password: { hash: hashPassword, verify: verifyPassword } },
    session: { cookieCache: { enabled: false } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    advanced: { database: { generateId: () => crypto.randomUUID() } },
    plugins: [apiKey({ rateLimit: { enabled: false } })],
  });
}

let auth: ReturnType<typeof authOf> | undefined;

/** The parameters of an operation; each uses the members it needs. */
interface Asked {
  email: string;
  password: string;
  keyId: string;
  key: string;
}

export default {
  async fetch(request: Request, { IDENTITY }: { IDENTITY: D1Database }): Promise<Response> {
    auth ??= authOf(IDENTITY);
    const { api } = auth;
    const { email, password, keyId, key } = (await request.json()) as Asked;
    const { headers } = request;
    /** The user ID of the caller: these two can be called from a server only, which must specify it. */
    const userId = async () => (await api.getSession({ headers }))?.user.id;
    switch (new URL(request.url).pathname) {
      case '/mnq/sign-in':
        return api.signInEmail({ body: { email, password }, asResponse: true });
      case '/mnq/create':
        return Response.json(
          await api.createApiKey({
            body: { userId: await userId(), name: 'measured', permissions: { queue: ['write'] } },
          }),
        );
      case '/mnq/grant':
        return Response.json(
          await api.updateApiKey({
            body: { userId: await userId(), keyId, permissions: { queue: ['manage'] } },
          }),
        );
      case '/mnq/verify': {
        const { error } = await api.verifyApiKey({ body: { key, permissions: { queue: ['read'] } } });
        return Response.json({ code: error?.code }, { status: 403 });
      }
      case '/mnq/revoke':
        return Response.json(await api.deleteApiKey({ body: { keyId }, headers }));
      default:
        return new Response('There is no such operation', { status: 404 });
    }
  },
};
