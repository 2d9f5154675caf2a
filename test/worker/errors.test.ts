/** Invalid requests get a response in the contract's shape that names the argument and the expected value. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { errors } from '../../functions/shared/errors.ts';
import { failing } from './fault.ts';
import { call, clientOf, newOwner } from './harness.ts';

let owner: Owner;
let api: ReturnType<typeof clientOf>;
let account: string;

beforeAll(async () => {
  owner = await newOwner();
  api = clientOf(owner, 'fr-par');
  account = (await api.post('/nats-accounts', { project_id: owner.project_id, name: 'errors' })).body.id;
  await api.post('/activate-sqs', { project_id: owner.project_id });
});

const permissions = { can_publish: true };
const long = 'x'.repeat(501);

describe('an invalid argument is named:', () => {
  // Body of POST /sqs-credentials → the rejected arguments and the reasons.
  it.each<[string, unknown, [string, string][]]>([
    [
      'an empty object',
      {},
      [
        ['project_id', 'required'],
        ['permissions', 'required'],
      ],
    ],
    ['an array', [], [['body', 'format']]],
    ['null', 'null', [['body', 'format']]],
    ['malformed JSON', '{"project_id":', [['body', 'format']]],
    ['an empty body', '', [['body', 'format']]],
    ['a project ID that is not a UUID', { project_id: 'mine', permissions }, [['project_id', 'format']]],
    [
      'a number for a name',
      { name: 7, permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'an over-long name',
      { name: long, permissions },
      [
        ['project_id', 'required'],
        ['name', 'constraint'],
      ],
    ],
    [
      'a whitespace-only name',
      { name: '  ', permissions },
      [
        ['project_id', 'required'],
        ['name', 'constraint'],
      ],
    ],
    [
      'a name with a line break',
      { name: 'a\nb', permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'a name with a NUL character',
      { name: 'a\u0000b', permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'a name with an unpaired surrogate',
      { name: 'a\ud800b', permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'no permissions',
      { permissions: {} },
      [
        ['project_id', 'required'],
        ['permissions', 'constraint'],
      ],
    ],
    [
      'only false permissions',
      { permissions: { can_publish: false, can_receive: null } },
      [
        ['project_id', 'required'],
        ['permissions', 'constraint'],
      ],
    ],
    [
      'a string for a permission',
      { permissions: { can_publish: 'yes' } },
      [
        ['project_id', 'required'],
        ['permissions.can_publish', 'format'],
      ],
    ],
  ])('%s', async (_what, body, expected) => {
    const response = await api.post('/sqs-credentials', body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ type: 'invalid_arguments', message: 'invalid argument(s)' });
    const found = response.body.details.map((d: Record<string, string>) => [d.argument_name, d.reason]);
    expect(found).toEqual(expected);
    for (const { help_message: help } of response.body.details) expect(help.length).toBeGreaterThan(5);
    expect(response.text).not.toContain(long);
  });

  it.each([
    ['page=0', 'page', 'constraint'],
    ['page=one', 'page', 'format'],
    ['page_size=101', 'page_size', 'constraint'],
    ['page_size=1.5', 'page_size', 'format'],
    ['order_by=size_asc', 'order_by', 'constraint'],
    ['project_id=mine', 'project_id', 'format'],
  ])('in the query: %s', async (query, name, reason) => {
    const response = await api.get(`/sqs-credentials?${query}`);
    expect(response.status).toBe(400);
    expect(response.body.details).toMatchObject([{ argument_name: name, reason }]);
  });

  it('in the path', async () => {
    for (const [path, name] of [
      ['/sqs-credentials/7', 'credentials_id'],
      ['/nats-credentials/7', 'credentials_id'],
      ['/nats-accounts/AB', 'nats_account_id'],
      [`/nats-accounts/${account}A`, 'nats_account_id'],
    ] as const) {
      const response = await api.get(path);
      expect([response.status, response.body.details[0].argument_name]).toEqual([400, name]);
    }
  });

  it('for an account: a name of 65 characters, an ID of the wrong length', async () => {
    const named = await api.post('/nats-accounts', { project_id: owner.project_id, name: 'x'.repeat(65) });
    expect(named.body.details).toMatchObject([{ argument_name: 'name', reason: 'constraint' }]);
    const wrong = await api.post('/nats-credentials', { nats_account_id: account.slice(1) });
    expect(wrong.body.details).toMatchObject([{ argument_name: 'nats_account_id', reason: 'format' }]);
  });

  it('an unknown region, before any other argument, and only for an authenticated caller', async () => {
    const elsewhere = clientOf(owner, 'us-xyz');
    for (const response of [
      await elsewhere.get('/nats-accounts'),
      await elsewhere.post('/sqs-credentials', {}),
    ]) {
      expect(response.status).toBe(400);
      expect(response.body.details).toEqual([
        { argument_name: 'region', reason: 'constraint', help_message: 'must be one of fr-par, nl-ams' },
      ]);
    }
    expect((await elsewhere.get('/nats-accounts', undefined, { token: null })).status).toBe(401);
  });
});

describe('a name', () => {
  it.each(['日本語の名前', '🔑🔒 clé', 'a "quoted" <b>name</b>', "Robert'); drop table credentials;--"])(
    'can be any Unicode string: %s',
    async (name) => {
      const made = await api.post('/sqs-credentials', {
        project_id: owner.project_id,
        name: ` ${name} `,
        permissions,
      });
      expect(made.body.name).toBe(name);
      expect((await api.get(`/sqs-credentials/${made.body.id}`)).body.name).toBe(name);
      const nats = await api.post('/nats-credentials', { nats_account_id: account, name });
      expect(nats.body.name).toBe(name);
    },
  );

  it('can have 500 characters', async () => {
    const name = 'ü'.repeat(500);
    const made = await api.post('/sqs-credentials', { project_id: owner.project_id, name, permissions });
    expect(made.body.name).toBe(name);
  });
});

describe('an unreadable request', () => {
  const path = '/mnq/v1beta1/regions/fr-par/sqs-credentials';
  const token = () => owner.secret_key;

  it('is rejected with 413 when its body is too large', async () => {
    const body = { project_id: owner.project_id, name: 'x'.repeat(70_000), permissions };
    const response = await api.post('/sqs-credentials', body);
    expect([response.status, response.body.type]).toEqual([413, 'payload_too_large']);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'is rejected with 415 for the content type "%s"',
    async (type) => {
      const headers = { 'Content-Type': type };
      const response = await call('POST', path, { token: token(), headers, body: '{}' });
      expect([response.status, response.body.type]).toEqual([415, 'unsupported_media_type']);
    },
  );

  it('is accepted when its content type has a charset', async () => {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    const body = JSON.stringify({ project_id: owner.project_id, permissions });
    expect((await call('POST', path, { token: token(), headers, body })).status).toBe(200);
  });

  it('gets 405 with the allowed methods for an unknown method', async () => {
    const response = await call('PUT', path, { token: token(), body: {} });
    expect([response.status, response.body.type]).toEqual([405, 'method_not_allowed']);
    expect(response.headers.get('Allow')).toBe('GET, HEAD, POST');
  });

  it('gets 404 for an unknown path', async () => {
    const response = await api.get('/nothing-here');
    expect([response.status, response.body.type]).toEqual([404, 'not_found']);
  });
});

describe('every response', () => {
  it('has a request ID and security headers, and is not cached', async () => {
    for (const response of [
      await api.get('/nats-accounts'),
      await api.get('/nothing-here'),
      await call('GET', '/mnq/v1beta1/regions/fr-par/nats-accounts'),
    ]) {
      expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(response.headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
      expect(response.headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      );
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
  });

  it('to an unexpected error is a fixed message, which leaks no details', async () => {
    const { env } = await import('./env.ts');
    const internalError = 'D1_ERROR: near "form": syntax error at offset 9: SQLITE_ERROR';
    const broken = { ...env, IDENTITY: failing(env.IDENTITY, /./, 'before', internalError) };
    const logged: string[] = [];
    const log = console.error;
    console.error = (text: string) => logged.push(text);
    const response = await api.get('/nats-accounts', undefined, { env: broken }).finally(() => {
      console.error = log;
    });
    expect(response.status).toBe(500);
    expect(response.body).toEqual({ type: 'internal_error', message: errors.internal_error.message });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain(response.headers.get('X-Request-Id'));
    expect(logged[0]).not.toContain(owner.secret_key);
  });
});
