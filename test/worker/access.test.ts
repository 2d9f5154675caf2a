/** Authentication and tenant isolation for every route, read from the app's router so that no route is missed. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import {
  call,
  clientOf,
  identityRows,
  newOwner,
  newProject,
  ORIGIN,
  parametersOf,
  rows,
  signIn,
} from './harness.ts';
import { PUBLIC } from './matrix-table.ts';

/** Lists that return only the caller's own data. */
const OF_CALLER = [
  '/account/v3/projects',
  '/iam/v1alpha1/principal',
  '/iam/v1alpha1/users',
  '/iam/v1alpha1/jwts',
  '/mnq/v1beta1/lookup',
  // Returns data of the region, not of a project.
  '/mnq/v1beta1/regions/:region/nats-servers',
  // Return a result for each id, which looks missing.
  ...['nats', 'sqs', 'sns'].flatMap((product) => [
    `/mnq/v1beta1/regions/:region/${product}-credentials/batch`,
    `/mnq/v1beta1/regions/:region/${product}-usage`,
  ]),
];

const ROUTES = [
  ...new Set(
    app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ),
];
const PRIVATE = ROUTES.filter((route) => !Object.hasOwn(PUBLIC, route)).map(
  (route) => route.split(' ') as [string, string],
);

/** The permissions of a NATS role. */
const SUBJECTS = { publish: { allow: ['victim'] }, subscribe: { allow: [] } };

interface Victim {
  owner: Owner;
  account: string;
  role: string;
  application: string;
  policy: string;
  /** Path of a collection → the id of one of its credentials. */
  credentials: Record<string, string>;
  /** The Owner's user ID, and the ID of one of the Owner's sessions. */
  person: { user: string; session: string };
}

async function newVictim(): Promise<Victim> {
  const first = await newOwner();
  // The first project has the organization's ID. A second project tells the two apart.
  const owner = { ...first, project_id: await newProject(first) };
  const api = clientOf(owner, 'fr-par');
  const { project_id } = owner;
  const account = (await api.post('/nats-accounts', { name: 'victim', project_id })).body.id;
  const role = (await api.post('/nats-roles', { nats_account_id: account, name: 'victim', ...SUBJECTS })).body
    .id;
  const nats = (await api.post('/nats-credentials', { nats_account_id: account, name: 'victim' })).body.id;
  const credentials: Record<string, string> = { 'nats-credentials': nats };
  for (const product of ['sqs', 'sns']) {
    await api.post(`/activate-${product}`, { project_id });
    const body = { project_id, name: 'victim', permissions: { can_publish: true } };
    credentials[`${product}-credentials`] = (await api.post(`/${product}-credentials`, body)).body.id;
  }
  const iam = async (collection: string, body: object) =>
    (await call('POST', `/iam/v1alpha1/${collection}`, { token: owner.secret_key, body })).body.id;
  const application = await iam('applications', { name: 'victim' });
  const policy = await iam('policies', { name: 'victim', application_id: application });
  const signedIn = await signIn(owner.email, owner.password);
  const user = (await signedIn.get('/iam/v1alpha1/users')).body.users[0].id;
  const session = (await signedIn.get('/iam/v1alpha1/jwts')).body.jwts[0].jti;
  return { owner, account, role, credentials, application, policy, person: { user, session } };
}

/** The path, with the victim's IDs filled in. */
function fillPath(path: string, victim: Victim): string {
  const { owner, account, role, credentials, application, policy, person } = victim;
  const collection = Object.keys(credentials).find((name) => path.includes(`/${name}/`)) ?? '';
  return path
    .replace(':region', 'fr-par')
    .replace(':nats_account_id', account)
    .replace(':nats_role_id', role)
    .replace(':application_id', application)
    .replace(':policy_id', policy)
    .replace(':project_id', owner.project_id)
    .replace(':organization_id', owner.organization_id)
    .replace(':credentials_id', credentials[collection] ?? '')
    .replace(':access_key', owner.access_key)
    .replace(':user_id', person.user)
    .replace(':jti', person.session);
}

