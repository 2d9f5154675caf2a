/** What still works when a database is down: a region takes no other with it, and without identity everything is closed. */
import type { D1Database } from '@cloudflare/workers-types';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../db/identity/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, cookieOf, newOwner, ORIGIN, postAuth } from './harness.ts';
import { PUBLIC } from './matrix-table.ts';

/** A database that answers nothing, whichever way it is asked. */
const down = (database: D1Database): D1Database =>
  ({
    ...failing(database, /./),
    prepare: () => {
      throw new Error('D1_ERROR: Network connection lost.');
    },
  }) as unknown as D1Database;

const withoutRegion = { ...env, REGION_FR_PAR: down(env.REGION_FR_PAR) };
const withoutIdentity = { ...env, IDENTITY: down(env.IDENTITY) };

/** The routes that need nothing but a region, an organization and a project to be named. */
const READS = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method === 'GET' && !/:(?!region)/.test(path) && !path.endsWith('*'))
      .map(({ path }) => path)
      .filter((path) => !Object.hasOwn(PUBLIC, `GET ${path}`)),
  ),
];

/** What is not 200 with an API key of an Owner's. */
const WITH_A_KEY: Record<string, number> = { '/iam/v1alpha1/rules': 404, '/iam/v1alpha1/jwts': 403 };

let owner: Owner;
beforeAll(async () => {
  owner = await newOwner();
});

const read = (path: string, bindings: typeof env) => {
  const { organization_id, project_id } = owner;
  const query = new URLSearchParams({ organization_id, project_id, key: 'LKEY0123456789abcdef' });
  if (path.endsWith('/rules')) query.set('policy_id', crypto.randomUUID());
  return call('GET', `${path.replace(':region', 'fr-par')}?${query}`, {
    token: owner.secret_key,
    env: bindings,
  });
};

describe('with the database of a region down', () => {
  it.each(READS)('%s answers 503 if it is of that region, and otherwise as ever', async (path) => {
    const answer = await read(path, withoutRegion);
    if (path.includes(':region')) {
      expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
      expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
    } else {
      expect(answer.status).toBe(WITH_A_KEY[path] ?? 200);
    }
  });

  it('the other region works, and so does signing in', async () => {
    const options = { env: withoutRegion };
    const api = clientOf(owner, 'nl-ams');
    expect((await api.post('/nats-accounts', { project_id: owner.project_id }, options)).status).toBe(200);
    const { email, password } = owner;
    const signedIn = await call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: { Origin: ORIGIN },
      ...options,
    });
    expect(signedIn.status).toBe(200);
  });

  it('a change there is refused, and has not happened when it is back', async () => {
    const api = clientOf(owner, 'fr-par');
    const body = { project_id: owner.project_id, name: 'during the outage' };
    expect((await api.post('/nats-accounts', body, { env: withoutRegion })).status).toBe(503);
    expect((await api.get('/nats-accounts')).body.total_count).toBe(0);
  });
});

describe('with the identity database down', () => {
  it.each(READS)('%s answers 503 and tells nothing', async (path) => {
    const answer = await read(path, withoutIdentity);
    expect([answer.status, Object.keys(answer.body)]).toEqual([503, ['type', 'message']]);
  });

  it('nobody signs in', async () => {
    const { email, password } = owner;
    const logged = vi.spyOn(console, 'error');
    const answer = await call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: { Origin: ORIGIN },
      env: withoutIdentity,
    });
    expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
    expect(answer.headers.get('Set-Cookie')).toBeNull();
    expect(logged.mock.calls).toHaveLength(1);
    logged.mockRestore();
  });

  it('no path of sign-in does anything, nor tells the log what it was given', async () => {
    const cookie = cookieOf((await postAuth('/sign-in/email', owner)).headers);
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')];
    const token = 'A'.repeat(43);
    const wanted = 'a wanted password';
    for (const [method, path, body] of [
      ['GET', '/get-session'],
      ['POST', '/sign-out', {}],
      ['POST', '/change-password', { currentPassword: owner.password, newPassword: wanted }],
      ['POST', '/reset-password', { token, newPassword: wanted }],
      ['POST', '/invitation', { token }],
      ['POST', '/accept-invitation', { token, name: 'x', password: wanted }],
    ] as const) {
      const headers = { Origin: ORIGIN, Cookie: cookie };
      const answer = await call(method, `/auth${path}`, { body, headers, env: withoutIdentity });
      expect([path, answer.status, answer.body.type]).toEqual([path, 503, 'unavailable']);
    }
    const lines = JSON.stringify(printed.flatMap((spy) => spy.mock.calls));
    for (const spy of printed) spy.mockRestore();
    const [secret] = decodeURIComponent(cookie.split('=')[1] ?? '').split('.');
    expect(secret?.length).toBeGreaterThan(20);
    for (const known of [secret, wanted, owner.password, token, 'params']) expect(lines).not.toContain(known);
  });

  it('and a write that fails half-way in the library tells the log no token', async () => {
    const printed = vi.spyOn(console, 'error');
    const bindings = { ...env, IDENTITY: failing(env.IDENTITY, /insert into "sessions"/) };
    const answer = await postAuth('/sign-in/email', owner, { env: bindings });
    expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(printed.mock.calls)).not.toMatch(/params|insert/);
    printed.mockRestore();
  });

  it('what is public is still there', async () => {
    expect((await call('GET', '/healthz', { env: withoutIdentity })).status).toBe(200);
    expect((await call('GET', '/openapi.json', { env: withoutIdentity })).status).toBe(200);
  });
});
