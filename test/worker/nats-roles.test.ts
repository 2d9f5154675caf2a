/** NATS roles: what they accept, limits, credentials with a role, and changes under concurrency. */
import { decode } from '@nats-io/jwt';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { reseal } from '../../functions/credentials/reseal.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { MAX_ROLE_BYTES } from '../../functions/nats/role-template.ts';
import { configOf, type SealingKey } from '../../functions/shared/env.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import { call, clientOf, cookieOf, databaseOf, newOwner, ORIGIN, REGIONS, rows } from './harness.ts';

const subjects = { publish: { allow: ['orders.>'], deny: [] }, subscribe: { allow: ['_INBOX.>'], deny: [] } };

interface UserClaims {
  iss: string;
  sub: string;
  nats: Record<string, unknown>;
}
interface Scope {
  kind: string;
  key: string;
  role: string;
  template: Record<string, unknown>;
}
interface AccountClaims {
  iat: number;
  nats: { signing_keys: (string | Scope)[]; revocations?: Record<string, number> };
}

describe.each(REGIONS)('NATS roles in %s', (region) => {
  let owner: Owner;
  let api: ReturnType<typeof clientOf>;
  let account: string;

  beforeAll(async () => {
    owner = await newOwner();
    api = clientOf(owner, region);
  });
  beforeEach(async () => {
    account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
  });

  const newRole = async (fields: object = {}) => {
    const { status, body } = await api.post('/nats-roles', {
      nats_account_id: account,
      ...subjects,
      ...fields,
    });
    expect(status).toBe(200);
    return body;
  };
  const newUser = async (nats_role_id: string | null, fields: object = {}) => {
    const response = await api.post('/nats-credentials', {
      nats_account_id: account,
      nats_role_id,
      ...fields,
    });
    expect(response.status).toBe(200);
    return response.body;
  };
  const userClaims = (body: { credentials: { content: string } }) =>
    decode(body.credentials.content.split('\n')[1] ?? '') as unknown as UserClaims;
  const accountClaims = async (id = account) =>
    decode((await call('GET', `/jwt/v1/${region}/accounts/${id}`)).text) as unknown as AccountClaims;
  const scopes = async (id = account) =>
    (await accountClaims(id)).nats.signing_keys.filter((key): key is Scope => typeof key !== 'string');
  const revision = async () =>
    (await rows<{ revision: number }>(region, 'select revision from nats_accounts where id = ?', account))[0]
      ?.revision ?? 0;
  const audit = async (id: string) =>
    (
      await rows<{ action: string; before: string | null; after: string | null }>(
        region,
        'select action, before, after from audit_events where resource_id = ? order by id',
        id,
      )
    ).map(({ action, before, after }) => [action, JSON.parse(before ?? 'null'), JSON.parse(after ?? 'null')]);

  it('are created, read, listed, changed and deleted', async () => {
    const created = await newRole({ name: 'orders', source_ips: ['192.0.2.0/24'] });
    expect(created).toEqual({
      id: expect.any(String),
      name: 'orders',
      nats_account_id: account,
      project_id: owner.project_id,
      region,
      created_at: expect.any(String),
      updated_at: created.created_at,
      ...subjects,
      responses: null,
      source_ips: ['192.0.2.0/24'],
      connection_types: null,
      max_subscriptions: null,
      max_payload: null,
    });
    const path = `/nats-roles/${created.id}`;
    expect((await api.get(path)).body).toEqual(created);
    for (const query of [
      `nats_account_id=${account}`,
      `project_id=${owner.project_id}&order_by=created_at_desc`,
    ]) {
      const { body } = await api.get(`/nats-roles?${query}&page_size=1`);
      expect(body.nats_roles).toEqual([created]);
      expect(body.total_count).toBeGreaterThanOrEqual(1);
    }
    const changed = await api.patch(path, { publish: { allow: [] }, responses: { max: 2, ttl_seconds: 7 } });
    expect(changed.headers.get('Latchkey-Enforcement')).toBe('pending; acknowledged=0; servers=0');
    expect(changed.body).toEqual({
      ...created,
      publish: { allow: [], deny: [] },
      responses: { max: 2, ttl_seconds: 7 },
      updated_at: expect.any(String),
    });
    expect((await api.patch(path, { responses: null, source_ips: null, name: null })).body).toMatchObject({
      name: 'orders',
      publish: { allow: [], deny: [] },
      responses: null,
      source_ips: null,
    });
    const removed = await api.delete(path);
    expect([removed.status, removed.headers.get('Latchkey-Enforcement')]).toEqual([
      204,
      'pending; acknowledged=0; servers=0',
    ]);
    for (const response of [await api.get(path), await api.patch(path, {}), await api.delete(path)]) {
      expect([response.status, response.body]).toMatchObject([
        404,
        { resource: 'nats_role', resource_id: created.id },
      ]);
    }
    expect((await api.get(`/nats-roles?nats_account_id=${account}`)).body.total_count).toBe(0);
    const before = { name: 'orders', ...subjects, source_ips: ['192.0.2.0/24'] };
    expect(await audit(created.id)).toMatchObject([
      ['create', null, before],
      ['update', before, { publish: { allow: [], deny: [] }, responses: { max: 2, ttl_seconds: 7 } }],
      ['update', { responses: { max: 2, ttl_seconds: 7 } }, { name: 'orders' }],
      ['delete', { name: 'orders' }, null],
    ]);
  });

  it('have a signing key and a template in the account JWT, ordered by their ID', async () => {
    const roles = [await newRole(), await newRole({ publish: { allow: [] } }), await newRole()];
    const claims = await accountClaims();
    expect(typeof claims.nats.signing_keys[0]).toBe('string');
    expect((await scopes()).map(({ role }) => role)).toEqual(roles.map(({ id }) => id).sort());
    expect(new Set((await scopes()).map(({ key }) => key)).size).toBe(3);
  });

  it('that change get a new revision, and those that only get a new name or another order do not', async () => {
    const { id } = await newRole({ publish: { allow: ['b', 'a', 'b'], deny: ['c', 'a'] } });
    const before = await revision();
    const same = await api.patch(`/nats-roles/${id}`, {
      publish: { allow: ['a', 'b'], deny: ['a', 'c', 'c'] },
    });
    expect(same.body.publish).toEqual({ allow: ['a', 'b'], deny: ['a', 'c'] });
    expect(same.body.updated_at).toBe(same.body.created_at);
    const jwt = await accountClaims();
    expect((await api.patch(`/nats-roles/${id}`, { name: 'other' })).body.name).toBe('other');
    expect([await revision(), await accountClaims()]).toEqual([before, jwt]);
    expect((await audit(id)).map(([action]) => action)).toEqual(['create', 'update']);
    await api.patch(`/nats-roles/${id}`, { publish: { allow: ['a'] } });
    expect(await revision()).toBe(before + 1);
  });

  it.each<[string, object]>([
    ['publish', { publish: undefined }],
    ['publish.allow', { publish: { deny: ['a'] } }],
    ...[
      '',
      'a b',
      '.a',
      'a.',
      'a..b',
      'a.>.b',
      'a*',
      'a>',
      '{{name()}}',
      '{{subject()',
      'a\n',
      '\u0000',
      'a\u202eb',
      'x'.repeat(256),
    ].map((subject): [string, object] => ['publish.allow.0', { publish: { allow: [subject] } }]),
    ['subscribe.deny.1', { subscribe: { allow: [], deny: ['ok', 'not ok'] } }],
    ...['192.0.2.1', '192.0.2.0/33', '192.0.2.0/', '2001:db8::/129', 'example.com/24', '0192.0.2.0/24'].map(
      (block): [string, object] => ['source_ips.0', { source_ips: [block] }],
    ),
    ['source_ips', { source_ips: [] }],
    ['source_ips', { source_ips: Array.from({ length: 21 }, (_, i) => `192.0.2.${i}/32`) }],
    ['connection_types.0', { connection_types: ['STANDARD'] }],
    ['connection_types', { connection_types: [] }],
    ['responses.max', { responses: { max: 0 } }],
    ['responses.ttl_seconds', { responses: { ttl_seconds: 86_401 } }],
    ['max_subscriptions', { max_subscriptions: 0 }],
    ['max_payload', { max_payload: 2 ** 31 }],
    ['name', { name: '' }],
  ])('are refused with an invalid %s: %j', async (argument, fields) => {
    const { status, body } = await api.post('/nats-roles', {
      nats_account_id: account,
      ...subjects,
      ...fields,
    });
    expect([status, body.details?.[0]?.argument_name]).toEqual([400, argument]);
  });

  it.each(['>', '*', 'a', 'a.*.b.>', '$JS.API.>', '_INBOX.{{subject()}}.>', '注文.🔑', 'x'.repeat(255)])(
    'accept the subject %s',
    async (subject) => {
      expect((await newRole({ publish: { allow: [subject], deny: [] } })).publish.allow).toEqual([subject]);
    },
  );

  it('are created once per idempotency key', async () => {
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const body = { nats_account_id: account, ...subjects };
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => api.post('/nats-roles', body, { headers })),
    );
    expect(new Set(responses.map(({ text }) => text)).size).toBe(1);
    expect((await api.get(`/nats-roles?nats_account_id=${account}`)).body.total_count).toBe(1);
    const other = await api.post('/nats-roles', { ...body, max_payload: 1 }, { headers });
    expect([other.status, other.body.details?.[0]?.argument_name]).toEqual([400, 'Idempotency-Key']);
  });

  it('give their credentials no permissions and no limits of their own, and sign them', async () => {
    const role = await newRole();
    const made = await newUser(role.id);
    expect(made.nats_role_id).toBe(role.id);
    const claims = userClaims(made);
    expect(claims.nats).toEqual({ type: 'user', issuer_account: account, version: 2 });
    expect(claims.iss).toBe((await scopes()).find((scope) => scope.role === role.id)?.key);
    expect((await api.get(`/nats-credentials/${made.id}`)).body.nats_role_id).toBe(role.id);
    const full = await newUser(null);
    expect([full.nats_role_id, userClaims(full).nats.subs]).toEqual([null, -1]);
    const listed = (await api.get(`/nats-credentials?nats_role_id=${role.id}`)).body;
    expect([listed.total_count, listed.nats_credentials[0].id]).toEqual([1, made.id]);
    expect(await audit(made.id)).toMatchObject([['create', null, { nats_role_id: role.id }]]);
    expect((await audit(full.id))[0]?.[2]).not.toHaveProperty('nats_role_id');
  });

  it('are pushed before credentials with them are returned', async () => {
    const { id } = await newRole();
    const post = () => api.post('/nats-credentials', { nats_account_id: account, nats_role_id: id });
    expect((await post()).headers.get('Latchkey-Enforcement')).toBe('pending; acknowledged=0; servers=0');
    await rows(
      region,
      'update nats_accounts set acknowledged_revision = revision, servers = 3 where id = ?',
      account,
    );
    expect((await post()).headers.get('Latchkey-Enforcement')).toBe('enforced; servers=3');
    const full = await api.post('/nats-credentials', { nats_account_id: account });
    expect(full.headers.get('Latchkey-Enforcement')).toBeNull();
  });

  it('belong to one account: credentials of another cannot have them, nor those of another organization', async () => {
    const { id } = await newRole();
    const second = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const stranger = clientOf(await newOwner(), region);
    for (const [as, body] of [
      [api, { nats_account_id: second, nats_role_id: id }],
      [api, { nats_account_id: account, nats_role_id: crypto.randomUUID() }],
    ] as const) {
      const response = await as.post('/nats-credentials', body);
      expect([response.status, response.body]).toMatchObject([404, { resource: 'nats_role' }]);
    }
    for (const response of [
      await stranger.get(`/nats-roles/${id}`),
      await stranger.patch(`/nats-roles/${id}`, { name: 'x' }),
      await stranger.delete(`/nats-roles/${id}`),
    ])
      expect([response.status, response.body.resource]).toEqual([404, 'nats_role']);
    const create = await stranger.post('/nats-roles', { nats_account_id: account, ...subjects });
    expect([create.status, create.body]).toMatchObject([
      404,
      { resource: 'namespace', resource_id: account },
    ]);
    expect((await stranger.get(`/nats-roles?nats_account_id=${account}`)).body.total_count).toBe(0);
  });

  it('are not deleted while credentials use them, not even disabled or expired ones', async () => {
    const { id } = await newRole();
    const used = await newUser(id, { expires_at: new Date(Date.now() + 60_000).toISOString() });
    const refused = async () => {
      const { status, body } = await api.delete(`/nats-roles/${id}`);
      expect([status, body.precondition]).toEqual([412, 'resource_still_in_use']);
    };
    await refused();
    await api.post(`/nats-credentials/${used.id}/disable`, {});
    await refused();
    await rows(region, 'update credentials set expires_at = 1 where id = ?', used.id);
    await refused();
    expect((await scopes()).map(({ role }) => role)).toEqual([id]);
    expect((await audit(id)).map(([action]) => action)).toEqual(['create']);
    const other = await newUser((await newRole()).id);
    const revoked = { action: 'revoke', filter: { nats_role_id: id } };
    const { body } = await api.post('/nats-credentials/batch', revoked);
    expect(body.results).toMatchObject([{ id: used.id, result: 'changed' }]);
    expect((await api.get(`/nats-credentials/${other.id}`)).status).toBe(200);
    expect((await api.delete(`/nats-roles/${id}`)).status).toBe(204);
    expect((await scopes()).map(({ role }) => role)).toEqual([other.nats_role_id]);
  });

  it('are never deleted with credentials that are created at the same time (race)', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await newRole();
      const [deleted, ...made] = await Promise.all([
        api.delete(`/nats-roles/${id}`),
        ...Array.from({ length: 4 }, () =>
          api.post('/nats-credentials', { nats_account_id: account, nats_role_id: id }),
        ),
      ]);
      const created = made.filter(({ status }) => status === 200);
      expect(deleted?.status).toBe(created.length === 0 ? 204 : expect.any(Number));
      const left = await rows(region, 'select 1 from credentials where nats_role_id = ?', id);
      const role = await rows(region, 'select 1 from nats_roles where id = ?', id);
      expect([left.length, role.length]).toEqual(deleted?.status === 204 ? [0, 0] : [created.length, 1]);
    }
  });

  it('refuse credentials when they are deleted between the signature and the commit', async () => {
    const { id } = await newRole();
    const gate = gated(databaseOf(region), /insert into credentials/);
    const bindings = { ...env, [region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS']: gate.database };
    const body = { nats_account_id: account, nats_role_id: id };
    const creating = api.post('/nats-credentials', body, { env: bindings });
    await gate.arrived;
    expect((await api.delete(`/nats-roles/${id}`)).status).toBe(204);
    gate.open();
    const response = await creating;
    expect([response.status, response.body]).toMatchObject([404, { resource: 'nats_role', resource_id: id }]);
  });

  it('keep concurrent changes of different fields, each with one audit row (race)', async () => {
    const { id } = await newRole();
    const before = await revision();
    const changes = [
      { publish: { allow: ['a'] } },
      { subscribe: { allow: ['b'] } },
      { max_payload: 5 },
      { max_subscriptions: 6 },
      { source_ips: ['192.0.2.0/24'] },
      { responses: { max: 3 } },
      { name: 'seventh' },
    ];
    const responses = await Promise.all(changes.map((change) => api.patch(`/nats-roles/${id}`, change)));
    expect(responses.map(({ status }) => status)).toEqual(changes.map(() => 200));
    expect((await api.get(`/nats-roles/${id}`)).body).toMatchObject({
      name: 'seventh',
      publish: { allow: ['a'] },
      subscribe: { allow: ['b'] },
      max_payload: 5,
      max_subscriptions: 6,
      source_ips: ['192.0.2.0/24'],
      responses: { max: 3, ttl_seconds: 5 },
    });
    expect(await revision()).toBe(before + 6);
    expect(await audit(id)).toHaveLength(1 + changes.length);
  });

  it('return the same creds on a retried creation, also after the role changed', async () => {
    const { id } = await newRole();
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const post = (nats_role_id: string | null) =>
      api.post('/nats-credentials', { nats_account_id: account, nats_role_id }, { headers });
    const first = await post(id);
    await api.patch(`/nats-roles/${id}`, { publish: { allow: [] } });
    const again = await post(id);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await post(null)).status).toBe(400);
  });

  it('work with disable, enable, look-up and revocation of their credentials', async () => {
    const { id } = await newRole();
    const user = await newUser(id);
    await api.post(`/nats-credentials/${user.id}/disable`, {});
    expect((await accountClaims()).nats.revocations).toHaveProperty(user.public_key);
    const enabled = await api.post(`/nats-credentials/${user.id}/enable`);
    expect(enabled.body).toMatchObject({ status: 'enabled', nats_role_id: id });
    expect((await accountClaims()).nats.revocations).toBeUndefined();
    const found = await call('GET', `/mnq/v1beta1/lookup?key=${user.public_key}`, {
      token: owner.secret_key,
    });
    expect(found.body.results[0].credentials).toMatchObject({ id: user.id, nats_role_id: id });
    await api.delete(`/nats-credentials/${user.id}`);
    expect((await accountClaims()).nats.revocations).toHaveProperty(user.public_key);
  });

  it('are deleted with their account, with an audit row each', async () => {
    const roles = [await newRole(), await newRole()];
    await newUser(roles[0]?.id ?? '');
    const total = async () => (await api.get(`/nats-roles?project_id=${owner.project_id}`)).body.total_count;
    const before = (await total()) as number;
    await api.delete(`/nats-accounts/${account}`);
    expect(await total()).toBe(before - 2);
    expect(await rows(region, 'select 1 from nats_roles where nats_account_id = ?', account)).toEqual([]);
    expect(await scopes()).toEqual([]);
    for (const { id } of roles)
      expect((await audit(id)).map(([action]) => action)).toEqual(['create', 'delete']);
  });

  it('are limited in number, even when they are created at the same time', async () => {
    const bindings = { ...env, QUOTAS: { nats_roles: 5 } };
    const post = () => api.post('/nats-roles', { nats_account_id: account, ...subjects }, { env: bindings });
    const responses = await Promise.all(Array.from({ length: 20 }, post));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(5);
    const { status, body } = await post();
    expect([status, body.details]).toEqual([
      403,
      [{ resource: 'nats_roles', quota: 5, current: 5, project_id: owner.project_id }],
    ]);
  });

  it('are limited in bytes, to the last one, at creation and change', async () => {
    const bytes = async () =>
      (
        await rows<{ n: number }>(
          region,
          'select coalesce(sum(size), 0) as n from nats_roles where nats_account_id = ?',
          account,
        )
      )[0]?.n ?? -1;
    const lengthOfJwt = async () => (await call('GET', `/jwt/v1/${region}/accounts/${account}`)).text.length;
    const without = await lengthOfJwt();
    // Two large roles and a small one whose size is then adjusted.
    const large = (seed: string, count: number) => ({
      publish: {
        allow: Array.from({ length: count }, (_, i) => `${seed}${String(i).padStart(249, '0')}`),
        deny: [],
      },
    });
    await newRole(large('a', 200));
    await newRole(large('b', 200));
    const { id } = await newRole();
    const left = MAX_ROLE_BYTES - (await bytes());
    expect(left).toBeGreaterThan(1000);
    const fill = (n: number) => ({ publish: { allow: [], deny: subjectsOf(n) } });
    // The longest list that fits, by bisection over one character at a time.
    let [low, high] = [0, left];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const { status } = await api.patch(`/nats-roles/${id}`, fill(middle));
      if (status === 200) low = middle;
      else high = middle;
    }
    const refused = await api.patch(`/nats-roles/${id}`, fill(high));
    expect([refused.status, refused.body.details]).toEqual([
      403,
      [
        {
          resource: 'bytes of the nats_roles of the account',
          quota: MAX_ROLE_BYTES,
          current: expect.any(Number),
          project_id: owner.project_id,
        },
      ],
    ]);
    await api.patch(`/nats-roles/${id}`, fill(low));
    expect(MAX_ROLE_BYTES - (await bytes())).toBeLessThan(8);
    expect((await api.post('/nats-roles', { nats_account_id: account, ...subjects })).status).toBe(403);
    expect((await api.patch(`/nats-roles/${id}`, { name: 'renamed' })).status).toBe(200);
    expect(await lengthOfJwt()).toBeLessThanOrEqual(without + MAX_ROLE_BYTES + 4);
  });

  it('cost the same number of round trips and rows, however many roles other accounts have', async () => {
    const costOf = async (method: string, path: string, body?: object) => {
      const cost: Cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
      const database = counted(databaseOf(region), cost);
      const bindings = { ...env, [region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS']: database };
      const response = await call(method, `/mnq/v1beta1/regions/${region}${path}`, {
        token: owner.secret_key,
        env: bindings,
        ...(body && { body }),
      });
      expect(response.status).toBeLessThan(300);
      return { body: response.body, cost: [cost.trips, cost.rowsRead, cost.rowsWritten] };
    };
    const measure = async () => {
      const made = await costOf('POST', '/nats-roles', { nats_account_id: account, ...subjects });
      const path = `/nats-roles/${made.body.id}`;
      const creds = await costOf('POST', '/nats-credentials', {
        nats_account_id: account,
        nats_role_id: made.body.id,
      });
      await api.delete(`/nats-credentials/${creds.body.id}`);
      return {
        create: made.cost,
        credentials: creds.cost,
        get: (await costOf('GET', path)).cost,
        list: (await costOf('GET', `/nats-roles?nats_account_id=${account}`)).cost,
        page: (await costOf('GET', `/nats-roles?project_id=${owner.project_id}&page_size=1`)).cost,
        update: (await costOf('PATCH', path, { max_payload: 7 })).cost,
        delete: (await costOf('DELETE', path)).cost,
      };
    };
    // The first credentials and revocation create the rows that count them.
    await measure();
    const few = await measure();
    const here = account;
    account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    await Promise.all(Array.from({ length: 50 }, () => newRole()));
    account = here;
    expect(await measure()).toEqual(few);
    expect(few).toMatchObject({
      create: [1, expect.any(Number), expect.any(Number)],
      credentials: [4, expect.any(Number), expect.any(Number)],
      get: [1, 2, 0],
      update: [2, expect.any(Number), expect.any(Number)],
      delete: [1, expect.any(Number), expect.any(Number)],
    });
  });
});

