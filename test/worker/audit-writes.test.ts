/**
 * Audit rows of every route that changes something: a change and its row are written together or not at all, and no
 * row contains a secret.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker, { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { everything } from './everything.ts';
import { rejectingAudit } from './failing.ts';
import { type CallOptions, call, newOwner, newProject, ORIGIN, postAuth, rows } from './harness.ts';
import { grant, newKey, newUser } from './matrix-callers.ts';
import { invite, newEmail, newMember, newPassword, tokenOf, USERS } from './people.ts';

const REGION = '/mnq/v1beta1/regions/:region';

/** Routes that write no audit row. */
const WITHOUT_AUDIT_ROW = [
  'POST /auth/sign-in/email', // a session is no change
  'POST /auth/sign-in/link',
  'POST /auth/sign-out',
  'POST /auth/invitation', // reads what an invitation is about
  'POST /auth/request-password-reset', // sends mail
  'POST /feedback', // said of pages, by anyone
];

/** Routes that sign in a new user, with the body that each takes. Tested separately below. */
const CREATING_USERS: Record<string, (owner: Owner) => Promise<object>> = {
  'POST /auth/guest': async () => ({}),
  'POST /auth/accept-invitation': async (owner) => {
    const token = tokenOf((await invite(owner, newEmail())).body.invitation_url);
    return { token, name: 'New', password: newPassword() };
  },
};

/** This route changes data in several steps. Tested at the end of this file and in projects.test.ts. */
const MULTI_STEP = 'DELETE /account/v3/projects/:project_id';

/** Routes whose rows are in the identity database, by the test file that checks those rows. */
const COVERED_ELSEWHERE = {
  'iam-changes.test.ts': [
    'POST /iam/v1alpha1/applications',
    'PATCH /iam/v1alpha1/applications/:application_id',
    'DELETE /iam/v1alpha1/applications/:application_id',
    'POST /iam/v1alpha1/api-keys',
    'PATCH /iam/v1alpha1/api-keys/:access_key',
    'DELETE /iam/v1alpha1/api-keys/:access_key',
    'POST /iam/v1alpha1/policies',
    'PATCH /iam/v1alpha1/policies/:policy_id',
    'DELETE /iam/v1alpha1/policies/:policy_id',
    'PUT /iam/v1alpha1/rules',
  ],
  'sign-in.test.ts': [
    'DELETE /iam/v1alpha1/jwts/:jti',
    'POST /auth/change-password',
    'POST /auth/reset-password',
  ],
};

/** Creates the resources that a change depends on. */
interface Place {
  owner: Owner;
  /** Sends a setup request and returns the ID in its response. */
  prepare(method: string, path: string, body?: unknown): Promise<string>;
}

/** How to call a route: its path with IDs, and a body. */
type Change = (place: Place) => Promise<{ path: string; body?: unknown }>;

const PROJECTS = '/account/v3/projects';

const account = ({ owner, prepare }: Place) =>
  prepare('POST', `${REGION}/nats-accounts`, { project_id: owner.project_id, name: 'before' });

const natsCredentials = async (place: Place) =>
  place.prepare('POST', `${REGION}/nats-credentials`, {
    nats_account_id: await account(place),
    name: 'before',
  });

const subjects = { publish: { allow: ['orders'] }, subscribe: { allow: [] } };

const role = async (place: Place) =>
  place.prepare('POST', `${REGION}/nats-roles`, { nats_account_id: await account(place), ...subjects });

const activated = async ({ owner, prepare }: Place, product: string) => {
  await prepare('POST', `${REGION}/activate-${product}`, { project_id: owner.project_id });
};

const bodyOf = ({ owner }: Place) => ({
  project_id: owner.project_id,
  name: 'before',
  permissions: { can_publish: true },
});

const accessKeyCredentials = async (place: Place, product: string) => {
  await activated(place, product);
  return place.prepare('POST', `${REGION}/${product}-credentials`, bodyOf(place));
};

/** The changes of an access-key product's credentials. */
/** The batch of a product, with the credentials that `create` creates. */
const batchChange = (product: string, create: (place: Place) => Promise<string>): Record<string, Change> => ({
  [`POST ${REGION}/${product}-credentials/batch`]: async (place) => ({
    path: `${REGION}/${product}-credentials/batch`,
    body: { action: 'disable', ids: [await create(place)] },
  }),
});