/** A query and a body that reference the victim's resources and suit every route. */
function queryAndBody(
  method: string,
  path: string,
  { owner, account, role, application, policy, credentials }: Victim,
) {
  const { project_id, organization_id } = owner;
  const body = {
    project_id,
    organization_id,
    nats_account_id: account,
    nats_role_id: role,
    ...SUBJECTS,
    application_id: application,
    policy_id: policy,
    email: 'intruder@example.com',
    name: 'intruder',
    permissions: { can_publish: true, can_receive: true, can_manage: true },
    rules: [{ permission_set_names: ['MessagingAndQueuingFullAccess'], project_ids: [project_id] }],
  };
  const [product = ''] = /(nats|sqs|sns)(?=-)/.exec(path) ?? [];
  const credentials_id = credentials[`${product}-credentials`] ?? '';
  const names = { project_id, organization_id, policy_id: policy, key: account, credentials_id };
  if (method === 'GET' || method === 'DELETE') {
    return { query: `?${new URLSearchParams(parametersOf(method, path, names))}` };
  }
  // These endpoints accept only these fields.
  if (path.endsWith('/users/:user_id')) return { query: '', body: { type: 'member' } };
  if (path.endsWith('/security-settings')) return { query: '', body: { max_credentials_duration: 60 } };
  if (path.endsWith('-credentials/batch'))
    return { query: '', body: { action: 'revoke', ids: [credentials_id] } };
  return { query: '', body };
}

const state = async () =>
  JSON.stringify([
    await rows('fr-par', 'select * from nats_accounts order by id'),
    await rows('fr-par', 'select * from nats_roles order by id'),
    await rows('fr-par', 'select * from credentials order by id'),
    await rows('fr-par', 'select * from services order by project_id, product'),
    await rows('fr-par', 'select * from counts order by scope, resource'),
    await rows('fr-par', 'select count(*) from audit_events'),
    await identityRows('select * from applications order by id'),
    await identityRows('select access_key, updated_at from api_keys order by access_key'),
    await identityRows('select * from policies order by id'),
    await identityRows('select * from rules order by id'),
    await identityRows('select count(*) from audit_events'),
    await identityRows('select * from memberships order by user_id, organization_id'),
    await identityRows('select * from invitations order by user_id, organization_id'),
    await identityRows('select id, email, name from users order by id'),
    await identityRows('select id from sessions order by id'),
    await identityRows('select id, max_credentials_duration from organizations order by id'),
  ]);

