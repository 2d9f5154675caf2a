/** Who gets in: every route of the app, enumerated, so that none escapes by being forgotten here. */
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

/** Lists and answers of what is the caller's own, which hold nothing of anybody else's. */
const OF_CALLER = [
  '/account/v3/projects',
  '/iam/v1alpha1/principal',
  '/iam/v1alpha1/users',
  '/iam/v1alpha1/jwts',
  '/mnq/v1beta1/lookup',
  // The region's own, of no project.
  '/mnq/v1beta1/regions/:region/nats-servers',
];

const ROUTES = [
  ...new Set(
    app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ),
];
const PRIVATE = ROUTES.filter((route) => !Object.hasOwn(PUBLIC, route)).map(
  (route) => route.split(' ') as [string, string],
);

interface Victim {
  owner: Owner;
  account: string;
  application: string;
  policy: string;
  /** Path of a collection → id of one of its credentials. */
  credentials: Record<string, string>;
  /** The ids of the Owner as a user, and of a session of theirs. */
  person: { user: string; session: string };
}

async function newVictim(): Promise<Victim> {
  const first = await newOwner();
  // The first project has the id of the organization; this one tells the two apart.
  const owner = { ...first, project_id: await newProject(first) };
  const api = clientOf(owner, 'fr-par');
  const { project_id } = owner;
  const account = (await api.post('/nats-accounts', { name: 'victim', project_id })).body.id;
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
  return { owner, account, credentials, application, policy, person: { user, session } };
}

/** The path with the victim's ids in it. */
function pathOf(path: string, victim: Victim): string {
  const { owner, account, credentials, application, policy, person } = victim;
  const collection = Object.keys(credentials).find((name) => path.includes(`/${name}/`)) ?? '';
  return path
    .replace(':region', 'fr-par')
    .replace(':nats_account_id', account)
    .replace(':application_id', application)
    .replace(':policy_id', policy)
    .replace(':project_id', owner.project_id)
    .replace(':credentials_id', credentials[collection] ?? '')
    .replace(':access_key', owner.access_key)
    .replace(':user_id', person.user)
    .replace(':jti', person.session);
}

/** A body and a query that name what is the victim's, good for every route. */
function inputOf(method: string, path: string, { owner, account, application, policy }: Victim) {
  const { project_id, organization_id } = owner;
  const body = {
    project_id,
    organization_id,
    nats_account_id: account,
    application_id: application,
    policy_id: policy,
    email: 'intruder@example.com',
    name: 'intruder',
    permissions: { can_publish: true, can_receive: true, can_manage: true },
    rules: [{ permission_set_names: ['MessagingAndQueuingFullAccess'], project_ids: [project_id] }],
  };
  const names = { project_id, organization_id, policy_id: policy, key: account };
  if (method === 'GET' || method === 'DELETE') {
    return { query: `?${new URLSearchParams(parametersOf(method, path, names))}` };
  }
  // That one takes nothing else.
  return { query: '', body: path.endsWith('/users/:user_id') ? { type: 'member' } : body };
}

const state = async () =>
  JSON.stringify([
    await rows('fr-par', 'select * from nats_accounts order by id'),
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

  it.each(PRIVATE)('%s %s refuses who brings no token', async (method, path) => {
    const { query, body } = inputOf(method, path, victim);
    const answer = await call(method, pathOf(path, victim) + query, { body });
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      type: 'denied_authentication',
      message: 'denied authentication',
      method: 'api_key',
      reason: 'invalid_argument',
    });
  });

  it.each(PRIVATE)('%s %s refuses malformed and unknown tokens', async (method, path) => {
    const { query, body } = inputOf(method, path, victim);
    for (const [token, reason] of [
      ['nonsense', 'invalid_argument'],
      [crypto.randomUUID(), 'not_found'],
    ] as const) {
      const answer = await call(method, pathOf(path, victim) + query, { body, token });
      expect([answer.status, answer.body.reason]).toEqual([401, reason]);
    }
  });

  it.each(PRIVATE)('%s %s lets nobody reach a foreign project', async (method, path) => {
    const { query, body } = inputOf(method, path, victim);
    const answer = await call(method, pathOf(path, victim) + query, { body, token: intruder.secret_key });
    if (!OF_CALLER.includes(path)) expect([403, 404]).toContain(answer.status);
    const told = answer.text.replaceAll(pathOf(path, victim), '');
    for (const secret of ['victim', victim.owner.organization_id]) expect(told).not.toContain(secret);
  });

  it.each(PRIVATE)('%s %s tells a foreign resource and a missing one alike', async (method, path) => {
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
      person: { user: crypto.randomUUID(), session: crypto.randomUUID() },
      credentials: Object.fromEntries(
        Object.keys(victim.credentials).map((name) => [name, crypto.randomUUID()]),
      ),
    };
    const ask = async (about: Victim) => {
      const { query, body } = inputOf(method, path, about);
      const answer = await call(method, pathOf(path, about) + query, { body, token: intruder.secret_key });
      const ids = [
        about.account,
        about.owner.organization_id,
        about.owner.project_id,
        about.owner.access_key,
        about.application,
        about.policy,
        ...Object.values(about.person),
        ...Object.values(about.credentials),
      ];
      return [answer.status, ids.reduce((text, id) => text.replaceAll(id, 'ID'), answer.text)];
    };
    expect(await ask(victim)).toEqual(await ask(missing));
  });

  it('left the victim as it was', async () => {
    expect(await state()).toBe(before);
  });
});

