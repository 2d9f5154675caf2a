/**
 * Unusual requests of clients: missing bodies, unknown and empty filters, conflicting fields. The operations come
 * from the OpenAPI document, so that new ones are covered automatically.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { createKey, importSeed } from '../../functions/nats/keys.ts';
import { prove } from '../../functions/nats/proof.ts';
import { describeApi } from '../../functions/openapi.ts';
import { env } from './env.ts';
import { call, clientOf, newOwner, ORIGIN } from './harness.ts';
import { iamOf, newPerson } from './identity.ts';

interface Operation {
  parameters?: { in: string; name: string; required?: boolean; schema: { enum?: string[] } }[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
}

const document = describeApi(app, ['fr-par', 'nl-ams']) as unknown as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object };
};
const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const PLACES: Record<string, string> = {
  region: 'fr-par',
  nats_account_id: `A${'B'.repeat(55)}`,
  access_key: `SCW${'A'.repeat(17)}`,
};
const pathOf = (path: string) =>
  path.replace(/{(\w+)}/g, (_all, name) => PLACES[name] ?? crypto.randomUUID());

let owner: Owner;
let policy: string;
let userKey: { public: string; proof: string };

beforeAll(async () => {
  const { seed } = await createKey('user');
  const key = await importSeed(seed);
  userKey = {
    public: key.publicKey,
    proof: await prove(key, PLACES.nats_account_id ?? '', 'orders'),
  };
  owner = await newOwner();
  const api = clientOf(owner, 'fr-par');
  const account = await api.post('/nats-accounts', { project_id: owner.project_id });
  await api.post('/nats-credentials', { nats_account_id: account.body.id });
  for (const product of ['sqs', 'sns']) {
    await api.post(`/activate-${product}`, { project_id: owner.project_id });
    const permissions = { can_publish: true };
    await api.post(`/${product}-credentials`, { project_id: owner.project_id, permissions });
  }
  const iam = iamOf(owner.secret_key);
  const application_id = (await iam.post('/applications', { name: 'one' })).body.id;
  await iam.post('/api-keys', { application_id });
  policy = (await iam.post('/policies', { name: 'one', application_id })).body.id;
  await newPerson(owner);
});

describe('a request without a body', () => {
  const WITH_BODY = OPERATIONS.filter(({ operation }) => operation.requestBody?.required);

  it.each(WITH_BODY)('is rejected, naming the body: $method $path', async ({ method, path }) => {
    // Feedback is rate limited by IP address.
    const headers = { 'CF-Connecting-IP': crypto.randomUUID(), Origin: 'https://latchkey.test' };
    const response = await call(method, pathOf(path), { token: owner.secret_key, headers });
    expect(response.body).toMatchObject({
      type: 'invalid_arguments',
      details: [{ argument_name: 'body', reason: 'required' }],
    });
    expect(response.status).toBe(400);
  });

  it('differs from a body without a Content-Type, which gets 415', async () => {
    const headers = { 'X-Auth-Token': owner.secret_key };
    const body = new TextEncoder().encode('{"name":"lost"}');
    const request = new Request(`${ORIGIN}/account/v3/projects`, { method: 'POST', headers, body });
    expect(request.headers.get('Content-Type')).toBeNull();
    expect((await app.fetch(request, env)).status).toBe(415);
  });
});

/** List operations with valid required parameters. */
const LISTS = OPERATIONS.filter(
  ({ method, path, operation }) =>
    method === 'GET' && !path.endsWith('lookup') && operation.parameters?.some((one) => one.in === 'query'),
).filter(({ path }) => !/{(?!region)/.test(path) && path !== '/iam/v1alpha1/jwts');

const list = (path: string, query: Record<string, string>) => {
  const values = new Map([
    ['policy_id', policy],
    ['credentials_id', crypto.randomUUID()],
    ['project_id', owner.project_id],
  ]);
  const needed = document.paths[path]?.get?.parameters?.filter(
    ({ required, name }) => required && values.has(name),
  );
  const required = Object.fromEntries((needed ?? []).map(({ name }) => [name, values.get(name) ?? '']));
  return call('GET', `${pathOf(path)}?${new URLSearchParams({ ...required, ...query })}`, {
    token: owner.secret_key,
  });
};

describe('a filter', () => {
  const CHOICES = LISTS.flatMap(({ path, operation }) =>
    (operation.parameters ?? [])
      .filter(({ in: place, name, schema }) => place === 'query' && schema.enum && name !== 'order_by')
      .map(({ name, schema }) => ({ path, name, values: schema.enum ?? [] }))
      .filter(({ values }) => values.join() !== 'true,false'),
  );

  it('with an enum is offered by several lists', () => {
    expect(CHOICES.length).toBeGreaterThanOrEqual(4);
  });

  it.each(CHOICES)(
    'with the enum’s zero value filters nothing: $name of $path',
    async ({ path, name, values }) => {
      const [zero = ''] = values;
      expect(zero).toMatch(/^(unknown_\w+|0)$/);
      const [all, some] = [await list(path, {}), await list(path, { [name]: zero })];
      expect(all.status).toBe(200);
      expect(all.text.length).toBeGreaterThan(100);
      expect(some.text).toBe(all.text);
      expect((await list(path, { [name]: 'nonsense' })).body.details).toMatchObject([
        { argument_name: name },
      ]);
    },
  );

  it.each(LISTS)('that does not exist is rejected by name: $path', async ({ path }) => {
    const query = { 'project_id[]': 'x', no_such_filter: 'x' };
    const response = await list(path, query);
    expect(response.status).toBe(400);
    expect(response.body.details).toMatchObject(
      Object.keys(query).map((argument_name) => ({ argument_name, reason: 'unknown' })),
    );
    // Sent by clients newer than this API.
    expect((await list(path, { no_such_filter: 'unknown_filter' })).status).toBe(200);
  });

  it('"editable" matches everything or nothing', async () => {
    for (const name of ['applications', 'api-keys', 'policies']) {
      const path = `/iam/v1alpha1/${name}`;
      const total = async (query: Record<string, string>) => (await list(path, query)).body.total_count;
      expect(await total({ editable: 'true' })).toBe(await total({}));
      expect(await total({ editable: 'false' })).toBe(0);
    }
  });
});

describe('the OpenAPI document', () => {
  /** Every combination of the fields: absent, null or set. */
  const combinations = (members: Record<string, unknown>): Record<string, unknown>[] =>
    Object.entries(members).reduce<Record<string, unknown>[]>(
      (bodies, [name, value]) =>
        bodies.flatMap((body) => [body, { ...body, [name]: null }, { ...body, [name]: value }]),
      [{}],
    );
  const id = () => crypto.randomUUID();
  const email = () => `${crypto.randomUUID()}@example.com`;

  it.each<[string, () => Record<string, unknown>[]]>([
    ['/iam/v1alpha1/api-keys', () => combinations({ application_id: id(), user_id: id() })],
    [
      '/iam/v1alpha1/policies',
      () =>
        combinations({ application_id: id(), user_id: id(), no_principal: true }).map((body) => ({
          ...body,
          name: 'one',
        })),
    ],
    [
      '/iam/v1alpha1/policies',
      () =>
        combinations({ project_ids: [owner.project_id], organization_id: owner.organization_id }).map(
          (rule) => ({
            name: 'one',
            no_principal: true,
            rules: [{ ...rule, permission_set_names: ['NATSReadOnly'] }],
          }),
        ),
    ],
    [
      '/mnq/v1beta1/regions/{region}/nats-credentials',
      () =>
        combinations({ user_public_key: userKey.public, proof: userKey.proof, name: 'orders' }).map(
          (body) => ({
            ...body,
            nats_account_id: PLACES.nats_account_id,
          }),
        ),
    ],
    ['/iam/v1alpha1/users', () => combinations({ email: email(), member: { email: email() } })],
    [
      '/mnq/v1beta1/regions/{region}/sqs-credentials',
      () =>
        combinations({ can_publish: true, can_receive: true, can_manage: false }).map((permissions) => ({
          project_id: owner.project_id,
          permissions,
        })),
    ],
  ])('accepts exactly the bodies that the API accepts: %s', async (path, bodies) => {
    const content = document.paths[path]?.post?.requestBody?.content['application/json'];
    const text = JSON.stringify({ ...content?.schema, $defs: document.components.schemas });
    const schema = z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
    const results = await Promise.all(
      bodies().map(async (body) => {
        const { status } = await call('POST', pathOf(path), { token: owner.secret_key, body });
        return { body, api: status !== 400, document: schema.safeParse(body).success };
      }),
    );
    expect(results.filter((one) => one.api !== one.document)).toEqual([]);
    expect(new Set(results.map(({ api }) => api)).size).toBe(2);
  });
});

describe('a policy rule', () => {
  it('rejects permission sets of different scope types', async () => {
    const iam = iamOf(owner.secret_key);
    const { organization_id } = owner;
    const sets = (...permission_set_names: string[]) => [{ permission_set_names, organization_id }];
    const mixed = sets('NATSFullAccess', 'IAMReadOnly');
    for (const response of [
      await iam.post('/policies', { name: 'mixed', no_principal: true, rules: mixed }),
      await iam.put('/rules', { policy_id: policy, rules: mixed }),
    ]) {
      expect(response.status).toBe(400);
      expect(response.body.details).toMatchObject([
        {
          argument_name: 'rules.0.permission_set_names',
          help_message: expect.stringContaining('must have the same scope type'),
        },
      ]);
    }
    const rules = [...sets('NATSFullAccess', 'QueuesReadOnly'), ...sets('IAMReadOnly', 'ProjectManager')];
    const updated = (await iam.put('/rules', { policy_id: policy, rules })).body.rules;
    const scopes = updated.map((rule: Record<string, string>) => rule.permission_sets_scope_type);
    expect(scopes).toEqual(['projects', 'organization']);
  });
});

describe('the help message of an invalid argument', () => {
  it('is the same for missing permissions and for permissions that are all false', async () => {
    const api = clientOf(owner, 'fr-par');
    const helps = [];
    for (const permissions of [undefined, {}, { can_publish: false }]) {
      const response = await api.post('/sqs-credentials', { project_id: owner.project_id, permissions });
      expect(response.status).toBe(400);
      helps.push(response.body.details);
    }
    const [missing, none] = helps;
    expect(missing).toEqual([{ ...none[0], reason: 'required' }]);
    expect(helps[2]).toEqual(none);
    expect(none[0].help_message).toContain('at least one permission');
  });
});

describe('a member sent in the official clients’ format', () => {
  const invite = (member: object) => iamOf(owner.secret_key).post('/users', { member });
  // The Terraform provider sends empty strings for unset fields.
  const empty = { password: '', first_name: '', last_name: '', phone_number: '', locale: '' };

  it('is invited', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const response = await invite({ ...empty, email, username: email, send_welcome_email: true });
    expect([response.status, response.body.email, response.body.username]).toEqual([200, email, email]);
    expect([response.body.type, response.body.status]).toEqual(['member', 'invitation_pending']);
    // Returned as sent, so that Terraform plans no change.
    expect(response.body).toMatchObject({ first_name: '', last_name: '', phone_number: '', locale: '' });
  });

  it.each([
    ['password', 'correct horse battery staple'],
    ['username', 'ada'],
    ['first_name', 'Ada'],
  ])('is rejected with a %s chosen by the caller', async (name, value) => {
    const email = `${crypto.randomUUID()}@example.com`;
    const response = await invite({ ...empty, email, username: email, [name]: value });
    expect(response.status).toBe(400);
    expect(response.body.details.map((one: Record<string, string>) => one.argument_name)).toEqual([
      `member.${name}`,
    ]);
    expect(response.text).not.toContain(value);
  });
});

describe('compatibility with newer clients:', () => {
  it('GET /metadata returns the parts of resource names without a token', async () => {
    const response = await call('GET', '/metadata');
    expect([response.status, response.body]).toEqual([
      200,
      { platform: 'external', partition: 'latchkey', domain: 'latchkey.test' },
    ]);
  });

  it('a project has a status and a resource name', async () => {
    const path = `/account/v3/projects/${owner.project_id}`;
    expect((await call('GET', path, { token: owner.secret_key })).body).toMatchObject({
      status: 'active',
      srn: `srn://account.latchkey.test/projects/${owner.project_id}`,
    });
  });
});