/** Returns subjects whose characters together are about `length`. */
function subjectsOf(length: number): string[] {
  const full = Math.floor(length / 255);
  const all = Array.from({ length: full }, (_, i) => String(i).padStart(255, 'd'));
  return length % 255 ? [...all, 'e'.repeat(length % 255)] : all;
}

it('a guest can create roles within the limits of guests', async () => {
  const bindings = { ...env, GUESTS: { enabled: true, quotas: { nats_roles: 1 } } };
  const guest = await call('POST', '/auth/guest', { env: bindings, headers: { Origin: ORIGIN } });
  const headers = { Cookie: cookieOf(guest.headers), Origin: ORIGIN };
  const post = (path: string, body: object) =>
    call('POST', `/mnq/v1beta1/regions/fr-par${path}`, { env: bindings, headers, body });
  const account = (await post('/nats-accounts', { project_id: guest.body.project_id })).body.id;
  const role = await post('/nats-roles', { nats_account_id: account, ...subjects });
  expect(role.status).toBe(200);
  const second = await post('/nats-roles', { nats_account_id: account, ...subjects });
  expect([second.status, second.body.details?.[0]]).toMatchObject([403, { quota: 1, current: 1 }]);
  const user = await post('/nats-credentials', { nats_account_id: account, nats_role_id: role.body.id });
  expect(user.status).toBe(200);
});

it('the sealed seed of a role moves to the newest sealing key, and still signs', async () => {
  const owner = await newOwner();
  const api = clientOf(owner, 'fr-par');
  const nats_account_id = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
  const { id } = (await api.post('/nats-roles', { nats_account_id, ...subjects })).body;
  const keys = JSON.parse(env.SEALING_KEYS as string) as SealingKey[];
  const region = configOf(env).regions.get('fr-par');
  if (!region) throw new Error('no region');
  const keyOf = async () =>
    (await rows<{ k: string }>('fr-par', 'select sealing_key_id as k from nats_roles where id = ?', id))[0]
      ?.k;
  vi.spyOn(console, 'info').mockImplementation(() => {});
  await reseal(region, keys.toReversed());
  expect(await keyOf()).toBe(keys.at(-1)?.id);
  expect((await api.post('/nats-credentials', { nats_account_id, nats_role_id: id })).status).toBe(200);
  await reseal(region, keys);
  expect(await keyOf()).toBe(keys[0]?.id);
  vi.restoreAllMocks();
});
