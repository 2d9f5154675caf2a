/**
 * Every route × every kind of caller. The routes come from the app's router, so that undocumented ones are covered
 * too. The expected statuses are in matrix-table.ts.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { everything } from './everything.ts';
import { call, clientOf, newOwner, newProject, parametersOf } from './harness.ts';
import { type Area, type Callers, newCallers, newSession, newUser, signIn } from './matrix-callers.ts';
import { CALLERS, EXPECTED, FOUND_BY_KEY, PUBLIC } from './matrix-table.ts';
import { envWithEmail } from './people.ts';

const ROUTES = [
  ...new Set(
    app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ),
];

const LOOKUP = '/mnq/v1beta1/lookup';

/** With email enabled: without it, only Owners can invite. */
const bindings = envWithEmail;

/** A valid request: only the caller decides the response. */
interface Prepared {
  path: string;
  body?: unknown;
}

const permissions = { can_publish: true, can_receive: true, can_manage: true };

function areaOf(path: string): Area {
  if (/\/(nats-[a-z]+)/.test(path)) return 'nats';
  if (/sqs|\/queues|\/lookup/.test(path)) return 'sqs';
  if (/sns|\/topics/.test(path)) return 'sns';
  if (path.startsWith('/account/')) return 'project';
  if (path.startsWith('/audit-trail/')) return 'audit_trail';
  return 'iam';
}

let owner: Owner;
let elsewhere: string;
let cookie: string;

/** Creates the route's resource in a new project, and a request for it. */
async function prepare(route: string): Promise<Prepared> {
  const [method = '', pattern = ''] = route.split(' ');
  const project_id = await newProject(owner);
  const api = clientOf(owner, 'fr-par');
  const product = /sqs|queues/.test(pattern) ? 'sqs' : /sns|topics/.test(pattern) ? 'sns' : undefined;
  const created: Record<string, string> = {};
  if (pattern.includes('nats-')) {
    const account = (await api.post('/nats-accounts', { project_id, name: 'matrix' })).body.id;
    created.nats_account_id = account;
    if (pattern.includes(':credentials_id')) {
      created.credentials_id = (await api.post('/nats-credentials', { nats_account_id: account })).body.id;
    }
    if (pattern.includes(':nats_role_id')) {
      const role = { nats_account_id: account, publish: { allow: ['>'] }, subscribe: { allow: [] } };
      created.nats_role_id = (await api.post('/nats-roles', role)).body.id;
    }
  }
  if (product && !pattern.includes('/activate-')) await api.post(`/activate-${product}`, { project_id });
  if (product && pattern.includes(':credentials_id')) {
    const body = { project_id, permissions };
    created.credentials_id = (await api.post(`/${product}-credentials`, body)).body.id;
  }
  if (/applications|api-keys|policies|rules/.test(pattern))
    Object.assign(created, await newApplicationWithKey());
  if (pattern.includes(':user_id')) created.user_id = await newUser(owner.organization_id);
  if (pattern.includes(':jti')) created.jti = await newSession(owner);
  created.project_id = project_id;
  created.organization_id = owner.organization_id;
  const path = pattern
    .replace(':region', 'fr-par')
    .replaceAll(/:([a-z_]+)/g, (_all, name) => created[name] ?? '');
  const { organization_id } = owner;
  const { nats_account_id, application_id, policy_id } = created;
  if (method === 'GET' || method === 'DELETE') {
    const query = {
      organization_id,
      project_id,
      ...(policy_id && { policy_id }),
      credentials_id: crypto.randomUUID(),
    };
    if (pattern === LOOKUP) return { path: `${path}?key=${await newAccessKey(project_id)}` };
    return { path: `${path}?${new URLSearchParams(parametersOf(method, pattern, query))}` };
  }
  // These endpoints accept only these fields.
  if (pattern.endsWith('/users/:user_id')) return { path, body: { type: 'member' } };
  if (pattern.endsWith('/security-settings')) return { path, body: { max_credentials_duration: 0 } };
  if (pattern.endsWith('-credentials/batch'))
    return { path, body: { action: 'disable', ids: [crypto.randomUUID()] } };
  const email = `${crypto.randomUUID()}@example.com`;
  const iam = { organization_id, application_id, policy_id, rules: [] };
  const body = /^\/(iam|account)\//.test(pattern)
    ? { ...iam, email }
    : {
        project_id,
        nats_account_id,
        permissions,
        publish: { allow: ['orders'] },
        subscribe: { allow: ['orders'] },
      };
  return { path, body: { ...body, name: 'matrix' } };
}

/** Inserts credentials for Queues into the project and returns their access key. */
async function newAccessKey(project_id: string): Promise<string> {
  const api = clientOf(owner, 'fr-par');
  await api.post('/activate-sqs', { project_id });
  return (await api.post('/sqs-credentials', { project_id, permissions })).body.access_key;
}

/** Inserts an application with an API key and a policy. */
async function newApplicationWithKey(): Promise<Record<string, string>> {
  const create = async (collection: string, body: object) =>
    (await call('POST', `/iam/v1alpha1/${collection}`, { token: owner.secret_key, body })).body;
  const application_id = (await create('applications', { name: 'matrix' })).id;
  const { access_key } = await create('api-keys', { application_id });
  const policy_id = (await create('policies', { name: 'matrix', application_id })).id;
  return { application_id, access_key, policy_id };
}

beforeAll(async () => {
  // Captures the invitation emails.
  vi.spyOn(console, 'log').mockReturnValue();
  owner = await newOwner();
  elsewhere = await newProject(owner);
  cookie = await signIn(owner);
});

afterAll(() => void vi.restoreAllMocks());

describe('the access matrix', () => {
  it('lists every route of the app, or names it as public', () => {
    expect([...EXPECTED.keys(), ...Object.keys(PUBLIC)].sort()).toEqual([...ROUTES].sort());
  });
});

describe.each([...Map.groupBy(EXPECTED.keys(), (route) => areaOf(route.split(' ')[1] ?? ''))])(
  'access to %s',
  (area, routes) => {
    let callers: Callers;
    beforeAll(async () => {
      callers = await newCallers(owner, area, elsewhere, cookie);
    });

    it.each(routes)('by each caller returns the expected status: %s', async (route) => {
      const expected = EXPECTED.get(route);
      const method = route.split(' ')[0] ?? '';
      const shared = await prepare(route);
      const before = await everything();
      const statuses: Record<string, number> = {};
      const found: Record<string, number> = {};
      const rejected = CALLERS.filter((caller) => (expected?.[caller] ?? 0) >= 400);
      for (const caller of rejected) {
        const { path, body } = shared;
        statuses[caller] = (
          await call(method, path, { headers: callers[caller], body, env: bindings })
        ).status;
      }
      expect(await everything(), 'a rejected request changed data').toEqual(before);
      for (const caller of CALLERS.filter((caller) => !rejected.includes(caller))) {
        const { path, body } = await prepare(route);
        const response = await call(method, path, { headers: callers[caller], body, env: bindings });
        statuses[caller] = response.status;
        if (path.startsWith(LOOKUP)) found[caller] = response.body.results.length;
      }
      expect(statuses).toEqual(expected);
      if (route.endsWith(LOOKUP)) expect(found).toEqual(FOUND_BY_KEY);
    });
  },
);