/** Disables credentials and returns their id. */
async function disabled(place: Place, product: string, id: string): Promise<string> {
  await place.prepare('POST', `${REGION}/${product}-credentials/${id}/disable`, {});
  return id;
}

/** The changes of a rotation of credentials that `create` creates. */
const rotationChanges = (
  product: string,
  create: (place: Place) => Promise<string>,
): Record<string, Change> => {
  const path = (id: string) => `${REGION}/${product}-credentials/${id}/rotate`;
  const rotating = async (place: Place) => {
    const id = await create(place);
    await place.prepare('POST', path(id), {});
    return path(id);
  };
  return {
    [`POST ${path(':credentials_id')}`]: async (place) => ({ path: path(await create(place)), body: {} }),
    [`POST ${path(':credentials_id')}/finish`]: async (place) => ({
      path: `${await rotating(place)}/finish`,
    }),
    [`POST ${path(':credentials_id')}/cancel`]: async (place) => ({
      path: `${await rotating(place)}/cancel`,
    }),
  };
};

const accessKeyChanges = (product: string): Record<string, Change> => ({
  [`POST ${REGION}/activate-${product}`]: async ({ owner }) => ({
    path: `${REGION}/activate-${product}`,
    body: { project_id: owner.project_id },
  }),
  [`POST ${REGION}/deactivate-${product}`]: async (place) => {
    await activated(place, product);
    return { path: `${REGION}/deactivate-${product}`, body: { project_id: place.owner.project_id } };
  },
  [`POST ${REGION}/${product}-credentials`]: async (place) => {
    await activated(place, product);
    return { path: `${REGION}/${product}-credentials`, body: bodyOf(place) };
  },
  [`PATCH ${REGION}/${product}-credentials/:credentials_id`]: async (place) => ({
    path: `${REGION}/${product}-credentials/${await accessKeyCredentials(place, product)}`,
    body: { name: 'after', permissions: { can_manage: true } },
  }),
  [`POST ${REGION}/${product}-credentials/:credentials_id/disable`]: async (place) => ({
    path: `${REGION}/${product}-credentials/${await accessKeyCredentials(place, product)}/disable`,
    body: { reason: 'leaked' },
  }),
  [`POST ${REGION}/${product}-credentials/:credentials_id/enable`]: async (place) => ({
    path: `${REGION}/${product}-credentials/${await disabled(place, product, await accessKeyCredentials(place, product))}/enable`,
  }),
  ...rotationChanges(product, (place) => accessKeyCredentials(place, product)),
  ...batchChange(product, (place) => accessKeyCredentials(place, product)),
  [`DELETE ${REGION}/${product}-credentials/:credentials_id`]: async (place) => ({
    path: `${REGION}/${product}-credentials/${await accessKeyCredentials(place, product)}`,
  }),
});

/** Route → how to call it. */
const CHANGES: Record<string, Change> = {
  [`POST ${REGION}/nats-accounts`]: async ({ owner }) => ({
    path: `${REGION}/nats-accounts`,
    body: { project_id: owner.project_id, name: 'made' },
  }),
  [`PATCH ${REGION}/nats-accounts/:nats_account_id`]: async (place) => ({
    path: `${REGION}/nats-accounts/${await account(place)}`,
    body: { name: 'after' },
  }),
  [`DELETE ${REGION}/nats-accounts/:nats_account_id`]: async (place) => ({
    path: `${REGION}/nats-accounts/${await account(place)}`,
  }),
  [`POST ${REGION}/nats-credentials`]: async (place) => ({
    path: `${REGION}/nats-credentials`,
    body: { nats_account_id: await account(place), name: 'made' },
  }),
  [`POST ${REGION}/nats-credentials/:credentials_id/disable`]: async (place) => ({
    path: `${REGION}/nats-credentials/${await natsCredentials(place)}/disable`,
    body: { reason: 'leaked' },
  }),
  [`POST ${REGION}/nats-credentials/:credentials_id/enable`]: async (place) => ({
    path: `${REGION}/nats-credentials/${await disabled(place, 'nats', await natsCredentials(place))}/enable`,
  }),
  ...rotationChanges('nats', natsCredentials),
  ...batchChange('nats', natsCredentials),
  [`DELETE ${REGION}/nats-credentials/:credentials_id`]: async (place) => ({
    path: `${REGION}/nats-credentials/${await natsCredentials(place)}`,
  }),
  [`POST ${REGION}/nats-roles`]: async (place) => ({
    path: `${REGION}/nats-roles`,
    body: { nats_account_id: await account(place), name: 'made', ...subjects },
  }),
  [`PATCH ${REGION}/nats-roles/:nats_role_id`]: async (place) => ({
    path: `${REGION}/nats-roles/${await role(place)}`,
    body: { publish: { allow: [] } },
  }),
  [`DELETE ${REGION}/nats-roles/:nats_role_id`]: async (place) => ({
    path: `${REGION}/nats-roles/${await role(place)}`,
  }),
  ...accessKeyChanges('sqs'),
  ...accessKeyChanges('sns'),
  [`POST ${PROJECTS}`]: async () => ({ path: PROJECTS, body: { name: 'made' } }),
  [`PATCH ${PROJECTS}/:project_id`]: async ({ owner }) => ({
    path: `${PROJECTS}/${owner.project_id}`,
    body: { name: 'after' },
  }),
  [`POST ${USERS}`]: async () => ({ path: USERS, body: { email: newEmail() } }),
  [`PATCH ${USERS}/:user_id`]: async ({ owner }) => ({
    path: `${USERS}/${(await newMember(owner)).id}`,
    body: { type: 'owner' },
  }),
  'PATCH /iam/v1alpha1/organizations/:organization_id/security-settings': async ({ owner }) => ({
    path: `/iam/v1alpha1/organizations/${owner.organization_id}/security-settings`,
    body: { max_credentials_duration: 60 },
  }),
  [`DELETE ${USERS}/:user_id`]: async ({ owner }) => ({ path: `${USERS}/${(await newMember(owner)).id}` }),
};

