/** The life of credentials between creation and revocation: expiry, disabling and enabling, labels, and filtered lists. */
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it } from 'vitest';
import { PRODUCT_IDS, type ProductId } from '../../db/products.ts';
import { endDueCredentials } from '../../functions/credentials/end-due.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { configOf, type Region } from '../../functions/shared/env.ts';
import { env } from './env.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';

const DAY_MS = 86_400_000;

describe.each(
  PRODUCT_IDS.flatMap((product) => ['fr-par', 'nl-ams'].map((region) => [product, region] as const)),
)('%s credentials in %s', (product, region) => {
  let owner: Owner;
  let api: ReturnType<typeof clientOf>;
  let parent: Record<string, unknown>;
  const path = `/${product}-credentials`;

  beforeAll(async () => {
    owner = await newOwner();
    api = clientOf(owner, region);
    const { project_id } = owner;
    if (product === 'nats') {
      const account = await api.post('/nats-accounts', { project_id });
      parent = { nats_account_id: account.body.id };
    } else {
      await api.post(`/activate-${product}`, { project_id });
      parent = { project_id, permissions: { can_receive: true } };
    }
  });

  const create = async (fields: object = {}) => {
    const { status, body } = await api.post(path, { ...parent, ...fields });
    expect(status).toBe(200);
    return body;
  };
  const get = async (id: string) => (await api.get(`${path}/${id}`)).body;
  const list = async (query: Record<string, string> | URLSearchParams) => {
    const { status, body } = await api.get(`${path}?${new URLSearchParams(query)}`);
    expect(status).toBe(200);
    const items = body[`${product}_credentials`] as { name: string }[];
    expect(body.total_count).toBe(items.length);
    return items.map(({ name }) => name);
  };
  const actions = async (id: string) =>
    (
      await rows<{ action: string }>(
        region,
        'select action from audit_events where resource_id = ? order by id',
        id,
      )
    ).map(({ action }) => action);

  it('keep their description, tags and expiry, and say who created them', async () => {
    const expires_at = new Date(Math.ceil(Date.now() / 1000) * 1000 + DAY_MS).toISOString();
    const { id } = await create({ description: 'd', tags: ['b', 'a', 'b'], expires_at });
    expect(await get(id)).toMatchObject({
      status: 'enabled',
      description: 'd',
      tags: ['b', 'a'],
      expires_at,
      created_by: { type: 'user', id: expect.any(String), name: expect.any(String) },
      disabled_at: null,
      disabled_reason: null,
      revoke_at: null,
    });
    const [event] = await rows<{ after: string }>(
      region,
      'select after from audit_events where resource_id = ?',
      id,
    );
    expect(JSON.parse(event?.after ?? '')).toMatchObject({ description: 'd', tags: ['b', 'a'], expires_at });
  });

  it.each([
    ['expires_at', { expires_at: new Date(Date.now() - 1000).toISOString() }],
    ['expires_at', { expires_at: 'tomorrow' }],
    ['tags', { tags: Array.from({ length: 21 }, (_, i) => `${i}`) }],
    ['tags.0', { tags: [''] }],
    ['tags.0', { tags: ['x'.repeat(65)] }],
    ['description', { description: 'x'.repeat(501) }],
  ])('are refused with an invalid %s: %j', async (argument, fields) => {
    const { status, body } = await api.post(path, { ...parent, ...fields });
    expect([status, body.details?.[0]?.argument_name]).toEqual([400, argument]);
  });

  it('can be disabled and enabled again, each with one audit row', async () => {
    const { id } = await create();
    const disabled = await api.post(`${path}/${id}/disable`, {
      reason: 'leaked',
      revoke_after_seconds: 3600,
    });
    expect(disabled.status).toBe(200);
    expect(disabled.headers.get('Latchkey-Enforcement')).toMatch(/^(enforced|pending)/);
    expect(disabled.body).toMatchObject({
      status: 'disabled',
      disabled_reason: 'leaked',
      disabled_at: expect.any(String),
      revoke_at: expect.any(String),
    });
    const again = { reason: 'leaked', revoke_after_seconds: null };
    expect((await api.post(`${path}/${id}/disable`, again)).body).toMatchObject({
      disabled_at: disabled.body.disabled_at,
      revoke_at: null,
    });
    await api.post(`${path}/${id}/disable`, again);
    const enabled = await api.post(`${path}/${id}/enable`);
    expect(enabled.body).toMatchObject({ status: 'enabled', disabled_at: null, disabled_reason: null });
    await api.post(`${path}/${id}/enable`);
    expect(await actions(id)).toEqual(['create', 'disable', 'disable', 'enable']);
  });

  it('look like missing ones to another organization', async () => {
    const { id } = await create();
    const other = clientOf(await newOwner(), region);
    for (const operation of ['disable', 'enable']) {
      const response = await other.post(`${path}/${id}/${operation}`, {});
      expect([response.status, response.body.resource_id]).toEqual([404, id]);
    }
    expect((await get(id)).status).toBe('enabled');
  });

  it('end in one legal state after 200 concurrent contrary operations, with one audit row per change', async () => {
    const { id } = await create();
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        i === 150
          ? api.delete(`${path}/${id}`)
          : api.post(`${path}/${id}/${i % 2 ? 'disable' : 'enable'}`, {}),
      ),
    );
    expect((await api.get(`${path}/${id}`)).status).toBe(404);
    const done = await actions(id);
    expect([done[0], done.at(-1)]).toEqual(['create', 'revoke']);
    // Only changes are recorded, so they alternate.
    for (const [i, action] of done.slice(1, -1).entries()) expect(action).toBe(i % 2 ? 'enable' : 'disable');
    expect(await countsOf(region, product, owner)).toEqual(await countedRows(region, product, owner));
  });

  it('are revoked by the schedule when their time has come, and not if they were enabled before', async () => {
    const [due, enabled] = [await create(), await create()];
    for (const { id } of [due, enabled])
      await api.post(`${path}/${id}/disable`, { revoke_after_seconds: 60 });
    await rows(region, 'update credentials set revoke_at = 1 where id in (?, ?)', due.id, enabled.id);
    await api.post(`${path}/${enabled.id}/enable`);
    await endDueCredentials(configOf(env), regionOf(region), Date.now() + 10_000);
    expect((await api.get(`${path}/${due.id}`)).status).toBe(404);
    expect((await get(enabled.id)).status).toBe('enabled');
    expect((await actions(due.id)).at(-1)).toBe('revoke');
  });

  it('stay listed as expired for 30 days, then the schedule removes them', async () => {
    const [recent, old] = [await create({ name: 'recent' }), await create({ name: 'old' })];
    const expire = (id: string, at: number) =>
      rows(region, 'update credentials set expires_at = ? where id = ?', at, id);
    await expire(recent.id, Date.now() - DAY_MS);
    await expire(old.id, Date.now() - 31 * DAY_MS);
    expect(await list({ status: 'expired', order_by: 'name_asc' })).toEqual(['old', 'recent']);
    await endDueCredentials(configOf(env), regionOf(region), Date.now() + 10_000);
    expect(await list({ status: 'expired' })).toEqual(['recent']);
    expect(await countsOf(region, product, owner)).toEqual(await countedRows(region, product, owner));
  });

  it('are filtered and ordered in lists', async () => {
    const fresh = await newOwner();
    const own = clientOf(fresh, region);
    let parentOfFresh: object;
    if (product === 'nats') {
      const account = await own.post('/nats-accounts', { project_id: fresh.project_id });
      parentOfFresh = { nats_account_id: account.body.id };
    } else {
      await own.post(`/activate-${product}`, { project_id: fresh.project_id });
      parentOfFresh = { project_id: fresh.project_id, permissions: { can_receive: true } };
    }
    const soon = new Date(Date.now() + DAY_MS).toISOString();
    const later = new Date(Date.now() + 9 * DAY_MS).toISOString();
    const make = async (fields: object) => (await own.post(path, { ...parentOfFresh, ...fields })).body;
    const a = await make({ name: 'Orders EU', tags: ['eu', 'prod'], expires_at: later });
    const b = await make({ name: 'orders us', tags: ['us', 'prod'], expires_at: soon });
    const c = await make({ name: '100%', tags: [] });
    await own.post(`${path}/${b.id}/disable`, {});
    await rows(region, 'update credentials set last_used_at = ? where id = ?', Date.now(), a.id);
    const names = async (query: string) => {
      const { body } = await own.get(`${path}?${query}`);
      return (body[`${product}_credentials`] as { name: string }[]).map(({ name }) => name);
    };
    const key = product === 'nats' ? `public_key=${a.public_key}` : `access_key=${a.access_key}`;
    const before = encodeURIComponent(new Date(Date.now() - DAY_MS).toISOString());
    expect(await names('name=ORDERS')).toEqual(['Orders EU', 'orders us']);
    expect(await names('name=%25')).toEqual(['100%']);
    expect(await names('tags=prod')).toEqual(['Orders EU', 'orders us']);
    expect(await names('tags=prod&tags=us')).toEqual(['orders us']);
    expect(await names('tags=none')).toEqual([]);
    expect(await names('status=disabled')).toEqual(['orders us']);
    expect(await names('status=enabled')).toEqual(['Orders EU', '100%']);
    expect(await names(key)).toEqual(['Orders EU']);
    expect(await names(`created_by=${a.created_by.id}`)).toHaveLength(3);
    expect(await names('created_by=nobody')).toEqual([]);
    expect(
      await names(`expires_before=${encodeURIComponent(new Date(Date.now() + 2 * DAY_MS).toISOString())}`),
    ).toEqual(['orders us']);
    expect(await names(`last_used_before=${before}`)).toEqual(['orders us', '100%']);
    // New credentials that were never used are not unused for a day.
    expect(await names(`last_used_before=${before}&created_before=${before}`)).toEqual([]);
    await rows(
      region,
      'update credentials set created_at = created_at - ? where id in (select value from json_each(?))',
      2 * DAY_MS,
      JSON.stringify([a.id, b.id, c.id]),
    );
    expect(await names(`last_used_before=${before}&created_before=${before}`)).toEqual(['orders us', '100%']);
    expect(await names('order_by=last_used_at_desc&page_size=1')).toEqual(['Orders EU']);
    // Those that never expire are the last.
    expect(await names('order_by=expires_at_asc&page_size=1')).toEqual(['orders us']);
    expect((await names('order_by=expires_at_desc')).at(-1)).toEqual('orders us');
    expect(await names('order_by=expires_at_desc&page_size=2&expires_before=2999-01-01T00:00:00Z')).toEqual([
      'Orders EU',
      'orders us',
    ]);
    expect((await own.get(`${path}?name=orders&page_size=1&page=2`)).body).toMatchObject({ total_count: 2 });
  });
});

