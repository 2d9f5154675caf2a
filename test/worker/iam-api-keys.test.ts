/** API keys: who can own one, who can create one, and when it stops working. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { call, identityRows, newOwner, newProject } from './harness.ts';
import { iamOf, newPerson, type Person, userIdOf } from './identity.ts';

let owner: Owner;
let iam: ReturnType<typeof iamOf>;

beforeEach(async () => {
  owner = await newOwner();
  iam = iamOf(owner.secret_key);
});

const me = (token: string) => call('GET', '/iam/v1alpha1/principal', { token });

/** Creates a member whose policy grants these permission sets in the whole organization. */
async function memberWith(...permission_set_names: string[]): Promise<Person> {
  const person = await newPerson(owner);
  const rules = [{ permission_set_names, organization_id: owner.organization_id }];
  expect((await iam.post('/policies', { name: 'granted', user_id: person.user_id, rules })).status).toBe(200);
  return person;
}

const DAY = 24 * 3600 * 1000;
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY).toISOString();

describe('an API key', () => {
  it('of an application returns its secret key once and grants what the application’s policy allows', async () => {
    const { id: application_id } = (await iam.post('/applications', { name: 'orders' })).body;
    const headers = { 'CF-Connecting-IP': '192.0.2.7' };
    const created = await iam.post('/api-keys', { application_id, description: 'first' }, { headers });
    expect(created.status).toBe(200);
    const { access_key, secret_key, ...shown } = created.body;
    expect(access_key).toMatch(/^SCW[A-Z2-7]{17}$/);
    expect(shown).toMatchObject({
      application_id,
      user_id: null,
      description: 'first',
      default_project_id: owner.project_id,
      expires_at: null,
      last_used_at: null,
      creation_ip: '192.0.2.7',
    });
    const newApplication = await me(secret_key);
    expect(newApplication.body).toEqual({
      type: 'application',
      id: application_id,
      email: null,
      name: 'orders',
      access_key,
      organizations: [
        {
          id: owner.organization_id,
          name: 'Test',
          role: null,
          expires_at: null,
          max_credentials_duration: 0,
          permission_sets: [],
          rules: [],
        },
      ],
    });
    const read = await iam.get(`/api-keys/${access_key}`);
    expect(read.body).toMatchObject({ access_key, secret_key: null, last_used_at: expect.any(String) });
    const rows = JSON.stringify([
      await identityRows('select * from api_keys'),
      await identityRows('select * from audit_events'),
      read.text,
      (await iam.get('/api-keys')).text,
    ]);
    expect(rows).not.toContain(secret_key);
  });

  it('is rejected on the next request after its deletion, and as soon as it expires', async () => {
    const { id: application_id } = (await iam.post('/applications', { name: 'short' })).body;
    const create = async (rest: object) => (await iam.post('/api-keys', { application_id, ...rest })).body;
    const deleted = await create({});
    expect((await me(deleted.secret_key)).status).toBe(200);
    expect((await iam.delete(`/api-keys/${deleted.access_key}`)).status).toBe(204);
    expect((await me(deleted.secret_key)).body.reason).toBe('not_found');
    const again = await iam.delete(`/api-keys/${deleted.access_key}`);
    expect([again.status, again.body.resource]).toEqual([404, 'api_key']);

    const ending = await create({ expires_at: new Date(Date.now() + 1000).toISOString() });
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect((await me(ending.secret_key)).body.reason).toBe('expired');
    const list = async (query: string) =>
      (await iam.get(`/api-keys?application_id=${application_id}&${query}`)).body;
    expect((await list('expired=true')).total_count).toBe(1);
    expect((await list('expired=false')).total_count).toBe(0);
    await iam.patch(`/api-keys/${ending.access_key}`, { expires_at: daysFromNow(1) });
    expect((await me(ending.secret_key)).status).toBe(200);
  });

  it('cannot expire in the past, and belongs to exactly one principal', async () => {
    const { id: application_id } = (await iam.post('/applications', { name: 'bad' })).body;
    const user_id = await userIdOf(owner);
    for (const body of [{ application_id, expires_at: daysFromNow(-1) }, {}, { application_id, user_id }]) {
      expect((await iam.post('/api-keys', body)).status).toBe(400);
    }
    expect((await iam.patch(`/api-keys/${owner.access_key}`, { expires_at: daysFromNow(-1) })).status).toBe(
      400,
    );
  });

  it('is updated field by field, and an update that changes nothing writes nothing', async () => {
    const other = await newProject(owner);
    const path = `/api-keys/${owner.access_key}`;
    const changed = await iam.patch(path, {
      description: 'new',
      default_project_id: other,
      expires_at: null,
    });
    expect(changed.body).toMatchObject({ description: 'new', default_project_id: other, expires_at: null });
    expect((await iam.patch(path, { description: 'new', default_project_id: other })).body).toEqual({
      ...changed.body,
      last_used_at: expect.any(String),
    });
    const events = await identityRows<{ before: string; after: string }>(
      `select before, after from audit_events where resource = 'api_keys' and resource_id = ?`,
      owner.access_key,
    );
    const user_id = await userIdOf(owner);
    const common = { user_id, application_id: null, expires_at: null };
    expect(events.map(({ before, after }) => [JSON.parse(before), JSON.parse(after)])).toEqual([
      [
        { ...common, description: 'Created with the organization', default_project_id: owner.project_id },
        { ...common, description: 'new', default_project_id: other },
      ],
    ]);
  });

  it('belongs to a project of its own organization', async () => {
    const stranger = await newOwner();
    const { id: application_id } = (await iam.post('/applications', { name: 'orders' })).body;
    for (const default_project_id of [stranger.project_id, crypto.randomUUID()]) {
      for (const response of [
        await iam.post('/api-keys', { application_id, default_project_id }),
        await iam.patch(`/api-keys/${owner.access_key}`, { description: 'x', default_project_id }),
      ]) {
        expect([response.status, response.body.details]).toEqual([
          403,
          [{ resource: 'project', action: 'read' }],
        ]);
      }
    }
    expect((await iam.get(`/api-keys/${owner.access_key}`)).body.description).not.toBe('x');
  });

  it('can belong to members who have joined this organization only', async () => {
    const invited = await newPerson(owner, { joined: false });
    const stranger = await newOwner();
    const theirs = (await iamOf(stranger.secret_key).post('/applications', { name: 'theirs' })).body.id;
    for (const principal of [
      { user_id: invited.user_id },
      { user_id: await userIdOf(stranger) },
      { user_id: crypto.randomUUID() },
      { application_id: theirs },
      { application_id: crypto.randomUUID() },
    ]) {
      const response = await iam.post('/api-keys', principal);
      expect([response.status, response.body.details]).toEqual([403, [{ resource: 'iam', action: 'write' }]]);
    }
    for (const key of [stranger.access_key, `SCW${'A'.repeat(17)}`]) {
      for (const response of [
        await iam.get(`/api-keys/${key}`),
        await iam.patch(`/api-keys/${key}`, { description: 'x' }),
        await iam.delete(`/api-keys/${key}`),
      ]) {
        expect([response.status, response.body.resource]).toEqual([404, 'api_key']);
      }
    }
  });

  it('can read itself without permissions, and no other key', async () => {
    const person = await newPerson(owner);
    const own = iamOf(person.secret_key);
    expect((await own.get(`/api-keys/${person.access_key}`)).body.access_key).toBe(person.access_key);
    for (const key of [owner.access_key, `SCW${'A'.repeat(17)}`]) {
      expect((await own.get(`/api-keys/${key}`)).body.details).toEqual([{ resource: 'iam', action: 'read' }]);
    }
  });

  it('requires an existing default project', async () => {
    await identityRows(`update projects set status = 'deleting' where id = ?`, owner.project_id);
    const response = await iam.post('/api-keys', { user_id: await userIdOf(owner) });
    expect([response.status, response.body.type]).toEqual([412, 'precondition_failed']);
  });

  it('of a user of several organizations belongs to its project’s organization', async () => {
    const signIn = await call('POST', '/auth/sign-in/email', {
      body: { email: owner.email, password: owner.password },
      headers: { Origin: 'https://latchkey.test' },
    });
    const headers = {
      Cookie: signIn.headers.get('Set-Cookie')?.split(';')[0] ?? '',
      Origin: 'https://latchkey.test',
    };
    const second = await newOwner();
    const user_id = await userIdOf(owner);
    await identityRows(
      `insert into memberships (user_id, organization_id, role, created_at, joined_at) values (?, ?, 'owner', 1, 1)`,
      user_id,
      second.organization_id,
    );
    const post = (body: object) => call('POST', '/iam/v1alpha1/api-keys', { body, headers });
    const unclear = await post({ user_id });
    expect([unclear.status, unclear.body.details[0].argument_name]).toEqual([400, 'default_project_id']);
    const created = await post({ user_id, default_project_id: second.project_id });
    expect((await me(created.body.secret_key)).body.organizations).toMatchObject([
      { id: second.organization_id, role: 'owner' },
    ]);
    const both = await call('GET', '/iam/v1alpha1/principal', { headers });
    expect(both.body).toMatchObject({ type: 'user', email: owner.email, access_key: null });
    expect(both.body.organizations).toHaveLength(2);
    const unnamed = await call('POST', '/iam/v1alpha1/applications', { body: { name: 'x' }, headers });
    expect(unnamed.body.details[0].argument_name).toBe('organization_id');
  });
});

