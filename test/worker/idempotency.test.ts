/**
 * Idempotent creation: a retry with the same Idempotency-Key creates nothing and returns the first response, secret
 * included. The stored record expires after a day, and is useless without the sealing keys.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { describe, expect, it, vi } from 'vitest';
import { IDEMPOTENCY_RETENTION_MS } from '../../db/idempotency.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker from '../../functions/index.ts';
import { derivedBytes } from '../../functions/shared/idempotency.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, databaseOf, newOwner, REGIONS, rows } from './harness.ts';

const PRODUCTS = ['nats', 'sqs', 'sns'] as const;
const CASES = REGIONS.flatMap((region) => PRODUCTS.map((product) => ({ region, product })));

/** An Owner with the parent resources of the product's credentials, and requests to create and list them. */
async function prepareProduct(region: string, product: (typeof PRODUCTS)[number]) {
  const owner = await newOwner();
  const api = clientOf(owner, region);
  const { project_id } = owner;
  const path = `/${product}-credentials`;
  const nats_account_id =
    product === 'nats' ? (await api.post('/nats-accounts', { project_id })).body.id : undefined;
  if (product !== 'nats') await api.post(`/activate-${product}`, { project_id });
  const body =
    product === 'nats'
      ? { nats_account_id, name: 'service' }
      : { project_id, name: 'service', permissions: { can_publish: true } };
  const create = (
    key: string,
    {
      as = owner,
      env: bindings = env,
      ...other
    }: { as?: Owner; env?: typeof env; [member: string]: unknown } = {},
  ) =>
    clientOf(as, region).post(
      path,
      { ...body, ...other },
      { headers: { 'Idempotency-Key': key }, env: bindings },
    );
  const count = async () => (await api.get(path)).body.total_count as unknown;
  return { owner, api, path, body, create, count, project_id };
}

const newKey = () => crypto.randomUUID();

const withRegion = (region: string, database: D1Database): typeof env => ({
  ...env,
  ...(region === 'fr-par' ? { REGION_FR_PAR: database } : { REGION_NL_AMS: database }),
});

const withSealingKeys = (...keys: { id: string; key: string }[]): typeof env => ({
  ...env,
  SEALING_KEYS: JSON.stringify(keys),
});

const sealingKeys = JSON.parse(env.SEALING_KEYS as string) as [
  { id: string; key: string },
  { id: string; key: string },
];

