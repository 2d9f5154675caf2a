/** Policies: what their rules grant to applications and users. */
import { beforeEach, describe, expect, it } from 'vitest';
import { permissionSets } from '../../functions/iam/access/permission-sets.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { call, identityRows, newOwner, newProject } from './harness.ts';
import { iamOf, newPerson, userIdOf } from './identity.ts';

let owner: Owner;
let iam: ReturnType<typeof iamOf>;
let other: string;

beforeEach(async () => {
  owner = await newOwner();
  iam = iamOf(owner.secret_key);
  other = await newProject(owner);
});

/** Creates an application with an API key through the API. */
async function newApplication(name = 'program') {
  const application = (await iam.post('/applications', { name })).body;
  const key = (await iam.post('/api-keys', { application_id: application.id })).body;
  return { application_id: application.id as string, secret_key: key.secret_key as string };
}

const QUEUES = '/mnq/v1beta1/regions/fr-par';
const activate = (token: string, project_id: string) =>
  call('POST', `${QUEUES}/activate-sqs`, { token, body: { project_id } });
const isReadable = async (token: string, project_id: string) =>
  (await call('GET', `${QUEUES}/sqs-info?project_id=${project_id}`, { token })).status;

const trail = (id: string) =>
  identityRows<{ action: string; resource: string; before: string | null; after: string | null }>(
    'select action, resource, before, after from audit_events where resource_id = ? order by id',
    id,
  );

describe('a policy for an application', () => {
  it('grants the permissions of its rules in their scope, from the next request on', async () => {
    const { application_id, secret_key } = await newApplication();
    expect(await isReadable(secret_key, owner.project_id)).toBe(403);
    const policy = (
      await iam.post('/policies', {
        name: 'reads queues',
        application_id,
        rules: [{ permission_set_names: ['QueuesReadOnly'], project_ids: [owner.project_id] }],
      })
    ).body;
    expect(policy).toMatchObject({ nb_rules: 1, nb_scopes: 1, nb_permission_sets: 1, application_id });
    expect(await isReadable(secret_key, owner.project_id)).toBe(200);
    expect(await isReadable(secret_key, other)).toBe(404);
    const denied = await activate(secret_key, owner.project_id);
    expect([denied.status, denied.body.details]).toEqual([403, [{ resource: 'sqs', action: 'write' }]]);

    const replaced = await iam.put('/rules', {
      policy_id: policy.id,
      rules: [
        { permission_set_names: ['QueuesReadOnly'], project_ids: [owner.project_id] },
        { permission_set_names: ['QueuesFullAccess', 'QueuesFullAccess'], project_ids: [other, other] },
      ],
    });
    expect(replaced.body.rules).toMatchObject([
      { permission_set_names: ['QueuesReadOnly'], project_ids: [owner.project_id], organization_id: null },
      { permission_set_names: ['QueuesFullAccess'], project_ids: [other], condition: '' },
    ]);
    expect((await activate(secret_key, other)).status).toBe(200);
    expect((await activate(secret_key, owner.project_id)).status).toBe(403);

    await iam.put('/rules', {
      policy_id: policy.id,
      rules: [{ permission_set_names: ['QueuesFullAccess'], organization_id: owner.organization_id }],
    });
    expect((await activate(secret_key, owner.project_id)).status).toBe(200);
    expect((await iam.patch(`/policies/${policy.id}`, { no_principal: true })).body).toMatchObject({
      application_id: null,
      no_principal: true,
    });
    expect(await isReadable(secret_key, owner.project_id)).toBe(403);
    await iam.patch(`/policies/${policy.id}`, { application_id });
    expect(await isReadable(secret_key, owner.project_id)).toBe(200);
    expect((await iam.delete(`/policies/${policy.id}`)).status).toBe(204);
    expect(await isReadable(secret_key, owner.project_id)).toBe(403);
  });

  it('loses its principal when the application is deleted, and the application’s keys are rejected immediately', async () => {
    const { application_id, secret_key } = await newApplication();
    const policy = (await iam.post('/policies', { name: 'left', application_id })).body;
    expect((await iam.get(`/applications/${application_id}`)).body.nb_api_keys).toBe(1);
    expect((await iam.delete(`/applications/${application_id}`)).status).toBe(204);
    expect((await iam.delete(`/applications/${application_id}`)).body).toMatchObject({
      type: 'not_found',
      resource: 'application',
      resource_id: application_id,
    });
    expect((await call('GET', '/account/v3/projects', { token: secret_key })).body.reason).toBe('not_found');
    expect((await iam.get(`/policies/${policy.id}`)).body.no_principal).toBe(true);
    const last = (await trail(policy.id)).at(-1);
    expect(JSON.parse(last?.before ?? '')).toMatchObject({ application_id });
    expect(JSON.parse(last?.after ?? '')).toMatchObject({ application_id: null, name: 'left' });
    const keys = await identityRows<{ action: string; before: string }>(
      `select action, before from audit_events where organization_id = ? and resource = 'api_keys' order by id`,
      owner.organization_id,
    );
    expect(keys.map(({ action }) => action)).toEqual(['create', 'delete']);
  });
});

