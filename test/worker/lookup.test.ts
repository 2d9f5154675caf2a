/** Whose a key is: told to whoever may read what it belongs to, from every region that answers. */
import type { D1Database } from '@cloudflare/workers-types';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, clientOf, newOwner, newProject, REGIONS } from './harness.ts';
import { grant, newKey, newUser } from './matrix-callers.ts';

const PATH = '/mnq/v1beta1/lookup';
const NOTHING = { results: [], unavailable_regions: [] };

const lookUp = (token: string, key: string, bindings = env) =>
  call('GET', `${PATH}?key=${key}`, { token, env: bindings });

/** The public key `U…` of the creds: the subject of their JWT. */
function userKeyOf(creds: string): string {
  const jwt = creds.split('\n').find((line) => line.startsWith('ey')) ?? '';
  return JSON.parse(atob((jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))).sub;
}

/** A database that cannot be reached. */
const down = {
  withSession: () => ({
    prepare: () => ({
      bind: () => ({ all: () => Promise.reject(new Error('D1_ERROR: Network connection lost.')) }),
    }),
  }),
} as unknown as D1Database;

/** A database that never answers. */
const silent = {
  withSession: () => ({ prepare: () => ({ bind: () => ({ all: () => new Promise(() => {}) }) }) }),
} as unknown as D1Database;

describe.each(REGIONS)('a key of %s', (region) => {
  let owner: Owner;
  let other: string;
  let foreign: Owner;
  /** Product → its key, and the credentials as the API reads them. */
  const made: Record<string, { key: string; read: Record<string, unknown> }> = {};
  let account: Record<string, string>;

  beforeAll(async () => {
    owner = await newOwner();
    foreign = await newOwner();
    other = await newProject(owner);
    const api = clientOf(owner, region);
    const { project_id } = owner;
    account = (await api.post('/nats-accounts', { project_id })).body;
    const nats = (await api.post('/nats-credentials', { nats_account_id: account.id })).body;
    made.nats = {
      key: userKeyOf(nats.credentials.content),
      read: (await api.get(`/nats-credentials/${nats.id}`)).body,
    };
    for (const product of ['sqs', 'sns']) {
      await api.post(`/activate-${product}`, { project_id });
      const keyed = (
        await api.post(`/${product}-credentials`, { project_id, permissions: { can_publish: true } })
      ).body;
      made[product] = {
        key: keyed.access_key,
        read: (await api.get(`/${product}-credentials/${keyed.id}`)).body,
      };
    }
  });

  it.each(['nats', 'sqs', 'sns'])('is told as the API reads it: %s', async (product) => {
    const { key = '', read } = made[product] ?? {};
    const answer = await lookUp(owner.secret_key, key);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
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

  it('of a NATS account is told as well', async () => {
    const { body } = await lookUp(owner.secret_key, account.id ?? '');
    expect(body.results).toMatchObject([{ product: 'nats', region, nats_account: account }]);
  });

  it.each(['nats', 'sqs', 'sns'])('of somebody else looks like none: %s', async (product) => {
    expect((await lookUp(foreign.secret_key, made[product]?.key ?? '')).body).toEqual(NOTHING);
  });

  it('is told only where a rule lets its product be read', async () => {
    const member = async (set: string, project: string | null) => {
      const user_id = await newUser(owner.organization_id);
      await grant(owner, { user_id }, set, project);
      return newKey(owner, { user_id });
    };
    const found = async (token: string, product: string) => {
      const answer = await lookUp(token, made[product]?.key ?? '');
      return answer.status === 200 ? answer.body.results.length : answer.status;
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

  it('is told while another region is down, which is named', async () => {
    const [downed, binding] = region === 'fr-par' ? ['nl-ams', 'REGION_NL_AMS'] : ['fr-par', 'REGION_FR_PAR'];
    for (const database of [down, silent]) {
      const { status, body } = await lookUp(owner.secret_key, made.sqs?.key ?? '', {
        ...env,
        [binding]: database,
      });
      expect([status, body.results.length, body.unavailable_regions]).toEqual([200, 1, [downed]]);
    }
  });

  it.each(['nats', 'sqs', 'sns'])('is found by the checksum of its secret: %s', async (product) => {
    const { read = {} } = made[product] ?? {};
    const checksum = read.secret_checksum ?? read.checksum;
    const by = (token: string, query: string) => call('GET', `${PATH}?${query}`, { token });
    const found = await by(owner.secret_key, `secret_checksum=${checksum}`);
    expect([found.status, found.body.results]).toEqual([200, [expect.objectContaining({ product, region })]]);
    expect((await by(foreign.secret_key, `secret_checksum=${checksum}`)).body).toEqual(NOTHING);
    for (const query of [
      '',
      `secret_checksum=${checksum}&key=${made.sqs?.key}`,
      'secret_checksum=latchkey_x',
    ]) {
      expect([query, (await by(owner.secret_key, query)).status]).toEqual([query, 400]);
    }
  });

  it('takes one round trip to each database, and reads one row', async () => {
    for (const { key } of Object.values(made)) {
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

describe('a key of the API', () => {
  it('is told to whoever may read the keys of its organization, without its secret', async () => {
    const [owner, foreign] = [await newOwner(), await newOwner()];
    const answer = await lookUp(owner.secret_key, owner.access_key);
    expect(answer.body).toMatchObject({
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
    expect(answer.text).not.toContain(owner.secret_key);
    expect((await lookUp(foreign.secret_key, owner.access_key)).body).toEqual(NOTHING);
  });
});

describe('what is no key', () => {
  it.each(['', 'LKEY', 'LKEY0123456789abcde!', 'AKIAIOSFODNN7EXAMPLE', `U${'a'.repeat(55)}`])(
    'is refused: "%s"',
    async (key) => {
      const owner = await newOwner();
      const answer = await lookUp(owner.secret_key, encodeURIComponent(key));
      expect([answer.status, answer.body.details[0].argument_name]).toEqual([400, 'key']);
    },
  );

  it('is not repeated when it is a secret key', async () => {
    const owner = await newOwner();
    const answer = await lookUp(owner.secret_key, owner.secret_key);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(owner.secret_key);
  });

  it('of a good form that is unknown finds nothing', async () => {
    const owner = await newOwner();
    for (const key of [
      'LKEY0123456789abcdef',
      `SCW${'A'.repeat(17)}`,
      `U${'A'.repeat(55)}`,
      `A${'A'.repeat(55)}`,
    ]) {
      expect((await lookUp(owner.secret_key, key)).body).toEqual(NOTHING);
    }
  });
});