describe('every route', () => {
  let victim: Victim;
  let intruder: Owner;
  let before: string;

  beforeAll(async () => {
    victim = await newVictim();
    intruder = await newOwner();
    before = await state();
  });

  it.each(PRIVATE)('%s %s rejects a request without a token', async (method, path) => {
    const { query, body } = queryAndBody(method, path, victim);
    const response = await call(method, fillPath(path, victim) + query, { body });
    expect(response.status).toBe(401);
    expect(response.body).toEqual({
      type: 'denied_authentication',
      message: 'denied authentication',
      method: 'api_key',
      reason: 'invalid_argument',
    });
  });

  it.each(PRIVATE)('%s %s rejects malformed and unknown tokens', async (method, path) => {
    const { query, body } = queryAndBody(method, path, victim);
    for (const [token, reason] of [
      ['nonsense', 'invalid_argument'],
      [crypto.randomUUID(), 'not_found'],
    ] as const) {
      const response = await call(method, fillPath(path, victim) + query, { body, token });
      expect([response.status, response.body.reason]).toEqual([401, reason]);
    }
  });

  it.each(PRIVATE)(
    '%s %s denies cross-tenant access to another organization’s project',
    async (method, path) => {
      const { query, body } = queryAndBody(method, path, victim);
      const response = await call(method, fillPath(path, victim) + query, {
        body,
        token: intruder.secret_key,
      });
      if (!OF_CALLER.includes(path)) expect([403, 404]).toContain(response.status);
      const responseText = response.text.replaceAll(fillPath(path, victim), '');
      for (const secret of ['victim', victim.owner.organization_id])
        expect(responseText).not.toContain(secret);
    },
  );

  it.each(PRIVATE)(
    '%s %s returns the same error for another tenant’s resource and a missing one',
    async (method, path) => {
      const missing: Victim = {
        owner: {
          ...victim.owner,
          organization_id: crypto.randomUUID(),
          project_id: crypto.randomUUID(),
          access_key: `SCW${'A'.repeat(17)}`,
        },
        application: crypto.randomUUID(),
        policy: crypto.randomUUID(),
        account: `A${'B'.repeat(55)}`,
        role: crypto.randomUUID(),
        person: { user: crypto.randomUUID(), session: crypto.randomUUID() },
        credentials: Object.fromEntries(
          Object.keys(victim.credentials).map((name) => [name, crypto.randomUUID()]),
        ),
      };
      const send = async (target: Victim) => {
        const { query, body } = queryAndBody(method, path, target);
        const response = await call(method, fillPath(path, target) + query, {
          body,
          token: intruder.secret_key,
        });
        const ids = [
          target.account,
          target.role,
          target.owner.organization_id,
          target.owner.project_id,
          target.owner.access_key,
          target.application,
          target.policy,
          ...Object.values(target.person),
          ...Object.values(target.credentials),
        ];
        return [response.status, ids.reduce((text, id) => text.replaceAll(id, 'ID'), response.text)];
      };
      expect(await send(victim)).toEqual(await send(missing));
    },
  );

  it('leaves the other tenant’s data unchanged', async () => {
    expect(await state()).toBe(before);
  });
});

describe('an API key', () => {
  const change = (sql: string, ...params: unknown[]) =>
    env.IDENTITY.prepare(sql)
      .bind(...params)
      .run();
  const status = async (owner: Owner) => {
    const response = await clientOf(owner, 'fr-par').get('/nats-accounts');
    return [response.status, response.body.reason ?? response.body.type ?? 'ok'];
  };

  it('is rejected after it expires', async () => {
    const owner = await newOwner();
    await change(
      'update api_keys set expires_at = ? where access_key = ?',
      Date.now() + 60_000,
      owner.access_key,
    );
    expect(await status(owner)).toEqual([200, 'ok']);
    await change('update api_keys set expires_at = ? where access_key = ?', Date.now() - 1, owner.access_key);
    expect(await status(owner)).toEqual([401, 'expired']);
  });

  it('is rejected on the next request after it is deleted', async () => {
    const owner = await newOwner();
    expect(await status(owner)).toEqual([200, 'ok']);
    await change('delete from api_keys where access_key = ?', owner.access_key);
    expect(await status(owner)).toEqual([401, 'not_found']);
  });

  it('is rejected after its user leaves the organization', async () => {
    const owner = await newOwner();
    await change('delete from memberships where organization_id = ?', owner.organization_id);
    expect(await status(owner)).toEqual([401, 'not_found']);
  });

  it('is denied access when its member has no policy', async () => {
    const owner = await newOwner();
    await change(`update memberships set role = 'member' where organization_id = ?`, owner.organization_id);
    expect(await status(owner)).toEqual([403, 'permissions_denied']);
  });

  it('returns its own record without the secret key', async () => {
    const owner = await newOwner();
    const response = await call('GET', `/iam/v1alpha1/api-keys/${owner.access_key}`, {
      token: owner.secret_key,
    });
    expect(response.body).toMatchObject({
      access_key: owner.access_key,
      secret_key: null,
      default_project_id: owner.project_id,
      application_id: null,
    });
    expect(response.text).not.toContain(owner.secret_key);
  });

  it('lists the projects of its organization', async () => {
    const owner = await newOwner();
    const response = await call('GET', '/account/v3/projects', { token: owner.secret_key });
    expect(response.body.total_count).toBe(1);
    expect(response.body.projects).toMatchObject([
      { id: owner.project_id, organization_id: owner.organization_id },
    ]);
  });
});