const CHANGING = [
  ...new Set(
    app.routes
      .filter(({ method }) => !['ALL', 'GET', 'HEAD'].includes(method))
      .map(({ method, path }) => `${method} ${path}`),
  ),
];

const inRegion = (path: string) => path.replace(':region', 'fr-par');

/** Prepares a call of the route. `secrets` are the secrets that the setup requests returned. */
async function prepareChange(route: string) {
  const owner = await newOwner();
  const [method = ''] = route.split(' ');
  const secrets = [owner.secret_key, owner.password];
  const send = async (by: string, path: string, options: CallOptions) => {
    const response = await call(by, inRegion(path), { token: owner.secret_key, ...options });
    secrets.push(...secretsOf(response.body));
    return response;
  };
  const prepare = async (by: string, path: string, body?: unknown) => {
    const response = await send(by, path, { ...(body !== undefined && { body }) });
    expect(response.status, `${by} ${path}`).toBeLessThan(300);
    return String(response.body?.id);
  };
  const { path, body } = (await CHANGES[route]?.({ owner, prepare })) ?? { path: '' };
  const run = (options: CallOptions = {}) =>
    send(method, path, { ...(body !== undefined && { body }), ...options });
  return { owner, secrets, run };
}

/** The secrets in a response. */
function secretsOf(body: unknown): string[] {
  const {
    secret_key: key,
    invitation_url: link,
    credentials,
  } = (body ?? {}) as {
    secret_key?: string | null;
    invitation_url?: string;
    credentials?: { content: string } | null;
  };
  const lines =
    credentials?.content.split('\n').filter((line) => line.length > 40 && !line.includes(' ')) ?? [];
  return [...(key ? [key] : []), ...(link ? [tokenOf(link)] : []), ...lines];
}

/** All audit rows of the organization, in all databases. */
async function auditRows({ organization_id: id }: Owner): Promise<Record<string, unknown>[]> {
  const query = 'select * from audit_events where organization_id = ? order by id';
  const identity = await env.IDENTITY.prepare(query).bind(id).all<Record<string, unknown>>();
  return [...identity.results, ...(await rows('fr-par', query, id)), ...(await rows('nl-ams', query, id))];
}

/** Sends a change while the database rejects audit rows. */
async function sendWithoutAudit(run: (options: CallOptions) => ReturnType<typeof call>): Promise<void> {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const response = await run({
      env: {
        ...env,
        GUESTS: { enabled: true },
        IDENTITY: rejectingAudit(env.IDENTITY),
        REGION_FR_PAR: rejectingAudit(env.REGION_FR_PAR),
      },
    });
    expect([response.status, response.body.type]).toEqual([500, 'internal_error']);
    expect(String(log.mock.calls)).toContain('NOT NULL constraint failed: audit_events.at');
  } finally {
    log.mockRestore();
  }
}

