/**
 * What the audit trail is written by: every route that changes something is enumerated, and writes one row with its
 * change, or neither; and no row holds a secret.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker, { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { everything } from './everything.ts';
import { refusingAudit } from './failing.ts';
import { type Call, call, newOwner, newProject, ORIGIN, postAuth, rows } from './harness.ts';
import { grant, newKey, newUser } from './matrix-callers.ts';
import { invite, newEmail, newMember, newPassword, tokenOf, USERS } from './people.ts';

const REGION = '/mnq/v1beta1/regions/:region';

/** Routes that change nothing that the audit trail is about. */
const SILENT = [
  'POST /auth/sign-in/email', // a session is no change
  'POST /auth/sign-in/link',
  'POST /auth/sign-out',
  'POST /auth/invitation', // reads what an invitation is about
  'POST /auth/request-password-reset', // sends mail
  'POST /feedback', // said of pages, by anyone
];

/** The routes that let in who is nobody yet, and the body that each takes: told at the end. */
const LETTING_IN: Record<string, (owner: Owner) => Promise<object>> = {
  'POST /auth/guest': async () => ({}),
  'POST /auth/accept-invitation': async (owner) => {
    const token = tokenOf((await invite(owner, newEmail())).body.invitation_url);
    return { token, name: 'New', password: newPassword() };
  },
};

/** The route whose change takes several steps: told at the end, and in projects.test.ts. */
const IN_STEPS = 'DELETE /account/v3/projects/:project_id';