describe.each(CASES)('$product credentials in $region', ({ region, product }) => {
  it('are created once by fifty concurrent equal requests, which all return the same secret', async () => {
    const { create, count, project_id } = await prepareProduct(region, product);
    const key = newKey();
    const responses = await Promise.all(Array.from({ length: 50 }, () => create(key)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(responses.map(({ text }) => text)).size).toBe(1);
    expect(responses[0]?.body.credentials ?? responses[0]?.body.secret_key).toBeTruthy();
    expect(await count()).toBe(1);
    const trail = await rows(
      region,
      `select 1 from audit_events where project_id = ? and action = 'create' and resource = ?`,
      project_id,
      `${product}_credentials`,
    );
    expect(trail).toHaveLength(1);
  });

  it('are created again with another Idempotency-Key or without one', async () => {
    const { create, api, path, body, count } = await prepareProduct(region, product);
    const created = [await create(newKey()), await create(newKey()), await api.post(path, body)];
    const again = [...created, await api.post(path, body)].map((response) => response.body.id);
    expect(new Set(again).size).toBe(4);
    expect(await count()).toBe(4);
  });

  it('are rejected when the same key comes with a different request', async () => {
    const { create, count } = await prepareProduct(region, product);
    const key = newKey();
    const created = await create(key);
    const other = await create(key, { name: 'other' });
    expect(other.status).toBe(400);
    expect(other.body.details).toMatchObject([{ argument_name: 'Idempotency-Key', reason: 'constraint' }]);
    expect(other.text).not.toContain(created.body.id);
    expect(await count()).toBe(1);
    // Requests are compared after validation.
    expect((await create(key, { name: ' service ', unknown: 1 })).text).toBe(created.text);
  });

  it('are separate for another principal with the same key', async () => {
    const one = await prepareProduct(region, product);
    const two = await prepareProduct(region, product);
    const key = newKey();
    const created = [await one.create(key), await two.create(key)];
    expect(created.map(({ status }) => status)).toEqual([200, 200]);
    expect(created[0]?.body.id).not.toBe(created[1]?.body.id);
    const stranger = await one.create(key, { as: two.owner });
    expect(stranger.status).toBeGreaterThanOrEqual(400);
    expect(stranger.text).not.toContain(created[0]?.body.id);
  });

  it('are not created again by a retry after they were revoked', async () => {
    const { create, api, path, count } = await prepareProduct(region, product);
    const key = newKey();
    const { id } = (await create(key)).body;
    expect((await api.delete(`${path}/${id}`)).status).toBe(204);
    const again = await create(key);
    expect(again.status).toBe(404);
    expect(again.body).toMatchObject({ type: 'not_found', resource: 'credentials', resource_id: id });
    expect(await count()).toBe(0);
  });

  it('are created by the retry after a database failure, and returned by it when only the response was lost', async () => {
    const { create, count } = await prepareProduct(region, product);
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    for (const [index, when] of (['before', 'after'] as const).entries()) {
      const key = newKey();
      const broken = withRegion(region, failing(databaseOf(region), /insert into credentials/, when));
      const failed = await create(key, { env: broken });
      expect([when, failed.status, failed.body.type]).toEqual([when, 503, 'unavailable']);
      const retries = [await create(key), await create(key)];
      expect(retries.map(({ status }) => status)).toEqual([200, 200]);
      expect(retries[0]?.text).toBe(retries[1]?.text);
      expect(await count()).toBe(index + 1);
    }
    expect(logged).toHaveBeenCalledTimes(2);
    logged.mockRestore();
  });

  it('are created again when the key has expired after a day', async () => {
    const { create, count } = await prepareProduct(region, product);
    const key = newKey();
    const first = await create(key);
    await databaseOf(region)
      .prepare('update idempotency_keys set created_at = created_at - ? where resource_id = ?')
      .bind(IDEMPOTENCY_RETENTION_MS, first.body.id)
      .run();
    const second = await create(key);
    expect(second.status).toBe(200);
    expect(second.body.id).not.toBe(first.body.id);
    expect((await create(key)).text).toBe(second.text);
    expect(await count()).toBe(2);
  });

  it('are returned while the sealing key exists, old or new, and rejected when it is missing or different', async () => {
    const { create, count } = await prepareProduct(region, product);
    const [newest, old] = sealingKeys;
    const key = newKey();
    const created = await create(key);
    expect((await create(key, { env: withSealingKeys(old, newest) })).text).toBe(created.text);
    const other = { id: newest.id, key: btoa('another key of thirty-two bytes.') };
    for (const keys of [[old], [other]]) {
      // Keep the account readable: its seed is sealed too, and the schedule would have moved it to the remaining key.
      if (product === 'nats') break;
      const rejected = await create(key, { env: withSealingKeys(...keys) });
      expect(rejected.status).toBe(412);
      expect(rejected.body.help_message).toContain(created.body.id);
    }
    expect(await count()).toBe(1);
  });
});

describe('NATS credentials of a resealed account', () => {
  it('are rejected when the key that derived their seed is missing', async () => {
    const { create, count } = await prepareProduct('fr-par', 'nats');
    const [newest, old] = sealingKeys;
    const key = newKey();
    const created = await create(key);
    const [row] = await rows<{ sealing_key_id: string }>(
      'fr-par',
      'select sealing_key_id from idempotency_keys where resource_id = ?',
      created.body.id,
    );
    expect(row?.sealing_key_id).toBe(newest.id);
    const { reseal } = await import('../../functions/credentials/reseal.ts');
    const { configOf } = await import('../../functions/shared/env.ts');
    const rotated = withSealingKeys(old, newest);
    const region = configOf(rotated).regions.get('fr-par');
    await reseal(region ?? expect.unreachable(), configOf(rotated).sealingKeys);
    expect((await create(key, { env: rotated })).text).toBe(created.text);
    const rejected = await create(key, { env: withSealingKeys(old) });
    expect([rejected.status, rejected.body.type]).toEqual([412, 'precondition_failed']);
    expect(rejected.body.help_message).toContain(created.body.id);
    expect(await count()).toBe(1);
    await worker.scheduled({} as never, env, {} as never);
  });
});

describe.each(['sqs', 'sns'] as const)('updated credentials for %s', (product) => {
  it('are returned in their current state, with the original secret', async () => {
    const { create, api, path } = await prepareProduct('fr-par', product);
    const key = newKey();
    const created = (await create(key)).body;
    const update = { name: 'renamed', permissions: { can_manage: true } };
    const updated = (await api.patch(`${path}/${created.id}`, update)).body;
    expect((await create(key)).body).toEqual({ ...updated, secret_key: created.secret_key });
  });

  it('are not created again after the product was deactivated', async () => {
    const { create, api, project_id } = await prepareProduct('fr-par', product);
    const key = newKey();
    const { id } = (await create(key)).body;
    await api.post(`/deactivate-${product}`, { project_id });
    expect((await create(key)).body).toMatchObject({ type: 'not_found', resource_id: id });
    await api.post(`/activate-${product}`, { project_id });
    expect((await create(key)).body).toMatchObject({ type: 'not_found', resource_id: id });
  });
});

describe.each(REGIONS)('a NATS account in %s', (region) => {
  it('is created once by fifty concurrent equal requests, and not again after its deletion', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const key = newKey();
    const create = (name: string) =>
      api.post(
        '/nats-accounts',
        { project_id: owner.project_id, name },
        { headers: { 'Idempotency-Key': key } },
      );
    const responses = await Promise.all(Array.from({ length: 50 }, () => create('orders')));
    expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(responses[0]?.status).toBe(200);
    const id = responses[0]?.body.id;
    expect((await api.get('/nats-accounts')).body).toMatchObject({ total_count: 1, nats_accounts: [{ id }] });
    expect((await create('other')).status).toBe(400);
    await api.patch(`/nats-accounts/${id}`, { name: 'renamed' });
    expect((await create('orders')).body).toMatchObject({ id, name: 'renamed' });
    await api.delete(`/nats-accounts/${id}`);
    expect((await create('orders')).body).toMatchObject({ type: 'not_found', resource: 'namespace' });
    expect((await api.get('/nats-accounts')).body.total_count).toBe(0);
  });
});

