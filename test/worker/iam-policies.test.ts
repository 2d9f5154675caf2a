/** What policies grant, as programs see it: from the rule to the next request. */
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

/** An application with an API key, as the API gives them. */
async function newProgram(name = 'program') {
  const application = (await iam.post('/applications', { name })).body;
  const key = (await iam.post('/api-keys', { application_id: application.id })).body;
  return { application_id: application.id as string, secret_key: key.secret_key as string };
}

const QUEUES = '/mnq/v1beta1/regions/fr-par';
const activate = (token: string, project_id: string) =>
  call('POST', `${QUEUES}/activate-sqs`, { token, body: { project_id } });
const readable = async (token: string, project_id: string) =>
  (await call('GET', `${QUEUES}/sqs-info?project_id=${project_id}`, { token })).status;

const trail = (id: string) =>
  identityRows<{ action: string; resource: string; before: string | null; after: string | null }>(
    'select action, resource, before, after from audit_events where resource_id = ? order by id',
    id,
  );

describe('a policy for an application', () => {
  it('grants what its rules say where they say it, from the next request on', async () => {
    const { application_id, secret_key } = await newProgram();
    expect(await readable(secret_key, owner.project_id)).toBe(403);
    const policy = (
      await iam.post('/policies', {
        name: 'reads queues',
        application_id,
        rules: [{ permission_set_names: ['QueuesReadOnly'], project_ids: [owner.project_id] }],
      })
    ).body;
    expect(policy).toMatchObject({ nb_rules: 1, nb_scopes: 1, nb_permission_sets: 1, application_id });
    expect(await readable(secret_key, owner.project_id)).toBe(200);
    expect(await readable(secret_key, other)).toBe(404);
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
    expect(await readable(secret_key, owner.project_id)).toBe(403);
    await iam.patch(`/policies/${policy.id}`, { application_id });
    expect(await readable(secret_key, owner.project_id)).toBe(200);
    expect((await iam.delete(`/policies/${policy.id}`)).status).toBe(204);
    expect(await readable(secret_key, owner.project_id)).toBe(403);
  });

  it('loses its principal when the application is deleted, whose keys are refused at once', async () => {
    const { application_id, secret_key } = await newProgram();
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

it('a change of what a program may only read is 403, and of what is another’s or nobody’s 404', async () => {
  const { application_id, secret_key } = await newProgram();
  const rules = [{ permission_set_names: ['NATSReadOnly'], project_ids: [owner.project_id] }];
  await iam.post('/policies', { name: 'reads accounts', application_id, rules });
  const newAccount = async ({ secret_key: token, project_id }: Owner) =>
    (await call('POST', `${QUEUES}/nats-accounts`, { token, body: { project_id } })).body.id as string;
  const changes = async (id: string) => {
    const path = `${QUEUES}/nats-accounts/${id}`;
    const answers = [
      await call('PATCH', path, { token: secret_key, body: { name: 'mine' } }),
      await call('DELETE', path, { token: secret_key }),
    ];
    return answers.map(({ status }) => status);
  };
  const mine = await newAccount(owner);
  expect(await changes(mine)).toEqual([403, 403]);
  expect(await changes(await newAccount(await newOwner()))).toEqual([404, 404]);
  await call('DELETE', `${QUEUES}/nats-accounts/${mine}`, { token: owner.secret_key });
  expect(await changes(mine)).toEqual([404, 404]);
});

it('a policy is never for an application of another organization, neither created nor changed', async () => {
  const stranger = iamOf((await newOwner()).secret_key);
  const application_id = (await stranger.post('/applications', { name: 'theirs' })).body.id;
  const created = await iam.post('/policies', { name: 'foreign', application_id });
  expect([created.status, created.body.type]).toEqual([403, 'permissions_denied']);
  const mine = (await iam.post('/policies', { name: 'mine', no_principal: true })).body;
  expect((await iam.patch(`/policies/${mine.id}`, { application_id })).status).toBe(403);
  expect((await iam.get(`/policies/${mine.id}`)).body).toEqual(mine);
});

describe('a policy for a person', () => {
  it('may be for who is only invited, and grants nothing until then', async () => {
    const invited = await newPerson(owner, { joined: false });
    const policy = await iam.post('/policies', {
      name: 'prepared',
      user_id: invited.user_id,
      rules: [{ permission_set_names: ['IAMReadOnly'], organization_id: owner.organization_id }],
    });
    expect(policy.body).toMatchObject({ user_id: invited.user_id, no_principal: null, nb_scopes: 1 });
    expect((await iamOf(invited.secret_key).get('/applications')).status).toBe(401);
  });

  it('may not be for a stranger', async () => {
    const stranger = await newOwner();
    for (const user_id of [await userIdOf(stranger), crypto.randomUUID()]) {
      const answer = await iam.post('/policies', { name: 'foreign', user_id });
      expect([answer.status, answer.body.type]).toEqual([403, 'permissions_denied']);
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

describe('rules', () => {
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
  ])('are refused with %s', async (_, spec, argument) => {
    const text = JSON.stringify([spec])
      .replace('"P"', `"${owner.project_id}"`)
      .replace('"O"', `"${owner.organization_id}"`);
    const rules = JSON.parse(text);
    const policy = (await iam.post('/policies', { name: 'empty', no_principal: true })).body;
    for (const answer of [
      await iam.post('/policies', { name: 'bad', no_principal: true, rules }),
      await iam.put('/rules', { policy_id: policy.id, rules }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.details.map((one: { argument_name: string }) => one.argument_name)).toContain(
        argument,
      );
    }
    expect((await iam.get('/policies')).body.total_count).toBe(1);
  });

  it('are refused with a foreign project as with one that does not exist', async () => {
    const stranger = await newOwner();
    const policy = (await iam.post('/policies', { name: 'empty', no_principal: true })).body;
    for (const project of [stranger.project_id, crypto.randomUUID()]) {
      const rules = [{ ...rule, project_ids: [owner.project_id, project] }];
      for (const answer of [
        await iam.post('/policies', { name: 'bad', no_principal: true, rules }),
        await iam.put('/rules', { policy_id: policy.id, rules }),
      ]) {
        expect([answer.status, answer.body.details]).toEqual([
          403,
          [{ resource: 'project', action: 'read' }],
        ]);
      }
    }
    expect((await iam.get(`/rules?policy_id=${policy.id}`)).body).toEqual({ total_count: 0, rules: [] });
  });

  it('are at most 100 of a policy, and are listed in pages in their order', async () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        permission_set_names: [Object.keys(permissionSets)[i % 8]],
        organization_id: owner.organization_id,
      }));
    const made = await iam.post('/policies', { name: 'full', no_principal: true, rules: of(100) });
    expect(made.body).toMatchObject({ nb_rules: 100, nb_scopes: 1, nb_permission_sets: 8 });
    expect((await iam.put('/rules', { policy_id: made.body.id, rules: of(101) })).status).toBe(400);
    const page = (await iam.get(`/rules?policy_id=${made.body.id}&page=4&page_size=30`)).body;
    expect(page.total_count).toBe(100);
    expect(page.rules.map((one: { permission_set_names: string[] }) => one.permission_set_names)).toEqual(
      of(100)
        .slice(90)
        .map((one) => one.permission_set_names),
    );
  });

  it('that were there already change nothing', async () => {
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

describe('policies are listed', () => {
  it('by principal, name, tag and id, the same parameter once or many times', async () => {
    const person = await newPerson(owner);
    const { application_id } = await newProgram();
    const make = async (name: string, rest: object) =>
      (await iam.post('/policies', { name, ...rest })).body.id as string;
    const a = await make('alpha', { user_id: person.user_id, tags: ['blue'] });
    const b = await make('beta', { application_id, tags: ['blueish', 'red'] });
    const c = await make('gamma', { no_principal: true });
    const list = async (query: string) =>
      (await iam.get(`/policies?${query}`)).body.policies.map(({ id }: { id: string }) => id);
    expect(await list(`organization_id=${owner.organization_id}`)).toEqual([a, b, c]);
    expect(await list('order_by=policy_name_desc')).toEqual([c, b, a]);
    expect(await list(`user_ids=${person.user_id}`)).toEqual([a]);
    expect(await list(`user_ids=${person.user_id}&application_ids=${application_id}`)).toEqual([a, b]);
    expect(await list(`group_ids=${crypto.randomUUID()}`)).toEqual([]);
    expect(await list('no_principal=true')).toEqual([c]);
    expect(await list('no_principal=false')).toEqual([a, b]);
    expect(await list('policy_name=BET')).toEqual([b]);
    expect(await list('tag=Blue')).toEqual([a, b]);
    expect(await list(`policy_ids=${a}&policy_ids=${c}`)).toEqual([a, c]);
    expect(await list('page_size=1&page=2')).toEqual([b]);
  });

  it('never with those of another organization', async () => {
    const stranger = await newOwner();
    const theirs = (
      await iamOf(stranger.secret_key).post('/policies', { name: 'theirs', no_principal: true })
    ).body;
    expect((await iam.get('/policies')).body).toEqual({ total_count: 0, policies: [] });
    for (const id of [theirs.id, crypto.randomUUID()]) {
      const answers = [
        await iam.get(`/policies/${id}`),
        await iam.patch(`/policies/${id}`, { name: 'mine' }),
        await iam.delete(`/policies/${id}`),
        await iam.put('/rules', { policy_id: id, rules: [] }),
        await iam.get(`/rules?policy_id=${id}`),
      ];
      for (const { status, body } of answers) {
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

describe('a policy names one principal', () => {
  it.each<[string, object]>([
    ['none', {}],
    ['two', { no_principal: true, user_id: crypto.randomUUID() }],
    ['a group', { group_id: crypto.randomUUID() }],
  ])('and is refused with %s', async (_, principal) => {
    expect((await iam.post('/policies', { name: 'bad', ...principal })).status).toBe(400);
  });
});
