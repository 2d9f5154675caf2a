/** What is wrong with a request is said in the contract's shape, naming the argument and what would be right. */
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

describe('a bad argument is named', () => {
  // Body of POST /sqs-credentials → the arguments refused, with their reasons.
  it.each<[string, unknown, [string, string][]]>([
    [
      'nothing at all',
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
    ['a project that is no UUID', { project_id: 'mine', permissions }, [['project_id', 'format']]],
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
      'a name of spaces',
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
      'a name with a NUL',
      { name: 'a\u0000b', permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'half a surrogate pair',
      { name: 'a\ud800b', permissions },
      [
        ['project_id', 'required'],
        ['name', 'format'],
      ],
    ],
    [
      'no permission',
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
  ])('%s', async (_what, body, problems) => {
    const answer = await api.post('/sqs-credentials', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: 'invalid_arguments', message: 'invalid argument(s)' });
    const found = answer.body.details.map((d: Record<string, string>) => [d.argument_name, d.reason]);
    expect(found).toEqual(problems);
    for (const { help_message: help } of answer.body.details) expect(help.length).toBeGreaterThan(5);
    expect(answer.text).not.toContain(long);
  });

  it.each([
    ['page=0', 'page', 'constraint'],
    ['page=one', 'page', 'format'],
    ['page_size=101', 'page_size', 'constraint'],
    ['page_size=1.5', 'page_size', 'format'],
    ['order_by=size_asc', 'order_by', 'constraint'],
    ['project_id=mine', 'project_id', 'format'],
  ])('in a query: %s', async (query, name, reason) => {
    const answer = await api.get(`/sqs-credentials?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.details).toMatchObject([{ argument_name: name, reason }]);
  });

  it('in a path', async () => {
    for (const [path, name] of [
      ['/sqs-credentials/7', 'credentials_id'],
      ['/nats-credentials/7', 'credentials_id'],
      ['/nats-accounts/AB', 'nats_account_id'],
      [`/nats-accounts/${account}A`, 'nats_account_id'],
    ] as const) {
      const answer = await api.get(path);
      expect([answer.status, answer.body.details[0].argument_name]).toEqual([400, name]);
    }
  });

  it('in an account: a name of 65 characters, an id of the wrong length', async () => {
    const named = await api.post('/nats-accounts', { project_id: owner.project_id, name: 'x'.repeat(65) });
    expect(named.body.details).toMatchObject([{ argument_name: 'name', reason: 'constraint' }]);
    const wrong = await api.post('/nats-credentials', { nats_account_id: account.slice(1) });
    expect(wrong.body.details).toMatchObject([{ argument_name: 'nats_account_id', reason: 'format' }]);
  });

  it('a region that is not served, whatever follows, but only to who may ask', async () => {
    const elsewhere = clientOf(owner, 'us-xyz');
    for (const answer of [
      await elsewhere.get('/nats-accounts'),
      await elsewhere.post('/sqs-credentials', {}),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.details).toEqual([
        { argument_name: 'region', reason: 'constraint', help_message: 'must be one of fr-par, nl-ams' },
      ]);
    }
    expect((await elsewhere.get('/nats-accounts', undefined, { token: null })).status).toBe(401);
  });
});

describe('names', () => {
  it.each(['日本語の名前', '🔑🔒 clé', 'a "quoted" <b>name</b>', "Robert'); drop table credentials;--"])(
    'may be any Unicode: %s',
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

  it('may have 500 characters', async () => {
    const name = 'ü'.repeat(500);
    const made = await api.post('/sqs-credentials', { project_id: owner.project_id, name, permissions });
    expect(made.body.name).toBe(name);
  });
});

describe('a request that cannot be read', () => {
  const path = '/mnq/v1beta1/regions/fr-par/sqs-credentials';
  const token = () => owner.secret_key;

  it('is refused for its size', async () => {
    const body = { project_id: owner.project_id, name: 'x'.repeat(70_000), permissions };
    const answer = await api.post('/sqs-credentials', body);
    expect([answer.status, answer.body.type]).toEqual([413, 'payload_too_large']);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'is refused for its content type "%s"',
    async (type) => {
      const headers = { 'Content-Type': type };
      const answer = await call('POST', path, { token: token(), headers, body: '{}' });
      expect([answer.status, answer.body.type]).toEqual([415, 'unsupported_media_type']);
    },
  );

  it('may name a character set', async () => {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    const body = JSON.stringify({ project_id: owner.project_id, permissions });
    expect((await call('POST', path, { token: token(), headers, body })).status).toBe(200);
  });

  it('is told the methods there are', async () => {
    const answer = await call('PUT', path, { token: token(), body: {} });
    expect([answer.status, answer.body.type]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.get('Allow')).toBe('GET, HEAD, POST');
  });

  it('at an unknown path is told so', async () => {
    const answer = await api.get('/nothing-here');
    expect([answer.status, answer.body.type]).toEqual([404, 'not_found']);
  });
});

describe('every answer', () => {
  it('has a request id, forbids sniffing and framing, and is not stored', async () => {
    for (const answer of [
      await api.get('/nats-accounts'),
      await api.get('/nothing-here'),
      await call('GET', '/mnq/v1beta1/regions/fr-par/nats-accounts'),
    ]) {
      expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(answer.headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
      expect(answer.headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('Cache-Control')).toBe('no-store');
    }
  });

  it('to what was not foreseen is a fixed one', async () => {
    const { env } = await import('./env.ts');
    const mistake = 'D1_ERROR: near "form": syntax error at offset 9: SQLITE_ERROR';
    const broken = { ...env, IDENTITY: failing(env.IDENTITY, /./, 'before', mistake) };
    const logged: string[] = [];
    const log = console.error;
    console.error = (text: string) => logged.push(text);
    const answer = await api.get('/nats-accounts', undefined, { env: broken }).finally(() => {
      console.error = log;
    });
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({ type: 'internal_error', message: errors.internal_error.message });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain(answer.headers.get('X-Request-Id'));
    expect(logged[0]).not.toContain(owner.secret_key);
  });
});