describe('an API key', () => {
  const KEYS = '/iam/v1alpha1/api-keys';
  const prepareApiKey = async () => {
    const owner = await newOwner();
    const application = await call('POST', '/iam/v1alpha1/applications', {
      token: owner.secret_key,
      body: { name: 'service' },
    });
    const create = (key: string, description: string, bindings = env) =>
      call('POST', KEYS, {
        token: owner.secret_key,
        body: { application_id: application.body.id, description },
        headers: { 'Idempotency-Key': key },
        env: bindings,
      });
    const list = async () =>
      (await call('GET', `${KEYS}?application_id=${application.body.id}`, { token: owner.secret_key })).body;
    return { owner, create, list };
  };

  it('is created once by fifty concurrent equal requests, and its secret key works', async () => {
    const { create, list } = await prepareApiKey();
    const key = newKey();
    const responses = await Promise.all(Array.from({ length: 50 }, () => create(key, 'ci')));
    expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const created = responses[0]?.body ?? {};
    expect(created.secret_key).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(await list()).toMatchObject({ total_count: 1 });
    const token = `${created.secret_key}`;
    expect((await call('GET', `${KEYS}/${created.access_key}`, { token })).status).toBe(200);
    const other = await create(key, 'other');
    expect(other.body.details).toMatchObject([{ argument_name: 'Idempotency-Key' }]);
    expect((await create(newKey(), 'ci')).body.access_key).not.toBe(created.access_key);
  });

  it('is returned when only the response was lost, and rejected without the sealing key or after its deletion', async () => {
    const { owner, create, list } = await prepareApiKey();
    const key = newKey();
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const broken = { ...env, IDENTITY: failing(env.IDENTITY, /insert into api_keys/, 'after') };
    expect((await create(key, 'ci', broken)).status).toBe(503);
    expect(logged).toHaveBeenCalledTimes(1);
    logged.mockRestore();
    const created = await create(key, 'ci');
    expect((await create(key, 'ci')).text).toBe(created.text);
    expect(await list()).toMatchObject({ total_count: 1 });
    const rejected = await create(key, 'ci', withSealingKeys(sealingKeys[1]));
    expect([rejected.status, rejected.body.type]).toEqual([412, 'precondition_failed']);
    await call('DELETE', `${KEYS}/${created.body.access_key}`, { token: owner.secret_key });
    expect((await create(key, 'ci')).body).toMatchObject({
      type: 'not_found',
      resource: 'api_key',
      resource_id: created.body.access_key,
    });
    expect(await list()).toMatchObject({ total_count: 0 });
  });
});

