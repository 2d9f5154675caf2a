/**
 * Every route × every kind of caller. The routes are the app's own, so that none escapes by not being documented; what
 * each caller must get stands in matrix-table.ts.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { everything } from './everything.ts';
import { call, clientOf, newOwner, newProject, parametersOf } from './harness.ts';
import { type Area, type Callers, newCallers, newSession, newUser, signIn } from './matrix-callers.ts';
import { CALLERS, EXPECTED, FOUND_BY_KEY, PUBLIC } from './matrix-table.ts';
import { mailing } from './people.ts';

const ROUTES = [
  ...new Set(
    app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ),
];

const LOOKUP = '/mnq/v1beta1/lookup';

/** Where mail is sent: elsewhere only Owners can invite. */
const bindings = mailing;

/** A request that is right in every way: only who sends it decides. */
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

/** Makes what the route is about, in a project of its own, and the request for it. */
async function prepare(route: string): Promise<Prepared> {
  const [method = '', pattern = ''] = route.split(' ');
  const project_id = await newProject(owner);
  const api = clientOf(owner, 'fr-par');
  const product = /sqs|queues/.test(pattern) ? 'sqs' : /sns|topics/.test(pattern) ? 'sns' : undefined;
  const made: Record<string, string> = {};
  if (pattern.includes('nats-')) {
    const account = (await api.post('/nats-accounts', { project_id, name: 'matrix' })).body.id;
    made.nats_account_id = account;
    if (pattern.includes(':credentials_id')) {
      made.credentials_id = (await api.post('/nats-credentials', { nats_account_id: account })).body.id;
    }
  }
  if (product && !pattern.includes('/activate-')) await api.post(`/activate-${product}`, { project_id });
  if (product && pattern.includes(':credentials_id')) {
    const body = { project_id, permissions };
    made.credentials_id = (await api.post(`/${product}-credentials`, body)).body.id;
  }
  if (/applications|api-keys|policies|rules/.test(pattern)) Object.assign(made, await newProgram());
  if (pattern.includes(':user_id')) made.user_id = await newUser(owner.organization_id);
  if (pattern.includes(':jti')) made.jti = await newSession(owner);
  made.project_id = project_id;
  const path = pattern
    .replace(':region', 'fr-par')
    .replaceAll(/:([a-z_]+)/g, (_all, name) => made[name] ?? '');
  const { organization_id } = owner;
  const { nats_account_id, application_id, policy_id } = made;
  if (method === 'GET' || method === 'DELETE') {
    const query = { organization_id, project_id, ...(policy_id && { policy_id }) };
    if (pattern === LOOKUP) return { path: `${path}?key=${await newAccessKey(project_id)}` };
    return { path: `${path}?${new URLSearchParams(parametersOf(method, pattern, query))}` };
  }
  // That one takes nothing else.
  if (pattern.endsWith('/users/:user_id')) return { path, body: { type: 'member' } };
  const email = `${crypto.randomUUID()}@example.com`;
  const iam = { organization_id, application_id, policy_id, rules: [] };
  const body = /^\/(iam|account)\//.test(pattern)
    ? { ...iam, email }
    : { project_id, nats_account_id, permissions };
  return { path, body: { ...body, name: 'matrix' } };
}

/** The access key of credentials for Queues in the project. */
async function newAccessKey(project_id: string): Promise<string> {
  const api = clientOf(owner, 'fr-par');
  await api.post('/activate-sqs', { project_id });
  return (await api.post('/sqs-credentials', { project_id, permissions })).body.access_key;
}

/** An application with an API key and a policy. */
async function newProgram(): Promise<Record<string, string>> {
  const create = async (collection: string, body: object) =>
    (await call('POST', `/iam/v1alpha1/${collection}`, { token: owner.secret_key, body })).body;
  const application_id = (await create('applications', { name: 'matrix' })).id;
  const { access_key } = await create('api-keys', { application_id });
  const policy_id = (await create('policies', { name: 'matrix', application_id })).id;
  return { application_id, access_key, policy_id };
}

beforeAll(async () => {
  // The mails that invite.
  vi.spyOn(console, 'log').mockReturnValue();
  owner = await newOwner();
  elsewhere = await newProject(owner);
  cookie = await signIn(owner);
});

describe('the routes of the app', () => {
  it('are each in the table, or named as public', () => {
    expect([...EXPECTED.keys(), ...Object.keys(PUBLIC)].sort()).toEqual([...ROUTES].sort());
  });
});

describe.each([...Map.groupBy(EXPECTED.keys(), (route) => areaOf(route.split(' ')[1] ?? ''))])(
  '%s',
  (area, routes) => {
    let callers: Callers;
    beforeAll(async () => {
      callers = await newCallers(owner, area, elsewhere, cookie);
    });

    it.each(routes)('%s', async (route) => {
      const expected = EXPECTED.get(route);
      const method = route.split(' ')[0] ?? '';
      const shared = await prepare(route);
      const before = await everything();
      const told: Record<string, number> = {};
      const found: Record<string, number> = {};
      const refused = CALLERS.filter((caller) => (expected?.[caller] ?? 0) >= 400);
      for (const caller of refused) {
        const { path, body } = shared;
        told[caller] = (await call(method, path, { headers: callers[caller], body, env: bindings })).status;
      }
      expect(await everything(), 'a refused request changed something').toEqual(before);
      for (const caller of CALLERS.filter((caller) => !refused.includes(caller))) {
        const { path, body } = await prepare(route);
        const answer = await call(method, path, { headers: callers[caller], body, env: bindings });
        told[caller] = answer.status;
        if (path.startsWith(LOOKUP)) found[caller] = answer.body.results.length;
      }
      expect(told).toEqual(expected);
      if (route.endsWith(LOOKUP)) expect(found).toEqual(FOUND_BY_KEY);
    });
  },
);