describe('an API key', () => {
  const change = (sql: string, ...params: unknown[]) =>
    env.IDENTITY.prepare(sql)
      .bind(...params)
      .run();
  const status = async (owner: Owner) => {
    const answer = await clientOf(owner, 'fr-par').get('/nats-accounts');
    return [answer.status, answer.body.reason ?? answer.body.type ?? 'ok'];
  };

  it('is refused once it has expired', async () => {
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

  it('is refused on the next request once it is deleted', async () => {
    const owner = await newOwner();
    expect(await status(owner)).toEqual([200, 'ok']);
    await change('delete from api_keys where access_key = ?', owner.access_key);
    expect(await status(owner)).toEqual([401, 'not_found']);
  });

  it('of who is no longer in the organization is refused', async () => {
    const owner = await newOwner();
    await change('delete from memberships where organization_id = ?', owner.organization_id);
    expect(await status(owner)).toEqual([401, 'not_found']);
  });

  it('of a member, whom no rule grants anything, is denied', async () => {
    const owner = await newOwner();
    await change(`update memberships set role = 'member' where organization_id = ?`, owner.organization_id);
    expect(await status(owner)).toEqual([403, 'permissions_denied']);
  });

  it('tells what it is, without its secret', async () => {
    const owner = await newOwner();
    const answer = await call('GET', `/iam/v1alpha1/api-keys/${owner.access_key}`, {
      token: owner.secret_key,
    });
    expect(answer.body).toMatchObject({
      access_key: owner.access_key,
      secret_key: null,
      default_project_id: owner.project_id,
      application_id: null,
    });
    expect(answer.text).not.toContain(owner.secret_key);
  });

  it('lists the projects of its organization', async () => {
    const owner = await newOwner();
    const answer = await call('GET', '/account/v3/projects', { token: owner.secret_key });
    expect(answer.body.total_count).toBe(1);
    expect(answer.body.projects).toMatchObject([
      { id: owner.project_id, organization_id: owner.organization_id },
    ]);
  });
});

describe('a browser', () => {
  const trySignIn = (email: string, password: string, origin: string | null = ORIGIN) =>
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

  it('signs in, acts from the same origin only, and signs out', async () => {
    const owner = await newOwner();
    const signedIn = await trySignIn(owner.email, owner.password);
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
      const answer = await createAccount(owner, { Cookie, ...foreign });
      expect([answer.status, answer.body.details]).toEqual([403, [{ resource: 'origin', action: 'write' }]]);
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

  it('is refused with a wrong password, an unknown address or a foreign origin, always alike', async () => {
    const owner = await newOwner();
    const wrong = await trySignIn(owner.email, 'not the password');
    const unknown = await trySignIn('nobody@example.com', owner.password);
    expect(wrong.status).toBe(401);
    expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text]);
    for (const origin of ['https://evil.test', null]) {
      expect((await trySignIn(owner.email, owner.password, origin)).status).toBe(403);
    }
  });

  it('cannot forge or alter a session cookie', async () => {
    const owner = await newOwner();
    const Cookie = cookieOf((await trySignIn(owner.email, owner.password)).headers);
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
      const answer = await call('GET', '/account/v3/projects', { headers: { Cookie: `${name}=${value}` } });
      expect(answer.status).toBe(401);
    }
  });

  it.each([
    '/auth/sign-up/email',
    '/auth/update-user',
    '/auth/list-sessions',
    '/auth/delete-user',
    '/auth/ok',
  ])('finds nothing at %s', async (path) => {
    const body = { email: 'new@example.com', password: 'a long enough password', name: 'New' };
    expect((await call('POST', path, { body, headers: { Origin: ORIGIN } })).status).toBe(404);
  });
});