describe('an Idempotency-Key', () => {
  it('has 1 to 255 printable ASCII characters', async () => {
    const { create, count } = await prepareProduct('fr-par', 'sqs');
    for (const wrong of ['', 'a\u007fb', 'a\tb', 'x'.repeat(256)]) {
      const response = await create(wrong);
      expect([wrong, response.status]).toEqual([wrong, 400]);
      expect(response.body.details).toMatchObject([{ argument_name: 'Idempotency-Key' }]);
    }
    expect(await count()).toBe(0);
    for (const right of ['x', 'x'.repeat(255), '"a b~"']) expect((await create(right)).status).toBe(200);
  });

  it('is scoped to its region, product and project', async () => {
    const owner = await newOwner();
    const headers = { 'Idempotency-Key': newKey() };
    const { project_id } = owner;
    const created = new Set<string>();
    for (const region of REGIONS) {
      const api = clientOf(owner, region);
      for (const product of ['sqs', 'sns']) {
        await api.post(`/activate-${product}`, { project_id });
        const body = { project_id, permissions: { can_publish: true } };
        const response = await api.post(`/${product}-credentials`, body, { headers });
        expect(response.status).toBe(200);
        created.add(response.body.id);
      }
    }
    expect(created.size).toBe(4);
  });

  it('costs no additional round trip', async () => {
    for (const product of PRODUCTS) {
      const { create } = await prepareProduct('fr-par', product);
      const cost: Cost = { trips: 0, rowsRead: 0 };
      await create(newKey(), { env: withRegion('fr-par', counted(env.REGION_FR_PAR, cost)) });
      expect([product, cost.trips]).toEqual([product, product === 'nats' ? 2 : 1]);
    }
  });

  it('leaves a salt, required to derive the secret, that the schedule deletes', async () => {
    const { create } = await prepareProduct('fr-par', 'sqs');
    const key = newKey();
    const created = await create(key);
    const stored = await rows<Record<string, string>>(
      'fr-par',
      'select * from idempotency_keys where resource_id = ?',
      created.body.id,
    );
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain(key);
    expect(JSON.stringify(stored)).not.toContain(created.body.secret_key);
    const [row] = stored;
    const once = { key: row?.key, salt: row?.salt, sealingKeyId: row?.sealing_key_id } as never;
    const { newSecretKey } = await import('../../functions/shared/access-keys.ts');
    const secretFrom = async (keys: typeof sealingKeys, kind: string) => {
      const random = await derivedBytes(keys, once, kind);
      return random && newSecretKey(random);
    };
    expect(await secretFrom(sealingKeys, 'sqs')).toBe(created.body.secret_key);
    expect(await secretFrom(sealingKeys, 'sns')).not.toBe(created.body.secret_key);
    const [newest, old] = sealingKeys;
    const guessed = [{ ...newest, key: old.key }, old] as typeof sealingKeys;
    expect(await secretFrom(guessed, 'sqs')).not.toBe(created.body.secret_key);

    await databaseOf('fr-par')
      .prepare('update idempotency_keys set created_at = created_at - ? where resource_id = ?')
      .bind(IDEMPOTENCY_RETENTION_MS, created.body.id)
      .run();
    await worker.scheduled({} as never, env, {} as never);
    expect(await rows('fr-par', 'select 1 from idempotency_keys where key = ?', row?.key)).toEqual([]);
    expect(await rows('fr-par', 'select 1 from idempotency_keys')).not.toEqual([]);
  });
});