describe('an API key manager', () => {
  it('can manage the keys of members but not of Owners (no privilege escalation)', async () => {
    const manager = await memberWith('IAMManager');
    const api = iamOf(manager.secret_key);
    const member = await newPerson(owner);
    const created = await api.post('/api-keys', { user_id: member.user_id });
    expect(created.status).toBe(200);
    expect((await api.patch(`/api-keys/${member.access_key}`, { description: 'x' })).status).toBe(200);
    expect((await api.delete(`/api-keys/${member.access_key}`)).status).toBe(204);

    const before = await identityRows('select * from api_keys where access_key = ?', owner.access_key);
    for (const response of [
      await api.post('/api-keys', { user_id: await userIdOf(owner) }),
      await api.patch(`/api-keys/${owner.access_key}`, { description: 'x' }),
      await api.delete(`/api-keys/${owner.access_key}`),
    ]) {
      expect([response.status, response.body.details]).toEqual([
        403,
        [{ resource: 'owner', action: 'write' }],
      ]);
    }
    expect(await identityRows('select * from api_keys where access_key = ?', owner.access_key)).toEqual(
      before,
    );

    const second = await newPerson(owner, { role: 'owner' });
    expect((await iam.post('/api-keys', { user_id: second.user_id })).status).toBe(200);
    expect((await iam.delete(`/api-keys/${second.access_key}`)).status).toBe(204);
  });

  it('can manage the keys of a member who is an Owner of another organization only', async () => {
    const api = iamOf((await memberWith('IAMManager')).secret_key);
    const member = await newPerson(owner);
    const elsewhere = await newOwner();
    await identityRows(
      `insert into memberships (user_id, organization_id, role, created_at, joined_at) values (?, ?, 'owner', 0, 0)`,
      member.user_id,
      elsewhere.organization_id,
    );
    expect((await api.patch(`/api-keys/${member.access_key}`, { description: 'x' })).status).toBe(200);
    expect((await api.delete(`/api-keys/${member.access_key}`)).status).toBe(204);
  });

  it('with the read-only set lists every key and changes none', async () => {
    const { id } = (await iam.post('/applications', { name: 'orders' })).body;
    const { id: policy } = (await iam.post('/policies', { name: 'orders', application_id: id })).body;
    const reader = await memberWith('IAMReadOnly');
    const api = iamOf(reader.secret_key);
    for (const path of [
      `/applications/${id}`,
      '/applications',
      '/api-keys',
      '/policies',
      `/policies/${policy}`,
      `/rules?policy_id=${policy}`,
      '/permission-sets',
      `/api-keys/${owner.access_key}`,
    ]) {
      expect((await api.get(path)).status, path).toBe(200);
    }
    const responses = [
      await api.post('/applications', { name: 'x' }),
      await api.patch(`/applications/${id}`, { name: 'x' }),
      await api.delete(`/applications/${id}`),
      await api.post('/api-keys', { application_id: id }),
      await api.patch(`/api-keys/${owner.access_key}`, { description: 'x' }),
      await api.delete(`/api-keys/${owner.access_key}`),
      await api.post('/policies', { name: 'x', no_principal: true }),
      await api.patch(`/policies/${policy}`, { name: 'x' }),
      await api.put('/rules', { policy_id: policy, rules: [] }),
      await api.delete(`/policies/${policy}`),
    ];
    for (const { status, body } of responses) {
      expect([status, body.details]).toEqual([403, [{ resource: 'iam', action: 'write' }]]);
    }
    expect((await api.patch(`/policies/${crypto.randomUUID()}`, { name: 'x' })).status).toBe(404);
  });

  it('with permissions in one project only is denied', async () => {
    const person = await newPerson(owner);
    const policy = (await iam.post('/policies', { name: 'old', user_id: person.user_id })).body.id;
    await identityRows(
      `insert into rules (id, policy_id, position, permission_sets, project_ids) values (?, ?, 0, '["IAMManager"]', ?)`,
      crypto.randomUUID(),
      policy,
      JSON.stringify([owner.project_id]),
    );
    const api = iamOf(person.secret_key);
    for (const response of [
      await api.get('/applications'),
      await api.post('/applications', { name: 'x' }),
      await api.delete(`/policies/${policy}`),
    ]) {
      expect([response.status, response.body.details[0].resource]).toEqual([403, 'iam']);
    }
  });

  it('filters the list of keys', async () => {
    const member = await newPerson(owner);
    const { id: application_id } = (await iam.post('/applications', { name: 'orders' })).body;
    const key = async (rest: object) =>
      (await iam.post('/api-keys', { application_id, ...rest })).body.access_key as string;
    const a = await key({ description: 'Blue one', expires_at: daysFromNow(2) });
    const b = await key({ description: 'red one', expires_at: daysFromNow(1) });
    const list = async (query: string) =>
      (await iam.get(`/api-keys?${query}`)).body.api_keys.map(
        (one: { access_key: string }) => one.access_key,
      );
    expect(await list(`organization_id=${owner.organization_id}&page_size=2&page=2`)).toEqual([a, b]);
    expect(await list('bearer_type=application')).toEqual([a, b]);
    expect(await list('bearer_type=user')).toEqual([member.access_key, owner.access_key]);
    expect(await list('bearer_type=unknown_bearer_type')).toHaveLength(4);
    expect(await list(`bearer_id=${member.user_id}`)).toEqual([member.access_key]);
    expect(await list(`bearer_id=${application_id}&order_by=expires_at_asc`)).toEqual([b, a]);
    expect(await list(`user_id=${member.user_id}`)).toEqual([member.access_key]);
    expect(await list('description=blue')).toEqual([a]);
    expect(await list(`access_key=${b}`)).toEqual([b]);
    expect(await list(`access_keys=${a}`)).toEqual([a]);
    expect(await list(`access_keys=${a}&access_keys=${b}&order_by=access_key_desc`)).toEqual(
      [a, b].sort().reverse(),
    );
    expect((await iam.get('/api-keys?page_size=1')).body.total_count).toBe(4);
  });
});