describe('a browser session', () => {
  const attemptSignIn = (email: string, password: string, origin: string | null = ORIGIN) =>
    call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: origin ? { Origin: origin } : {},
    });
  const cookieOf = (headers: Headers) => headers.get('Set-Cookie')?.split(';')[0] ?? '';
  const createAccount = (owner: Owner, headers: Record<string, string>) =>
    call('POST', '/mnq/v1beta1/regions/fr-par/nats-accounts', {
      body: { project_id: owner.project_id, name: 'browser' },
      headers,
    });

  it('signs in, makes same-origin requests only, and signs out', async () => {
    const owner = await newOwner();
    const signedIn = await attemptSignIn(owner.email, owner.password);
    expect(signedIn.status).toBe(200);
    const setCookie = signedIn.headers.get('Set-Cookie') ?? '';
    expect(setCookie).toMatch(/^__Secure-latchkey\.session_token=/);
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax']) expect(setCookie).toContain(attribute);

    const Cookie = cookieOf(signedIn.headers);
    expect((await call('GET', '/account/v3/projects', { headers: { Cookie } })).body.total_count).toBe(1);
    expect((await createAccount(owner, { Cookie, Origin: ORIGIN })).status).toBe(200);
    for (const foreign of [{}, { Origin: 'https://evil.test' }, { Origin: 'null' }] as Record<
      string,
      string
    >[]) {
      const response = await createAccount(owner, { Cookie, ...foreign });
      expect([response.status, response.body.details]).toEqual([
        403,
        [{ resource: 'origin', action: 'write' }],
      ]);
    }
    const [audited] = await rows<{ actor_key: string | null }>(
      'fr-par',
      'select actor_type, actor_key from audit_events where project_id = ?',
      owner.project_id,
    );
    expect(audited).toEqual({ actor_type: 'user', actor_key: null });

    expect(
      (await call('POST', '/auth/sign-out', { headers: { Cookie, Origin: ORIGIN }, body: {} })).status,
    ).toBe(200);
    const replayed = await createAccount(owner, { Cookie, Origin: ORIGIN });
    expect([replayed.status, replayed.body.method, replayed.body.reason]).toEqual([
      401,
      'session',
      'not_found',
    ]);
  });

  it('gets the same response for a wrong password and an unknown email, and rejects foreign origins', async () => {
    const owner = await newOwner();
    const wrong = await attemptSignIn(owner.email, 'not the password');
    const unknown = await attemptSignIn('nobody@example.com', owner.password);
    expect(wrong.status).toBe(401);
    expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text]);
    for (const origin of ['https://evil.test', null]) {
      expect((await attemptSignIn(owner.email, owner.password, origin)).status).toBe(403);
    }
  });

  it('rejects a forged or altered session cookie', async () => {
    const owner = await newOwner();
    const Cookie = cookieOf((await attemptSignIn(owner.email, owner.password)).headers);
    const [{ token } = { token: '' }] = (
      await env.IDENTITY.prepare(
        'select s.token from sessions s join users u on u.id = s.user_id where u.email = ?',
      )
        .bind(owner.email)
        .all<{ token: string }>()
    ).results;
    const name = Cookie.split('=')[0];
    const forged = `${token}.${btoa('x'.repeat(32))}`;
    for (const value of [token, encodeURIComponent(forged), `${Cookie.split('=')[1]}x`.replace(/^./, 'Z')]) {
      const response = await call('GET', '/account/v3/projects', { headers: { Cookie: `${name}=${value}` } });
      expect(response.status).toBe(401);
    }
  });

  it.each([
    '/auth/sign-up/email',
    '/auth/update-user',
    '/auth/list-sessions',
    '/auth/delete-user',
    '/auth/ok',
  ])('returns 404 for %s', async (path) => {
    const body = { email: 'new@example.com', password: 'a long enough password', name: 'New' };
    expect((await call('POST', path, { body, headers: { Origin: ORIGIN } })).status).toBe(404);
  });
});