describe.each(['sqs', 'sns'] as const)('%s credentials at the gateway', (product) => {
  let owner: Owner;
  const api = () => clientOf(owner, 'fr-par');
  const path = `/${product}-credentials`;

  beforeAll(async () => {
    owner = await newOwner();
    await api().post(`/activate-${product}`, { project_id: owner.project_id });
  });

  const create = async (fields: object = {}) =>
    (await api().post(path, { project_id: owner.project_id, permissions: { can_receive: true }, ...fields }))
      .body;

  /** Sends a signed request. Returns the code of the error; the region has no engine, so that is `unavailable` if permitted. */
  async function send({ access_key, secret_key }: { access_key: string; secret_key: string }) {
    const signer = new AwsClient({
      accessKeyId: access_key,
      secretAccessKey: secret_key,
      region: 'fr-par',
      service: product,
    });
    const body = product === 'sqs' ? 'Action=ListQueues' : 'Action=ListTopics';
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const request = await signer.sign(`${ORIGIN}/`, { method: 'POST', headers, body });
    request.headers.set('Host', new URL(ORIGIN).host);
    const sent = new Request(request.url, { method: 'POST', headers: request.headers, body });
    const text = await (await app.fetch(sent, env)).text();
    const part = (tag: string) => new RegExp(`<${tag}>(.*?)</${tag}>`).exec(text)?.[1] ?? '';
    return { code: part('Code'), message: part('Message') };
  }

  const PERMITTED = expect.not.stringMatching(/InvalidClientTokenId|SignatureDoesNotMatch/);

  it('are denied from the next request when disabled, and permitted when enabled', async () => {
    const created = await create();
    expect((await send(created)).code).toEqual(PERMITTED);
    const response = await api().post(`${path}/${created.id}/disable`, {});
    expect(response.headers.get('Latchkey-Enforcement')).toBe('enforced');
    expect(await send(created)).toEqual({
      code: 'InvalidClientTokenId',
      message: 'The credentials are disabled.',
    });
    await api().post(`${path}/${created.id}/enable`);
    expect((await send(created)).code).toEqual(PERMITTED);
  });

  it('tell nobody but their owner that they are disabled', async () => {
    const created = await create();
    await api().post(`${path}/${created.id}/disable`, {});
    expect((await send({ ...created, secret_key: 'wrong' })).code).toBe('SignatureDoesNotMatch');
  });

  it('are denied when they expire, and permitted when the expiry is moved', async () => {
    const created = await create({ expires_at: new Date(Date.now() + 1000).toISOString() });
    expect((await send(created)).code).toEqual(PERMITTED);
    await expect
      .poll(() => send(created), { timeout: 10_000 })
      .toMatchObject({
        code: 'InvalidClientTokenId',
        message: expect.stringContaining('expired'),
      });
    const expires_at = new Date(Date.now() + DAY_MS).toISOString();
    expect((await api().patch(`${path}/${created.id}`, { expires_at })).body.status).toBe('enabled');
    expect((await send(created)).code).toEqual(PERMITTED);
    expect((await api().patch(`${path}/${created.id}`, { expires_at: null })).body.expires_at).toBeNull();
  });

  it('can change their description and tags, and null clears them', async () => {
    const { id } = await create({ description: 'a', tags: ['a'] });
    const patch = async (body: object) => (await api().patch(`${path}/${id}`, body)).body;
    expect(await patch({ description: 'b' })).toMatchObject({ description: 'b', tags: ['a'] });
    expect(await patch({ tags: ['b', 'c'] })).toMatchObject({ description: 'b', tags: ['b', 'c'] });
    expect(await patch({ description: null, tags: null })).toMatchObject({ description: '', tags: [] });
    const { updated_at } = await patch({});
    expect((await patch({ tags: [], name: null })).updated_at).toBe(updated_at);
  });
});