it('makes a change return 403 for a read-only resource, and 404 for another tenant’s or a missing one', async () => {
  const { application_id, secret_key } = await newApplication();
  const rules = [{ permission_set_names: ['NATSReadOnly'], project_ids: [owner.project_id] }];
  await iam.post('/policies', { name: 'reads accounts', application_id, rules });
  const newAccount = async ({ secret_key: token, project_id }: Owner) =>
    (await call('POST', `${QUEUES}/nats-accounts`, { token, body: { project_id } })).body.id as string;
  const changes = async (id: string) => {
    const path = `${QUEUES}/nats-accounts/${id}`;
    const responses = [
      await call('PATCH', path, { token: secret_key, body: { name: 'mine' } }),
      await call('DELETE', path, { token: secret_key }),
    ];
    return responses.map(({ status }) => status);
  };
  const mine = await newAccount(owner);
  expect(await changes(mine)).toEqual([403, 403]);
  expect(await changes(await newAccount(await newOwner()))).toEqual([404, 404]);
  await call('DELETE', `${QUEUES}/nats-accounts/${mine}`, { token: owner.secret_key });
  expect(await changes(mine)).toEqual([404, 404]);
});

it('cannot reference an application of another organization (cross-tenant)', async () => {
  const stranger = iamOf((await newOwner()).secret_key);
  const application_id = (await stranger.post('/applications', { name: 'theirs' })).body.id;
  const created = await iam.post('/policies', { name: 'foreign', application_id });
  expect([created.status, created.body.type]).toEqual([403, 'permissions_denied']);
  const mine = (await iam.post('/policies', { name: 'mine', no_principal: true })).body;
  expect((await iam.patch(`/policies/${mine.id}`, { application_id })).status).toBe(403);
  expect((await iam.get(`/policies/${mine.id}`)).body).toEqual(mine);
});

describe('a policy for a user', () => {
  it('can be created for an invited user, and takes effect when the user joins', async () => {
    const invited = await newPerson(owner, { joined: false });
    const policy = await iam.post('/policies', {
      name: 'prepared',
      user_id: invited.user_id,
      rules: [{ permission_set_names: ['IAMReadOnly'], organization_id: owner.organization_id }],
    });
    expect(policy.body).toMatchObject({ user_id: invited.user_id, no_principal: null, nb_scopes: 1 });
    expect((await iamOf(invited.secret_key).get('/applications')).status).toBe(401);
  });

  it('cannot reference a user of another organization', async () => {
    const stranger = await newOwner();
    for (const user_id of [await userIdOf(stranger), crypto.randomUUID()]) {
      const response = await iam.post('/policies', { name: 'foreign', user_id });
      expect([response.status, response.body.type]).toEqual([403, 'permissions_denied']);
    }
    const mine = (await iam.post('/policies', { name: 'mine', no_principal: true })).body;
    const moved = await iam.patch(`/policies/${mine.id}`, {
      name: 'moved',
      user_id: await userIdOf(stranger),
    });
    expect(moved.status).toBe(403);
    expect((await iam.get(`/policies/${mine.id}`)).body).toEqual(mine);
  });
});

