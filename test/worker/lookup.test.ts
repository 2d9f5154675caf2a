/** Key lookup: returns a key's credentials to callers who can read them, from every reachable region. */
import type { D1Database } from '@cloudflare/workers-types';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, clientOf, newOwner, newProject, REGIONS } from './harness.ts';
import { grant, newKey, newUser } from './matrix-callers.ts';

const PATH = '/mnq/v1beta1/lookup';
const NOT_FOUND = { results: [], unavailable_regions: [] };

const lookUp = (token: string, key: string, bindings = env) =>
  call('GET', `${PATH}?key=${key}`, { token, env: bindings });

/** The public key `U…` of the creds: their JWT's subject. */
function userKeyOf(creds: string): string {
  const jwt = creds.split('\n').find((line) => line.startsWith('ey')) ?? '';
  return JSON.parse(atob((jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))).sub;
}

/** A database that is unreachable. */
const unreachable = {
  withSession: () => ({
    prepare: () => ({
      bind: () => ({ all: () => Promise.reject(new Error('D1_ERROR: Network connection lost.')) }),
    }),
  }),
} as unknown as D1Database;

/** A database that never responds. */
const unresponsive = {
  withSession: () => ({ prepare: () => ({ bind: () => ({ all: () => new Promise(() => {}) }) }) }),
} as unknown as D1Database;

describe.each(REGIONS)('lookup of a %s key', (region) => {
  let owner: Owner;
  let other: string;
  let otherOwner: Owner;
  /** Product → its key, and its credentials as the API returns them. */
  const created: Record<string, { key: string; read: Record<string, unknown> }> = {};
  let account: Record<string, string>;

  beforeAll(async () => {
    owner = await newOwner();
    otherOwner = await newOwner();
    other = await newProject(owner);
    const api = clientOf(owner, region);
    const { project_id } = owner;
    account = (await api.post('/nats-accounts', { project_id })).body;
    const nats = (await api.post('/nats-credentials', { nats_account_id: account.id })).body;
    created.nats = {
      key: userKeyOf(nats.credentials.content),
      read: (await api.get(`/nats-credentials/${nats.id}`)).body,
    };
    for (const product of ['sqs', 'sns']) {
      await api.post(`/activate-${product}`, { project_id });
      const credentials = (
        await api.post(`/${product}-credentials`, { project_id, permissions: { can_publish: true } })
      ).body;
      created[product] = {
        key: credentials.access_key,
        read: (await api.get(`/${product}-credentials/${credentials.id}`)).body,
      };
    }
  });

  it.each(['nats', 'sqs', 'sns'])('returns the credentials as the API does: %s', async (product) => {
    const { key = '', read } = created[product] ?? {};
    const response = await lookUp(owner.secret_key, key);
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      results: [
        {
          product,
          region,
          project_id: owner.project_id,
          organization_id: owner.organization_id,
          credentials: read,
        },
      ],
      unavailable_regions: [],
    });
  });

  it('also finds the public key of a NATS account', async () => {
    const { body } = await lookUp(owner.secret_key, account.id ?? '');
    expect(body.results).toMatchObject([{ product: 'nats', region, nats_account: account }]);
  });

  it.each(['nats', 'sqs', 'sns'])(
    'returns the same response for another tenant’s key as for an unknown one: %s',
    async (product) => {
      expect((await lookUp(otherOwner.secret_key, created[product]?.key ?? '')).body).toEqual(NOT_FOUND);
    },
  );

  it('requires a rule that grants read access to the product', async () => {
    const member = async (set: string, project: string | null) => {
      const user_id = await newUser(owner.organization_id);
      await grant(owner, { user_id }, set, project);
      return newKey(owner, { user_id });
    };
    const found = async (token: string, product: string) => {
      const response = await lookUp(token, created[product]?.key ?? '');
      return response.status === 200 ? response.body.results.length : response.status;
    };
    const queues = await member('QueuesReadOnly', owner.project_id);
    expect([await found(queues, 'sqs'), await found(queues, 'sns'), await found(queues, 'nats')]).toEqual([
      1, 0, 403,
    ]);
    const elsewhere = await member('MessagingAndQueuingFullAccess', other);
    expect([await found(elsewhere, 'sqs'), await found(elsewhere, 'nats')]).toEqual([0, 0]);
    const nothing = await member('ProjectReadOnly', null);
    expect(await found(nothing, 'sqs')).toBe(403);
    expect((await lookUp(nothing, owner.access_key)).status).toBe(403);
    const { status, body } = await lookUp(nothing, account.id ?? '');
    expect([status, body.details]).toEqual([403, [{ resource: 'nats', action: 'read' }]]);
  });

  it('works while another region is unreachable, and names that region', async () => {
    const [downed, binding] = region === 'fr-par' ? ['nl-ams', 'REGION_NL_AMS'] : ['fr-par', 'REGION_FR_PAR'];
    for (const database of [unreachable, unresponsive]) {
      const { status, body } = await lookUp(owner.secret_key, created.sqs?.key ?? '', {
        ...env,
        [binding]: database,
      });
      expect([status, body.results.length, body.unavailable_regions]).toEqual([200, 1, [downed]]);
    }
  });

  it.each(['nats', 'sqs', 'sns'])('finds a secret key by its checksum: %s', async (product) => {
    const { read = {} } = created[product] ?? {};
    const checksum = read.secret_checksum ?? read.checksum;
    const by = (token: string, query: string) => call('GET', `${PATH}?${query}`, { token });
    const found = await by(owner.secret_key, `secret_checksum=${checksum}`);
    expect([found.status, found.body.results]).toEqual([200, [expect.objectContaining({ product, region })]]);
    expect((await by(otherOwner.secret_key, `secret_checksum=${checksum}`)).body).toEqual(NOT_FOUND);
    for (const query of [
      '',
      `secret_checksum=${checksum}&key=${created.sqs?.key}`,
      'secret_checksum=latchkey_x',
    ]) {
      expect([query, (await by(owner.secret_key, query)).status]).toEqual([query, 400]);
    }
  });

  it('costs one round trip to each database and reads one row', async () => {
    for (const { key } of Object.values(created)) {
      const costs: [Cost, Cost, Cost] = [
        { trips: 0, rowsRead: 0 },
        { trips: 0, rowsRead: 0 },
        { trips: 0, rowsRead: 0 },
      ];
      await env.IDENTITY.prepare('update api_keys set last_used_at = ? where access_key = ?')
        .bind(Date.now(), owner.access_key)
        .run();
      await lookUp(owner.secret_key, key, {
        ...env,
        IDENTITY: counted(env.IDENTITY, costs[0]),
        REGION_FR_PAR: counted(env.REGION_FR_PAR, costs[1]),
        REGION_NL_AMS: counted(env.REGION_NL_AMS, costs[2]),
      });
      expect(costs.map(({ trips }) => trips)).toEqual([1, 1, 1]);
      expect(costs[1].rowsRead + costs[2].rowsRead).toBeLessThan(10);
    }
  });
});