describe('disabled NATS credentials', () => {
  const region = 'fr-par';
  let owner: Owner;
  let account: string;
  const api = () => clientOf(owner, region);
  const create = async () => (await api().post('/nats-credentials', { nats_account_id: account })).body;
  const revocations = async () =>
    (
      await rows<{ user_key: string }>(
        region,
        'select user_key from nats_revocations where account_id = ?',
        account,
      )
    ).map(({ user_key }) => user_key);
  const revision = async () =>
    (await rows<{ revision: number }>(region, 'select revision from nats_accounts where id = ?', account))[0]
      ?.revision;

  beforeAll(async () => {
    owner = await newOwner();
    account = (await api().post('/nats-accounts', { project_id: owner.project_id })).body.id;
  });

  it('are in the revocations of their account until they are enabled, and each change is a new revision', async () => {
    const { id, public_key } = await create();
    const before = (await revision()) ?? 0;
    await api().post(`/nats-credentials/${id}/disable`, {});
    expect([await revocations(), await revision()]).toEqual([[public_key], before + 1]);
    await api().post(`/nats-credentials/${id}/enable`);
    expect([await revocations(), await revision()]).toEqual([[], before + 2]);
  });

  it('stay revoked when they are revoked while disabled, and the counts stay right', async () => {
    const { id, public_key } = await create();
    await api().post(`/nats-credentials/${id}/disable`, {});
    const held = async () =>
      Object.fromEntries(
        (
          await rows<{ resource: string; value: number }>(
            region,
            'select resource, value from counts where scope = ?',
            account,
          )
        ).map(({ resource, value }) => [resource, value]),
      );
    const { nats = 0, nats_revocations = 0 } = await held();
    await api().delete(`/nats-credentials/${id}`);
    expect(await revocations()).toContain(public_key);
    expect(await held()).toMatchObject({ nats: nats - 1, nats_revocations: nats_revocations + 1 });
    expect((await api().post(`/nats-credentials/${id}/enable`)).status).toBe(404);
    expect(await revocations()).toContain(public_key);
  });
});

function regionOf(name: string): Region {
  const region = configOf(env).regions.get(name);
  if (!region) throw new Error(`no region ${name}`);
  return region;
}

async function countsOf(region: string, product: ProductId, { project_id }: Owner): Promise<number> {
  const sum = 'select coalesce(sum(value), 0) as n from counts where scope = ? and resource = ?';
  return (await rows<{ n: number }>(region, sum, project_id, product))[0]?.n ?? -1;
}

async function countedRows(region: string, product: ProductId, { project_id }: Owner): Promise<number> {
  const count = 'select count(*) as n from credentials where project_id = ? and product = ?';
  return (await rows<{ n: number }>(region, count, project_id, product))[0]?.n ?? -2;
}