describe('policy rules', () => {
  const rule = { permission_set_names: ['QueuesReadOnly'], project_ids: [] as string[] };

  it.each<[string, object, string]>([
    ['no permission set', { ...rule, permission_set_names: [] }, 'rules.0.permission_set_names'],
    [
      'an unknown permission set',
      { ...rule, permission_set_names: ['Everything'] },
      'rules.0.permission_set_names.0',
    ],
    ['no project', rule, 'rules.0.project_ids'],
    [
      'neither projects nor an organization',
      { permission_set_names: ['QueuesReadOnly'] },
      'rules.0.project_ids',
    ],
    ['a condition', { ...rule, project_ids: ['P'], condition: 'true' }, 'rules.0.condition'],
    [
      'a set for organizations in a project',
      { permission_set_names: ['IAMManager'], project_ids: ['P'] },
      'rules.0.permission_set_names',
    ],
    [
      'projects and an organization',
      { ...rule, project_ids: ['P'], organization_id: 'O' },
      'rules.0.project_ids',
    ],
    [
      'an organization that is not the policy’s',
      { permission_set_names: ['IAMReadOnly'], organization_id: crypto.randomUUID() },
      'rules.0.organization_id',
    ],
  ])('are rejected with %s', async (_, spec, argument) => {
    const text = JSON.stringify([spec])
      .replace('"P"', `"${owner.project_id}"`)
      .replace('"O"', `"${owner.organization_id}"`);
    const rules = JSON.parse(text);
    const policy = (await iam.post('/policies', { name: 'empty', no_principal: true })).body;
    for (const response of [
      await iam.post('/policies', { name: 'bad', no_principal: true, rules }),
      await iam.put('/rules', { policy_id: policy.id, rules }),
    ]) {
      expect(response.status).toBe(400);
      expect(response.body.details.map((one: { argument_name: string }) => one.argument_name)).toContain(
        argument,
      );
    }
    expect((await iam.get('/policies')).body.total_count).toBe(1);
  });

  it('get the same error for another tenant’s project and a missing one', async () => {
    const stranger = await newOwner();
    const policy = (await iam.post('/policies', { name: 'empty', no_principal: true })).body;
    for (const project of [stranger.project_id, crypto.randomUUID()]) {
      const rules = [{ ...rule, project_ids: [owner.project_id, project] }];
      for (const response of [
        await iam.post('/policies', { name: 'bad', no_principal: true, rules }),
        await iam.put('/rules', { policy_id: policy.id, rules }),
      ]) {
        expect([response.status, response.body.details]).toEqual([
          403,
          [{ resource: 'project', action: 'read' }],
        ]);
      }
    }
    expect((await iam.get(`/rules?policy_id=${policy.id}`)).body).toEqual({ total_count: 0, rules: [] });
  });

  it('are limited to 100 for each policy, and pagination returns them in order', async () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        permission_set_names: [Object.keys(permissionSets)[i % 8]],
        organization_id: owner.organization_id,
      }));
    const created = await iam.post('/policies', { name: 'full', no_principal: true, rules: of(100) });
    expect(created.body).toMatchObject({ nb_rules: 100, nb_scopes: 1, nb_permission_sets: 8 });
    expect((await iam.put('/rules', { policy_id: created.body.id, rules: of(101) })).status).toBe(400);
    const page = (await iam.get(`/rules?policy_id=${created.body.id}&page=4&page_size=30`)).body;
    expect(page.total_count).toBe(100);
    expect(page.rules.map((one: { permission_set_names: string[] }) => one.permission_set_names)).toEqual(
      of(100)
        .slice(90)
        .map((one) => one.permission_set_names),
    );
  });

  it('that are set again unchanged write nothing', async () => {
    const rules = [{ ...rule, project_ids: [owner.project_id] }];
    const policy = (await iam.post('/policies', { name: 'same', no_principal: true, rules })).body;
    const before = (await iam.get(`/rules?policy_id=${policy.id}`)).body.rules;
    expect((await iam.put('/rules', { policy_id: policy.id, rules })).body.rules).toEqual(before);
    expect((await iam.patch(`/policies/${policy.id}`, { name: 'same', no_principal: true })).body).toEqual(
      policy,
    );
    expect((await trail(policy.id)).map(({ action }) => action)).toEqual(['create']);
    await iam.put('/rules', { policy_id: policy.id, rules: [] });
    await iam.put('/rules', { policy_id: policy.id, rules: [] });
    const [, emptied, ...more] = await trail(policy.id);
    expect([JSON.parse(emptied?.before ?? ''), JSON.parse(emptied?.after ?? ''), more]).toEqual([
      { name: 'same', rules },
      { name: 'same', rules: [] },
      [],
    ]);
  });
});

