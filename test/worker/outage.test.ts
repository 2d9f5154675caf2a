/**
 * Database outages: an unreachable region does not affect the others, and without the identity database every request
 * is rejected.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, cookieOf, newOwner, newProject, ORIGIN, parametersOf, postAuth } from './harness.ts';
import { PUBLIC } from './matrix-table.ts';

/** A database that fails every query. */
const unreachable = (database: D1Database, message = 'D1_ERROR: Network connection lost.'): D1Database =>
  ({
    ...failing(database, /./, 'before', message),
    prepare: () => {
      throw new Error(message);
    },
  }) as unknown as D1Database;

const withoutRegion = { ...env, REGION_FR_PAR: unreachable(env.REGION_FR_PAR) };
const withoutIdentity = { ...env, IDENTITY: unreachable(env.IDENTITY) };

/** Routes that need only a region, an organization and a project. */
const READS = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method === 'GET' && !/:(?!region)/.test(path) && !path.endsWith('*'))
      .map(({ path }) => path)
      .filter((path) => !Object.hasOwn(PUBLIC, `GET ${path}`)),
  ),
];

/** Routes that do not return 200 with an Owner's API key. */
const WITH_A_KEY: Record<string, number> = { '/iam/v1alpha1/rules': 404, '/iam/v1alpha1/jwts': 403 };

/** Routes of a region that query its nats-servers instead of its database. */
const WITHOUT_DATABASE = '/mnq/v1beta1/regions/:region/nats-servers';

let owner: Owner;
beforeAll(async () => {
  owner = await newOwner();
});

const read = (path: string, bindings: typeof env) => {
  const { organization_id, project_id } = owner;
  const [policy_id, credentials_id] = [crypto.randomUUID(), crypto.randomUUID()];
  const values = { organization_id, project_id, key: 'LKEY0123456789abcdef', policy_id, credentials_id };
  const query = new URLSearchParams(parametersOf('GET', path, values));
  return call('GET', `${path.replace(':region', 'fr-par')}?${query}`, {
    token: owner.secret_key,
    env: bindings,
  });
};