/** Routes whose rows are in identity, by the test that tells what they write. */
const TOLD_ELSEWHERE = {
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

/** What a change needs to be there before it. */
interface Place {
  owner: Owner;
  /** Sends a request that is no part of the test, and returns its answer's id. */
  prepare(method: string, path: string, body?: unknown): Promise<string>;
}

/** How one route is called: its path with ids, and a body. */
type Change = (place: Place) => Promise<{ path: string; body?: unknown }>;

const PROJECTS = '/account/v3/projects';

const account = ({ owner, prepare }: Place) =>
  prepare('POST', `${REGION}/nats-accounts`, { project_id: owner.project_id, name: 'before' });

const natsCredentials = async (place: Place) =>
  place.prepare('POST', `${REGION}/nats-credentials`, {
    nats_account_id: await account(place),
    name: 'before',
  });

const activated = async ({ owner, prepare }: Place, product: string) => {
  await prepare('POST', `${REGION}/activate-${product}`, { project_id: owner.project_id });
};

const bodyOf = ({ owner }: Place) => ({
  project_id: owner.project_id,
  name: 'before',
  permissions: { can_publish: true },
});

const keyedCredentials = async (place: Place, product: string) => {
  await activated(place, product);
  return place.prepare('POST', `${REGION}/${product}-credentials`, bodyOf(place));
};

/** The changes of a product whose credentials are keys. */
const changesOfKeyed = (product: string): Record<string, Change> => ({
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
    path: `${REGION}/${product}-credentials/${await keyedCredentials(place, product)}`,
    body: { name: 'after', permissions: { can_manage: true } },
  }),
  [`DELETE ${REGION}/${product}-credentials/:credentials_id`]: async (place) => ({
    path: `${REGION}/${product}-credentials/${await keyedCredentials(place, product)}`,
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
  [`DELETE ${REGION}/nats-credentials/:credentials_id`]: async (place) => ({
    path: `${REGION}/nats-credentials/${await natsCredentials(place)}`,
  }),
  ...changesOfKeyed('sqs'),
  ...changesOfKeyed('sns'),
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

/** A call of the route, with what it needs prepared, and the secrets that were shown on the way. */
async function changeBy(route: string) {
  const owner = await newOwner();
  const [method = ''] = route.split(' ');
  const secrets = [owner.secret_key, owner.password];
  const send = async (by: string, path: string, options: Call) => {
    const answer = await call(by, inRegion(path), { token: owner.secret_key, ...options });
    secrets.push(...secretsOf(answer.body));
    return answer;
  };
  const prepare = async (by: string, path: string, body?: unknown) => {
    const answer = await send(by, path, { ...(body !== undefined && { body }) });
    expect(answer.status, `${by} ${path}`).toBeLessThan(300);
    return String(answer.body?.id);
  };
  const { path, body } = (await CHANGES[route]?.({ owner, prepare })) ?? { path: '' };
  const run = (options: Call = {}) => send(method, path, { ...(body !== undefined && { body }), ...options });
  return { owner, secrets, run };
}

/** What an answer shows once. */
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

/** Every audit row of the organization, in all databases. */
async function trailOf({ organization_id: id }: Owner): Promise<Record<string, unknown>[]> {
  const query = 'select * from audit_events where organization_id = ? order by id';
  const identity = await env.IDENTITY.prepare(query).bind(id).all<Record<string, unknown>>();
  return [...identity.results, ...(await rows('fr-par', query, id)), ...(await rows('nl-ams', query, id))];
}

/** Sends a change that is refused its audit row. */
async function refused(run: (options: Call) => ReturnType<typeof call>): Promise<void> {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const answer = await run({
      env: {
        ...env,
        GUESTS: { enabled: true },
        IDENTITY: refusingAudit(env.IDENTITY),
        REGION_FR_PAR: refusingAudit(env.REGION_FR_PAR),
      },
    });
    expect([answer.status, answer.body.type]).toEqual([500, 'internal_error']);
    expect(String(log.mock.calls)).toContain('NOT NULL constraint failed: audit_events.at');
  } finally {
    log.mockRestore();
  }
}

describe('every route that changes something', () => {
  it('is in the table of this test, or named as told elsewhere or as changing nothing', () => {
    expect(
      [
        ...Object.keys(CHANGES),
        ...Object.keys(LETTING_IN),
        IN_STEPS,
        ...SILENT,
        ...Object.values(TOLD_ELSEWHERE).flat(),
      ].sort(),
    ).toEqual(CHANGING.toSorted());
  });

  it.each(Object.keys(CHANGES))(
    '%s writes one audit row, of this request and without a secret',
    async (route) => {
      const { owner, secrets, run } = await changeBy(route);
      const before = await trailOf(owner);
      const answer = await run();
      expect(answer.status).toBeLessThan(300);
      const trail = await trailOf(owner);
      const written = trail.slice(before.length);
      expect(trail.slice(0, before.length)).toEqual(before);
      expect(written).toMatchObject([
        {
          request_id: answer.headers.get('X-Request-Id'),
          actor_type: 'user',
          actor_key: owner.access_key,
          organization_id: owner.organization_id,
        },
      ]);
      expect(secrets.length).toBeGreaterThan(/^POST .*-credentials$/.test(route) ? 2 : 1);
      for (const secret of secrets) expect(JSON.stringify(trail)).not.toContain(secret);
    },
  );

  it.each(Object.keys(CHANGES))('%s changes nothing when its audit row cannot be written', async (route) => {
    const { run } = await changeBy(route);
    const before = await everything();
    await refused(run);
    expect(await everything()).toEqual(before);
    expect((await run()).status).toBeLessThan(300);
  });

  it.each(Object.keys(LETTING_IN))(
    '%s lets nobody in when its audit row cannot be written',
    async (route) => {
      const body = await LETTING_IN[route]?.(await newOwner());
      const run = (options: Call) => postAuth(route.replace('POST /auth', ''), body, options);
      const before = await everything();
      await refused(run);
      expect(await everything()).toEqual(before);
      expect((await run({ env: { ...env, GUESTS: { enabled: true } } })).status).toBe(200);
    },
  );
});

it('a project whose end cannot be written is marked and nothing else, until the schedule can write it', async () => {
  const owner = await newOwner();
  const id = await newProject(owner);
  const bearer = { user_id: await newUser(owner.organization_id) };
  await grant(owner, bearer, 'QueuesReadOnly', id);
  await newKey({ ...owner, project_id: id }, bearer);
  const before = await everything();
  await refused((options) => call('DELETE', `${PROJECTS}/${id}`, { token: owner.secret_key, ...options }));
  const after = await everything();
  const marked = Object.keys(after).filter((table) => after[table] !== before[table]);
  expect(marked).toEqual(['identity projects']);
  await env.IDENTITY.prepare('update projects set updated_at = 0 where id = ?').bind(id).run();
  await worker.scheduled({} as never, env, {} as never);
  const written = (await trailOf(owner)).filter(({ actor_id }) => actor_id === 'schedule');
  expect(written.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    'update api_keys',
    'update policies',
    'delete projects',
  ]);
});

it('a change of many writes one audit row for each', async () => {
  const owner = await newOwner();
  const send = (path: string, body: unknown) =>
    call('POST', inRegion(`${REGION}${path}`), { token: owner.secret_key, body });
  const { project_id } = owner;
  await send('/activate-sqs', { project_id });
  for (let i = 0; i < 3; i++) {
    await send('/sqs-credentials', { project_id, permissions: { can_publish: true } });
  }
  const { headers } = await send('/deactivate-sqs', { project_id });
  const written = (await trailOf(owner)).filter(({ request_id: id }) => id === headers.get('X-Request-Id'));
  expect(written.map(({ action }) => action)).toEqual(['revoke', 'revoke', 'revoke', 'deactivate']);
});

it('who lets a guest in is the guest', async () => {
  const { body, headers } = await call('POST', '/auth/guest', {
    headers: { Origin: ORIGIN },
    env: { ...env, GUESTS: { enabled: true } },
  });
  expect(await trailOf({ organization_id: String(body.organization_id) } as Owner)).toMatchObject([
    { action: 'create', actor_type: 'user', request_id: headers.get('X-Request-Id') },
  ]);
});