describe('the list of policies', () => {
  it('filters by principal, name, tag and ID, with one value or several', async () => {
    const user = await newPerson(owner);
    const { application_id } = await newApplication();
    const make = async (name: string, rest: object) =>
      (await iam.post('/policies', { name, ...rest })).body.id as string;
    const a = await make('alpha', { user_id: user.user_id, tags: ['blue'] });
    const b = await make('beta', { application_id, tags: ['blueish', 'red'] });
    const c = await make('gamma', { no_principal: true });
    const list = async (query: string) =>
      (await iam.get(`/policies?${query}`)).body.policies.map(({ id }: { id: string }) => id);
    expect(await list(`organization_id=${owner.organization_id}`)).toEqual([a, b, c]);
    expect(await list('order_by=policy_name_desc')).toEqual([c, b, a]);
    expect(await list(`user_ids=${user.user_id}`)).toEqual([a]);
    expect(await list(`user_ids=${user.user_id}&application_ids=${application_id}`)).toEqual([a, b]);
    expect(await list(`group_ids=${crypto.randomUUID()}`)).toEqual([]);
    expect(await list('no_principal=true')).toEqual([c]);
    expect(await list('no_principal=false')).toEqual([a, b]);
    expect(await list('policy_name=BET')).toEqual([b]);
    expect(await list('tag=Blue')).toEqual([a, b]);
    expect(await list(`policy_ids=${a}&policy_ids=${c}`)).toEqual([a, c]);
    expect(await list('page_size=1&page=2')).toEqual([b]);
  });

  it('never contains policies of another organization', async () => {
    const stranger = await newOwner();
    const theirs = (
      await iamOf(stranger.secret_key).post('/policies', { name: 'theirs', no_principal: true })
    ).body;
    expect((await iam.get('/policies')).body).toEqual({ total_count: 0, policies: [] });
    for (const id of [theirs.id, crypto.randomUUID()]) {
      const responses = [
        await iam.get(`/policies/${id}`),
        await iam.patch(`/policies/${id}`, { name: 'mine' }),
        await iam.delete(`/policies/${id}`),
        await iam.put('/rules', { policy_id: id, rules: [] }),
        await iam.get(`/rules?policy_id=${id}`),
      ];
      for (const { status, body } of responses) {
        expect([status, body.resource, body.resource_id]).toEqual([404, 'policy', id]);
      }
    }
    for (const organization of [stranger.organization_id, crypto.randomUUID()]) {
      expect((await iam.get(`/policies?organization_id=${organization}`)).status).toBe(403);
      const body = { name: 'x', no_principal: true, organization_id: organization };
      expect((await iam.post('/policies', body)).status).toBe(403);
    }
  });
});

describe('a policy’s principal', () => {
  it.each<[string, object]>([
    ['none', {}],
    ['two', { no_principal: true, user_id: crypto.randomUUID() }],
    ['a group', { group_id: crypto.randomUUID() }],
  ])('must be exactly one: %s is rejected', async (_, principal) => {
    expect((await iam.post('/policies', { name: 'bad', ...principal })).status).toBe(400);
  });
});