describe('lookup of an API key', () => {
  it('returns it to callers with permission to read API keys, without its secret', async () => {
    const [owner, otherOwner] = [await newOwner(), await newOwner()];
    const response = await lookUp(owner.secret_key, owner.access_key);
    expect(response.body).toMatchObject({
      results: [
        {
          product: 'api_key',
          region: null,
          project_id: owner.project_id,
          organization_id: owner.organization_id,
          api_key: { access_key: owner.access_key, secret_key: null, user_id: expect.any(String) },
        },
      ],
      unavailable_regions: [],
    });
    expect(response.text).not.toContain(owner.secret_key);
    expect((await lookUp(otherOwner.secret_key, owner.access_key)).body).toEqual(NOT_FOUND);
  });
});

describe('lookup of an invalid key', () => {
  it.each(['', 'LKEY', 'LKEY0123456789abcde!', 'AKIAIOSFODNN7EXAMPLE', `U${'a'.repeat(55)}`])(
    'is rejected: "%s"',
    async (key) => {
      const owner = await newOwner();
      const response = await lookUp(owner.secret_key, encodeURIComponent(key));
      expect([response.status, response.body.details[0].argument_name]).toEqual([400, 'key']);
    },
  );

  it('does not repeat the value when it is a secret key', async () => {
    const owner = await newOwner();
    const response = await lookUp(owner.secret_key, owner.secret_key);
    expect(response.status).toBe(400);
    expect(response.text).not.toContain(owner.secret_key);
  });

  it('finds nothing for a well-formed, unknown key', async () => {
    const owner = await newOwner();
    for (const key of [
      'LKEY0123456789abcdef',
      `SCW${'A'.repeat(17)}`,
      `U${'A'.repeat(55)}`,
      `A${'A'.repeat(55)}`,
    ]) {
      expect((await lookUp(owner.secret_key, key)).body).toEqual(NOT_FOUND);
    }
  });
});
