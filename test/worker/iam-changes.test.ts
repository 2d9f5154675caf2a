/** Applies to every change of applications, API keys and policies: its cost, its audit rows, and atomicity. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { type ApiResponse, identityRows, newOwner } from './harness.ts';
import { failingAt, iamOf, userIdOf } from './identity.ts';

let owner: Owner;
let iam: ReturnType<typeof iamOf>;
let application: string;
let policy: string;
let key: string;

beforeEach(async () => {
  owner = await newOwner();
  iam = iamOf(owner.secret_key);
  await iam.get('/principal');
  application = (await iam.post('/applications', { name: 'orders' })).body.id;
  key = (await iam.post('/api-keys', { application_id: application })).body.access_key;
  policy = (await iam.post('/policies', { name: 'orders', application_id: application, rules: rules() })).body
    .id;
});

const rules = () => [{ permission_set_names: ['QueuesReadOnly'], project_ids: [owner.project_id] }];

/** Every operation, ordered so that each finds the resources it needs. */
const OPERATIONS: Record<string, (api: typeof iam, bindings: typeof env) => Promise<ApiResponse>> = {
  'tell who it is': (api, bindings) => api.get('/principal', { env: bindings }),
  'list permission sets': (api, bindings) => api.get('/permission-sets', { env: bindings }),
  'list applications': (api, bindings) => api.get('/applications', { env: bindings }),
  'get an application': (api, bindings) => api.get(`/applications/${application}`, { env: bindings }),
  'list API keys': (api, bindings) => api.get('/api-keys', { env: bindings }),
  'get an API key': (api, bindings) => api.get(`/api-keys/${key}`, { env: bindings }),
  'list policies': (api, bindings) => api.get('/policies', { env: bindings }),
  'get a policy': (api, bindings) => api.get(`/policies/${policy}`, { env: bindings }),
  'list rules': (api, bindings) => api.get(`/rules?policy_id=${policy}`, { env: bindings }),
  'create an application': (api, bindings) => api.post('/applications', { name: 'new' }, { env: bindings }),
  'update an application': (api, bindings) =>
    api.patch(`/applications/${application}`, { name: 'changed' }, { env: bindings }),
  'create an API key of an application': (api, bindings) =>
    api.post('/api-keys', { application_id: application }, { env: bindings }),
  'create an API key of a user': async (api, bindings) =>
    api.post('/api-keys', { user_id: await userIdOf(owner) }, { env: bindings }),
  'update an API key': (api, bindings) =>
    api.patch(`/api-keys/${key}`, { description: 'changed' }, { env: bindings }),
  'create a policy': (api, bindings) =>
    api.post('/policies', { name: 'new', no_principal: true, rules: rules() }, { env: bindings }),
  'update a policy': (api, bindings) =>
    api.patch(`/policies/${policy}`, { name: 'changed' }, { env: bindings }),
  'replace rules': (api, bindings) =>
    api.put(
      '/rules',
      {
        policy_id: policy,
        rules: [
          ...rules(),
          { permission_set_names: ['IAMReadOnly'], organization_id: owner.organization_id },
        ],
      },
      { env: bindings },
    ),
  'delete a policy': (api, bindings) => api.delete(`/policies/${policy}`, { env: bindings }),
  'delete an API key': (api, bindings) => api.delete(`/api-keys/${key}`, { env: bindings }),
  'delete an application': (api, bindings) => api.delete(`/applications/${application}`, { env: bindings }),
};

const CHANGES = Object.keys(OPERATIONS).filter((name) => /^(create|update|replace|delete) /.test(name));

const state = async () =>
  Object.fromEntries(
    await Promise.all(
      ['applications', 'api_keys', 'policies', 'rules', 'audit_events'].map(async (table) => [
        table,
        await identityRows(`select * from ${table} order by 1`),
      ]),
    ),
  );

describe('every IAM operation', () => {
  it.each(Object.keys(OPERATIONS))('takes one round trip after authentication: %s', async (name) => {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const response = await OPERATIONS[name]?.(iam, { ...env, IDENTITY: counted(env.IDENTITY, cost) });
    expect(response?.status).toBeLessThan(300);
    expect(cost.trips).toBe(name === 'list permission sets' ? 1 : 2);
  });
});

describe('every IAM change', () => {
  it.each(CHANGES)('writes one audit row for each changed resource: %s', async (name) => {
    const count = async () =>
      (await identityRows<{ n: number }>('select count(*) as n from audit_events'))[0]?.n ?? 0;
    const before = await count();
    const response = await OPERATIONS[name]?.(iam, env);
    const removed = name === 'delete an application';
    // Deleting the application also deletes its API key and detaches its policy: one row each.
    expect((await count()) - before).toBe(removed ? 3 : 1);
    const [event] = await identityRows<Record<string, string>>(
      'select * from audit_events order by id desc limit 1',
    );
    expect(event).toMatchObject({
      organization_id: owner.organization_id,
      actor_type: 'user',
      actor_key: owner.access_key,
      request_id: response?.headers.get('X-Request-Id'),
      action: name.split(' ')[0]?.replace('replace', 'update'),
    });
  });

  it.each(CHANGES)('rolls back when the audit row cannot be written: %s', async (name) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const before = await state();
    const response = await OPERATIONS[name]?.(iam, {
      ...env,
      IDENTITY: failingAt(env.IDENTITY, 'audit_events'),
    });
    expect(response?.status).toBe(503);
    expect(await state()).toEqual(before);
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
  });

  it('is applied once when requests are concurrent', async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, () => iam.delete(`/api-keys/${key}`)));
    expect(responses.map(({ status }) => status).sort()).toEqual([204, ...Array(9).fill(404)]);
    const replaced = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        iam.put('/rules', {
          policy_id: policy,
          rules: Array.from({ length: i }, () => ({
            permission_set_names: ['QueuesFullAccess'],
            project_ids: [owner.project_id],
          })),
        }),
      ),
    );
    expect(replaced.map(({ status, body }) => [status, body.rules.length])).toEqual(
      Array.from({ length: 10 }, (_, i) => [200, i]),
    );
  });
});