describe('a route that changes data', () => {
  it('is covered here or listed as covered elsewhere or as writing no audit row', () => {
    expect(
      [
        ...Object.keys(CHANGES),
        ...Object.keys(CREATING_USERS),
        MULTI_STEP,
        ...WITHOUT_AUDIT_ROW,
        ...Object.values(COVERED_ELSEWHERE).flat(),
      ].sort(),
    ).toEqual(CHANGING.toSorted());
  });

  it.each(Object.keys(CHANGES))(
    '%s writes one audit row, with its request ID and without secrets',
    async (route) => {
      const { owner, secrets, run } = await prepareChange(route);
      const before = await auditRows(owner);
      const response = await run();
      expect(response.status).toBeLessThan(300);
      const trail = await auditRows(owner);
      const written = trail.slice(before.length);
      expect(trail.slice(0, before.length)).toEqual(before);
      expect(written).toMatchObject([
        {
          request_id: response.headers.get('X-Request-Id'),
          actor_type: 'user',
          actor_key: owner.access_key,
          organization_id: owner.organization_id,
        },
      ]);
      expect(secrets.length).toBeGreaterThan(/^POST .*-credentials$/.test(route) ? 2 : 1);
      for (const secret of secrets) expect(JSON.stringify(trail)).not.toContain(secret);
    },
  );

  it.each(Object.keys(CHANGES))('%s rolls back when its audit row cannot be written', async (route) => {
    const { run } = await prepareChange(route);
    const before = await everything();
    await sendWithoutAudit(run);
    expect(await everything()).toEqual(before);
    expect((await run()).status).toBeLessThan(300);
  });

  it.each(Object.keys(CREATING_USERS))(
    '%s creates no user when its audit row cannot be written',
    async (route) => {
      const body = await CREATING_USERS[route]?.(await newOwner());
      const run = (options: CallOptions) => postAuth(route.replace('POST /auth', ''), body, options);
      const before = await everything();
      await sendWithoutAudit(run);
      expect(await everything()).toEqual(before);
      expect((await run({ env: { ...env, GUESTS: { enabled: true } } })).status).toBe(200);
    },
  );
});

it('deleting a project whose audit row cannot be written only marks it, until the schedule retries', async () => {
  const owner = await newOwner();
  const id = await newProject(owner);
  const bearer = { user_id: await newUser(owner.organization_id) };
  await grant(owner, bearer, 'QueuesReadOnly', id);
  await newKey({ ...owner, project_id: id }, bearer);
  const before = await everything();
  await sendWithoutAudit((options) =>
    call('DELETE', `${PROJECTS}/${id}`, { token: owner.secret_key, ...options }),
  );
  const after = await everything();
  const marked = Object.keys(after).filter((table) => after[table] !== before[table]);
  expect(marked).toEqual(['identity projects']);
  await env.IDENTITY.prepare('update projects set updated_at = 0 where id = ?').bind(id).run();
  await worker.scheduled({} as never, env, {} as never);
  const written = (await auditRows(owner)).filter(({ actor_id }) => actor_id === 'schedule');
  expect(written.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    'update api_keys',
    'update policies',
    'delete projects',
  ]);
});

it('deactivating a product writes one audit row for each revoked credential', async () => {
  const owner = await newOwner();
  const send = (path: string, body: unknown) =>
    call('POST', inRegion(`${REGION}${path}`), { token: owner.secret_key, body });
  const { project_id } = owner;
  await send('/activate-sqs', { project_id });
  for (let i = 0; i < 3; i++) {
    await send('/sqs-credentials', { project_id, permissions: { can_publish: true } });
  }
  const { headers } = await send('/deactivate-sqs', { project_id });
  const written = (await auditRows(owner)).filter(({ request_id: id }) => id === headers.get('X-Request-Id'));
  expect(written.map(({ action }) => action)).toEqual(['revoke', 'revoke', 'revoke', 'deactivate']);
});

it('creating a guest session records the guest as the actor', async () => {
  const { body, headers } = await call('POST', '/auth/guest', {
    headers: { Origin: ORIGIN },
    env: { ...env, GUESTS: { enabled: true } },
  });
  expect(await auditRows({ organization_id: String(body.organization_id) } as Owner)).toMatchObject([
    { action: 'create', actor_type: 'user', request_id: headers.get('X-Request-Id') },
  ]);
});
