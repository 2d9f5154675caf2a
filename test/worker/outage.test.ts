/** What still works when a database is down: a region takes no other with it, and without identity everything is closed. */
import type { D1Database } from '@cloudflare/workers-types';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, cookieOf, newOwner, newProject, ORIGIN, parametersOf, postAuth } from './harness.ts';
import { PUBLIC } from './matrix-table.ts';

/** A database that answers nothing, whichever way it is asked. */
const down = (database: D1Database, message = 'D1_ERROR: Network connection lost.'): D1Database =>
  ({
    ...failing(database, /./, 'before', message),
    prepare: () => {
      throw new Error(message);
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

/** Of a region, but asks its nats-servers instead of its database. */
const WITHOUT_DATABASE = '/mnq/v1beta1/regions/:region/nats-servers';

let owner: Owner;
beforeAll(async () => {
  owner = await newOwner();
});

const read = (path: string, bindings: typeof env) => {
  const { organization_id, project_id } = owner;
  const values = { organization_id, project_id, key: 'LKEY0123456789abcdef', policy_id: crypto.randomUUID() };
  const query = new URLSearchParams(parametersOf('GET', path, values));
  return call('GET', `${path.replace(':region', 'fr-par')}?${query}`, {
    token: owner.secret_key,
    env: bindings,
  });
};

describe('with the database of a region down', () => {
  it.each(READS)('%s answers 503 if it is of that region, and otherwise as ever', async (path) => {
    const answer = await read(path, withoutRegion);
    if (path.includes(':region') && path !== WITHOUT_DATABASE) {
      expect([answer.status, answer.body.type, answer.body.resource]).toEqual([503, 'unavailable', 'fr-par']);
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

/** What a region's database says when it fails; the platform's own errors have no code of SQLite's. */
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

/** A request to the gateway with an access key that no database knows. */
async function signed(): Promise<Request> {
  // A new one each time: the gateway remembers the unknown ones for a while.
  const accessKeyId = `LKEY${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const client = new AwsClient({ accessKeyId, secretAccessKey: 'secret', region: 'fr-par', service: 'sqs' });
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.ListQueues' };
  const request = await client.sign(`${ORIGIN}/`, { method: 'POST', headers, body: '{}' });
  // A request that has come over no wire has no Host of its own.
  request.headers.set('Host', new URL(ORIGIN).host);
  return new Request(request.url, { method: 'POST', headers: request.headers, body: '{}' });
}

describe.each(FAILURES)('a region that fails with "%s"', (message) => {
  const bindings = { ...env, REGION_FR_PAR: down(env.REGION_FR_PAR, message) };
  const silent = () => vi.spyOn(console, 'error').mockReturnValue();

  it('is 503 for the API, the resolver and the gateway', async () => {
    const api = clientOf(owner, 'fr-par');
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const printed = silent();
    const listed = await api.get('/sqs-credentials', undefined, { env: bindings });
    const asked = await call('GET', `/jwt/v1/fr-par/accounts/${account}`, { env: bindings });
    for (const answer of [listed, asked]) {
      expect([answer.status, answer.body.resource]).toEqual([503, 'fr-par']);
      expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
    }
    expect((await app.fetch(await signed(), env)).status).toBe(403);
    expect((await app.fetch(await signed(), bindings)).status).toBe(503);
    expect(JSON.stringify(printed.mock.calls)).toContain(message);
    printed.mockRestore();
  });

  it('is named by the look-up, and takes nothing from the other region', async () => {
    const api = clientOf(owner, 'nl-ams');
    await api.post('/activate-sns', { project_id: owner.project_id });
    const permissions = { can_publish: true };
    const made = (await api.post('/sns-credentials', { project_id: owner.project_id, permissions })).body;
    const printed = silent();
    const answer = await call('GET', `/mnq/v1beta1/lookup?key=${made.access_key}`, {
      token: owner.secret_key,
      env: bindings,
    });
    expect([answer.status, answer.body.unavailable_regions]).toEqual([200, ['fr-par']]);
    expect(answer.body.results).toMatchObject([{ region: 'nl-ams', credentials: { id: made.id } }]);
    expect(printed.mock.calls.flat().map((line) => JSON.parse(line))).toMatchObject([
      { region: 'fr-par', message },
    ]);
    printed.mockRestore();
  });

  it('keeps a project from being deleted', async () => {
    const printed = silent();
    const path = `/account/v3/projects/${await newProject(owner)}`;
    const answer = await call('DELETE', path, { token: owner.secret_key, env: bindings });
    expect([answer.status, answer.body.resource]).toEqual([503, 'fr-par']);
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
])('a statement that is refused with "%s"', (message) => {
  it('is a fault of ours, 500, since no later attempt would succeed', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const answer = await call('GET', '/mnq/v1beta1/regions/fr-par/sqs-credentials', {
      token: owner.secret_key,
      env: { ...env, REGION_FR_PAR: down(env.REGION_FR_PAR, message) },
    });
    expect([answer.status, answer.body]).toEqual([
      500,
      { type: 'internal_error', message: 'internal error' },
    ]);
    printed.mockRestore();
  });
});

describe('with the identity database down', () => {
  it.each(READS)('%s answers 503 and tells nothing', async (path) => {
    const answer = await read(path, withoutIdentity);
    expect([answer.status, answer.body]).toEqual([
      503,
      { type: 'unavailable', message: 'temporarily unavailable', resource: 'identity' },
    ]);
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
      ['POST', '/sign-in/link', { token }],
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

  it('and a session that cannot be written tells the log no token', async () => {
    const printed = vi.spyOn(console, 'error');
    const bindings = { ...env, IDENTITY: failing(env.IDENTITY, /insert into sessions/) };
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