describe('with an unreachable region database', () => {
  it.each(READS)('%s returns 503 if it belongs to that region, and otherwise works', async (path) => {
    const response = await read(path, withoutRegion);
    if (path.includes(':region') && path !== WITHOUT_DATABASE) {
      expect([response.status, response.body.type, response.body.resource]).toEqual([
        503,
        'unavailable',
        'fr-par',
      ]);
      expect(response.headers.get('Retry-After')).toMatch(/^\d+$/);
    } else {
      expect(response.status).toBe(WITH_A_KEY[path] ?? 200);
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

  it('a change in the region is rejected, and has not happened after recovery', async () => {
    const api = clientOf(owner, 'fr-par');
    const body = { project_id: owner.project_id, name: 'during the outage' };
    expect((await api.post('/nats-accounts', body, { env: withoutRegion })).status).toBe(503);
    expect((await api.get('/nats-accounts')).body.total_count).toBe(0);
  });
});

/** Errors of a failed database. The platform's own errors have no SQLite code. */
const FAILURES = [
  'D1_ERROR: Network connection lost.',
  'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
  'D1_ERROR: internal error; reference = 0123456789abcdef',
  'internal error; reference = 0123456789abcdef',
  'D1_ERROR: database disk image is malformed: SQLITE_CORRUPT',
  'D1_ERROR: file is not a database: SQLITE_NOTADB',
  'D1_ERROR: database or disk is full: SQLITE_FULL',
  'D1_ERROR: disk I/O error: SQLITE_IOERR',
  'D1_ERROR: database is locked: SQLITE_BUSY',
  'D1_ERROR: no such table: credentials: SQLITE_ERROR',
  'The Durable Object was reset because its code was updated.',
];

/** A gateway request with an access key that no database contains. */
async function signed(): Promise<Request> {
  // A new key each time: the gateway caches unknown keys for a while.
  const accessKeyId = `LKEY${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const client = new AwsClient({ accessKeyId, secretAccessKey: 'secret', region: 'fr-par', service: 'sqs' });
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.ListQueues' };
  const request = await client.sign(`${ORIGIN}/`, { method: 'POST', headers, body: '{}' });
  // A request that was not sent over a network has no Host header.
  request.headers.set('Host', new URL(ORIGIN).host);
  return new Request(request.url, { method: 'POST', headers: request.headers, body: '{}' });
}

describe.each(FAILURES)('a region database that fails with "%s"', (message) => {
  const bindings = { ...env, REGION_FR_PAR: unreachable(env.REGION_FR_PAR, message) };
  const unresponsive = () => vi.spyOn(console, 'error').mockReturnValue();

  it('makes the API, the resolver and the gateway return 503', async () => {
    const api = clientOf(owner, 'fr-par');
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const printed = unresponsive();
    const listed = await api.get('/sqs-credentials', undefined, { env: bindings });
    const resolved = await call('GET', `/jwt/v1/fr-par/accounts/${account}`, { env: bindings });
    for (const response of [listed, resolved]) {
      expect([response.status, response.body.resource]).toEqual([503, 'fr-par']);
      expect(response.headers.get('Retry-After')).toMatch(/^\d+$/);
    }
    expect((await app.fetch(await signed(), env)).status).toBe(403);
    expect((await app.fetch(await signed(), bindings)).status).toBe(503);
    expect(JSON.stringify(printed.mock.calls)).toContain(message);
    printed.mockRestore();
  });

  it('is reported by key lookup, which still searches the other region', async () => {
    const api = clientOf(owner, 'nl-ams');
    await api.post('/activate-sns', { project_id: owner.project_id });
    const permissions = { can_publish: true };
    const made = (await api.post('/sns-credentials', { project_id: owner.project_id, permissions })).body;
    const printed = unresponsive();
    const response = await call('GET', `/mnq/v1beta1/lookup?key=${made.access_key}`, {
      token: owner.secret_key,
      env: bindings,
    });
    expect([response.status, response.body.unavailable_regions]).toEqual([200, ['fr-par']]);
    expect(response.body.results).toMatchObject([{ region: 'nl-ams', credentials: { id: made.id } }]);
    expect(printed.mock.calls.flat().map((line) => JSON.parse(line))).toMatchObject([
      { region: 'fr-par', message },
    ]);
    printed.mockRestore();
  });

  it('prevents deleting a project', async () => {
    const printed = unresponsive();
    const path = `/account/v3/projects/${await newProject(owner)}`;
    const response = await call('DELETE', path, { token: owner.secret_key, env: bindings });
    expect([response.status, response.body.resource]).toEqual([503, 'fr-par']);
    expect((await call('GET', path, { token: owner.secret_key })).status).toBe(200);
    expect(printed).toHaveBeenCalledOnce();
    printed.mockRestore();
  });
});

describe.each([
  'D1_ERROR: UNIQUE constraint failed: credentials.key: SQLITE_CONSTRAINT',
  'D1_ERROR: NOT NULL constraint failed: audit_events.at: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)',
  'D1_ERROR: near "form": syntax error at offset 9: SQLITE_ERROR',
  'D1_ERROR: no such column: nmae at offset 7: SQLITE_ERROR',
  "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
  'D1_ERROR: Wrong number of parameter bindings for SQL query.',
])('a statement rejected with "%s"', (message) => {
  it('is an internal error, 500, because a retry cannot succeed', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const response = await call('GET', '/mnq/v1beta1/regions/fr-par/sqs-credentials', {
      token: owner.secret_key,
      env: { ...env, REGION_FR_PAR: unreachable(env.REGION_FR_PAR, message) },
    });
    expect([response.status, response.body]).toEqual([
      500,
      { type: 'internal_error', message: 'internal error' },
    ]);
    printed.mockRestore();
  });
});

describe('with an unreachable identity database', () => {
  it.each(READS)('%s returns 503 and leaks no data', async (path) => {
    const response = await read(path, withoutIdentity);
    expect([response.status, response.body]).toEqual([
      503,
      { type: 'unavailable', message: 'temporarily unavailable', resource: 'identity' },
    ]);
  });

  it('nobody can sign in', async () => {
    const { email, password } = owner;
    const logged = vi.spyOn(console, 'error');
    const response = await call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: { Origin: ORIGIN },
      env: withoutIdentity,
    });
    expect([response.status, response.body.type]).toEqual([503, 'unavailable']);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(logged.mock.calls).toHaveLength(1);
    logged.mockRestore();
  });

  it('sign-in endpoints do nothing, and log no secrets', async () => {
    const cookie = cookieOf((await postAuth('/sign-in/email', owner)).headers);
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')];
    const token = 'A'.repeat(43);
    const wanted = 'a wanted password';
    for (const [method, path, body] of [
      ['GET', '/get-session'],
      ['POST', '/sign-out', {}],
      ['POST', '/sign-in/link', { token }],
      ['POST', '/change-password', { currentPassword: owner.password, newPassword: wanted }],
      ['POST', '/reset-password', { token, newPassword: wanted }],
      ['POST', '/invitation', { token }],
      ['POST', '/accept-invitation', { token, name: 'x', password: wanted }],
    ] as const) {
      const headers = { Origin: ORIGIN, Cookie: cookie };
      const response = await call(method, `/auth${path}`, { body, headers, env: withoutIdentity });
      expect([path, response.status, response.body.type]).toEqual([path, 503, 'unavailable']);
    }
    const lines = JSON.stringify(printed.flatMap((recordLog) => recordLog.mock.calls));
    for (const spy of printed) spy.mockRestore();
    const [secret] = decodeURIComponent(cookie.split('=')[1] ?? '').split('.');
    expect(secret?.length).toBeGreaterThan(20);
    for (const known of [secret, wanted, owner.password, token, 'params']) expect(lines).not.toContain(known);
  });

  it('a session that cannot be written logs no token', async () => {
    const printed = vi.spyOn(console, 'error');
    const bindings = { ...env, IDENTITY: failing(env.IDENTITY, /insert into sessions/) };
    const response = await postAuth('/sign-in/email', owner, { env: bindings });
    expect([response.status, response.body.type]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(printed.mock.calls)).not.toMatch(/params|insert/);
    printed.mockRestore();
  });

  it('public routes still work', async () => {
    expect((await call('GET', '/healthz', { env: withoutIdentity })).status).toBe(200);
    expect((await call('GET', '/openapi.json', { env: withoutIdentity })).status).toBe(200);
  });
});
