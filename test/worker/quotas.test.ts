/** Quotas hold under concurrency, and a rejection reports the limit. */
import { describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { recordPurge } from '../../db/region/account-sync.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import {
  type ApiResponse,
  call,
  cookieOf,
  databaseOf,
  newOwner,
  newProject,
  ORIGIN,
  rows,
} from './harness.ts';

const AT = '/mnq/v1beta1/regions';

/** The Owner's client with these quotas configured. */
function limited(owner: Owner, QUOTAS: Record<string, number>, NATS: Record<string, number> = {}) {
  const bindings = { ...env, QUOTAS, NATS };
  const send = (method: string, path: string, body?: unknown) =>
    call(method, path, {
      token: owner.secret_key,
      env: bindings,
      ...(body !== undefined && { body }),
    });
  return {
    post: (path: string, body: unknown, region = 'fr-par') => send('POST', `${AT}/${region}${path}`, body),
    delete: (path: string) => send('DELETE', `${AT}/fr-par${path}`),
    get: (path: string) => send('GET', path),
  };
}

const times = <Made>(count: number, make: (index: number) => Promise<Made>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const statuses = (responses: Pick<ApiResponse, 'status'>[]) =>
  Object.fromEntries(
    [...Map.groupBy(responses, ({ status }) => status)].map(([key, all]) => [key, all.length]),
  );

const quotaOf = ({
  status,
  body,
}: Pick<ApiResponse, 'status'> & { body: Record<string, unknown> | null }) => {
  expect([status, body?.type]).toEqual([403, 'quotas_exceeded']);
  return body?.details;
};

describe('the quota of NATS accounts', () => {
  it('allows exactly its limit when 200 accounts are created concurrently', async () => {
    const owner = await newOwner();
    const other = await newProject(owner);
    const api = limited(owner, { nats_accounts: 5 });
    const responses = await times(200, (i) =>
      api.post('/nats-accounts', { project_id: i % 2 ? other : owner.project_id }),
    );
    expect(statuses(responses)).toEqual({ 200: 5, 403: 195 });
    const query = 'select 1 from nats_accounts where organization_id = ?';
    expect(await rows('fr-par', query, owner.organization_id)).toHaveLength(5);
    const trail = 'select 1 from audit_events where organization_id = ?';
    expect(await rows('fr-par', trail, owner.organization_id)).toHaveLength(5);
  });

  it('applies to the organization in each region, and frees capacity when an account is deleted', async () => {
    const owner = await newOwner();
    const other = await newProject(owner);
    const api = limited(owner, { nats_accounts: 1 });
    const created = await api.post('/nats-accounts', { project_id: owner.project_id });
    expect(quotaOf(await api.post('/nats-accounts', { project_id: other }))).toEqual([
      { resource: 'nats_accounts', quota: 1, current: 1, organization_id: owner.organization_id },
    ]);
    expect((await api.post('/nats-accounts', { project_id: other }, 'nl-ams')).status).toBe(200);
    expect((await api.delete(`/nats-accounts/${created.body.id}`)).status).toBe(204);
    expect((await api.post('/nats-accounts', { project_id: other })).status).toBe(200);
    const lowerQuota = limited(owner, { nats_accounts: 0 });
    expect(quotaOf(await lowerQuota.post('/nats-accounts', { project_id: other }))).toMatchObject([
      { quota: 0, current: 1 },
    ]);
  });

  it('counts accounts separately from the first project, which shares its ID with the organization', async () => {
    const owner = await newOwner();
    expect(owner.project_id).toBe(owner.organization_id);
    const other = await newProject(owner);
    const api = limited(owner, { nats_accounts: 3 });
    const totalOf = async (project: string) =>
      (await api.get(`${AT}/fr-par/nats-accounts?project_id=${project}`)).body.total_count;
    const created = await api.post('/nats-accounts', { project_id: owner.project_id });
    for (const project_id of [owner.project_id, other]) await api.post('/nats-accounts', { project_id });
    expect([await totalOf(owner.project_id), await totalOf(other)]).toEqual([2, 1]);
    expect((await api.post('/nats-accounts', { project_id: other })).status).toBe(403);
    await api.delete(`/nats-accounts/${created.body.id}`);
    expect([await totalOf(owner.project_id), await totalOf(other)]).toEqual([1, 1]);
    expect((await api.post('/nats-accounts', { project_id: other })).status).toBe(200);
    expect((await api.post('/nats-accounts', { project_id: other })).status).toBe(403);
  });

  it('counts accounts created before the migration that gave organization totals their own scope', async () => {
    const owner = await newOwner();
    const [migration] = env.MIGRATIONS.region.filter(({ name }) =>
      name.includes('organization_account_counts'),
    );
    await limited(owner, {}).post('/nats-accounts', { project_id: await newProject(owner) });
    await rows('fr-par', `delete from counts where scope like 'organization:%'`);
    for (const query of migration?.queries ?? []) await rows('fr-par', query);
    const api = limited(owner, { nats_accounts: 1 });
    expect(quotaOf(await api.post('/nats-accounts', { project_id: owner.project_id }))).toMatchObject([
      { current: 1 },
    ]);
  });

  it('is separate for each organization', async () => {
    const [one, other] = [await newOwner(), await newOwner()];
    for (const owner of [one, other]) {
      const response = await limited(owner, { nats_accounts: 1 }).post('/nats-accounts', {
        project_id: owner.project_id,
      });
      expect(response.status).toBe(200);
    }
  });
});

describe('the quota of credentials', () => {
  const prepare = async (QUOTAS: Record<string, number>, NATS?: Record<string, number>) => {
    const owner = await newOwner();
    const api = limited(owner, QUOTAS, NATS);
    const { project_id } = owner;
    const nats_account_id = (await api.post('/nats-accounts', { project_id })).body.id;
    for (const product of ['sqs', 'sns']) await api.post(`/activate-${product}`, { project_id });
    const create = (product: string) =>
      api.post(
        `/${product}-credentials`,
        product === 'nats' ? { nats_account_id } : { project_id, permissions: { can_publish: true } },
      );
    return { owner, api, create };
  };

  it('allows exactly its limit for all products together when 200 are created concurrently', async () => {
    const { owner, create } = await prepare({ credentials: 5 });
    const responses = await times(200, (i) => create(['nats', 'sqs', 'sns'][i % 3] ?? ''));
    expect(statuses(responses)).toEqual({ 200: 5, 403: 195 });
    const query = 'select 1 from credentials where project_id = ?';
    expect(await rows('fr-par', query, owner.project_id)).toHaveLength(5);
  });

  it.each(['nats', 'sqs', 'sns'])('is reported with the project and its count: %s', async (product) => {
    const { owner, api, create } = await prepare({ credentials: 2 });
    const created = [await create('sqs'), await create('nats')];
    expect(created.map(({ status }) => status)).toEqual([200, 200]);
    expect(quotaOf(await create(product))).toEqual([
      { resource: 'credentials', quota: 2, current: 2, project_id: owner.project_id },
    ]);
    expect((await api.delete(`/sqs-credentials/${created[0]?.body.id}`)).status).toBe(204);
    expect((await create(product)).status).toBe(200);
  });

  it('frees capacity when a product is deactivated or an account deleted', async () => {
    const { owner, api, create } = await prepare({ credentials: 2 });
    await create('sqs');
    const account = (await create('nats')).body.nats_account_id;
    await api.post('/deactivate-sqs', { project_id: owner.project_id });
    expect((await create('sns')).status).toBe(200);
    expect((await create('sns')).status).toBe(403);
    await api.delete(`/nats-accounts/${account}`);
    expect((await create('sns')).status).toBe(200);
  });

  it('does not count an account’s revocations', async () => {
    const { owner, api, create } = await prepare({ credentials: 11 }, { max_revocations: 10 });
    for (let i = 0; i < 10; i++) {
      const created = await create('nats');
      expect((await api.delete(`/nats-credentials/${created.body.id}`)).status).toBe(204);
    }
    expect(quotaOf(await create('nats'))).toEqual([
      {
        resource: 'nats_credentials and nats_revocations of the account',
        quota: 10,
        current: 10,
        project_id: owner.project_id,
      },
    ]);
    expect((await create('sqs')).status).toBe(200);
  });
});

describe('the list of quotas', () => {
  it('returns each quota in each region', async () => {
    const owner = await newOwner();
    const api = limited(owner, { nats_accounts: 7 });
    const path = `/iam/v1alpha1/quota?organization_id=${owner.organization_id}`;
    const { body } = await api.get(path);
    expect(body.total_count).toBe(3);
    expect(body.quota).toMatchObject([
      { name: 'credentials', limit: 10_000 },
      {
        name: 'nats_accounts',
        limits: [
          { region: 'fr-par', limit: 7 },
          { region: 'nl-ams', limit: 7 },
        ],
      },
      { name: 'nats_roles', limit: 100 },
    ]);
    const named = (await api.get(`${path}&quotum_names=nats_accounts`)).body;
    expect([named.total_count, named.quota.length]).toEqual([1, 1]);
    const [last] = (await api.get(`${path}&order_by=name_desc&page_size=1`)).body.quota;
    expect(last).toMatchObject({ name: 'nats_roles' });
    const foreign = await api.get(`/iam/v1alpha1/quota?organization_id=${crypto.randomUUID()}`);
    expect([foreign.status, foreign.body.details]).toEqual([403, [{ resource: 'iam', action: 'read' }]]);
  });
});

describe('the storage quota of a region’s NATS servers', () => {
  const MIB = 1024 ** 2;
  const limits = (disk: number, memory: number) => ({ disk, memory });

  /** An Owner whose organization is in a region without accounts and with this storage. */
  async function prepareStorage(region: Record<string, number>, NATS: object) {
    for (const each of ['fr-par', 'nl-ams'])
      await databaseOf(each).prepare('delete from nats_accounts').run();
    const owner = await newOwner();
    const REGIONS = { 'fr-par': { ...(env.REGIONS as Record<string, object>)['fr-par'], ...region } };
    const bindings = { ...env, REGIONS, NATS, GUESTS: { enabled: true } };
    const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
      call(method, path, { env: bindings, body, ...(headers ? { headers } : { token: owner.secret_key }) });
    const create = (body: object = { project_id: owner.project_id }, headers?: Record<string, string>) =>
      api('POST', `${AT}/fr-par/nats-accounts`, body, headers);
    return { owner, api, create };
  }

  it('allows no more accounts than fit, even when they are created concurrently', async () => {
    const { create } = await prepareStorage(
      { nats_storage: 10 * MIB },
      { account_limits: limits(2 * MIB, 0), guest_limits: limits(MIB, 0) },
    );
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const responses = await times(50, () => create());
    expect(statuses(responses)).toEqual({ 200: 5, 412: 45 });
    expect(responses.find(({ status }) => status === 412)?.body).toMatchObject({
      type: 'precondition_failed',
      precondition: 'unknown_precondition',
      help_message: expect.stringMatching(/^The NATS servers of fr-par have no storage left/),
    });
    expect(String(warned.mock.calls[0])).toContain('"region":"fr-par"');
    warned.mockRestore();
  });

  it('counts guest accounts with their own size, and memory like disk', async () => {
    const { create, api } = await prepareStorage(
      { nats_memory: 5 * MIB },
      { account_limits: limits(-1, 2 * MIB), guest_limits: limits(-1, MIB) },
    );
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect([(await create()).status, (await create()).status]).toEqual([200, 200]);
    expect((await create()).status).toBe(412);
    const headers = { Origin: ORIGIN };
    const guest = await api('POST', '/auth/guest', {}, headers);
    const cookie = { ...headers, Cookie: cookieOf(guest.headers) };
    expect((await create({ project_id: guest.body.project_id }, cookie)).status).toBe(200);
    expect((await create({ project_id: guest.body.project_id }, cookie)).status).toBe(412);
    const guests = await rows<{ guest: number }>('fr-par', 'select guest from nats_accounts order by guest');
    expect(guests.map(({ guest: one }) => one)).toEqual([0, 0, 1]);
    warned.mockRestore();
  });

  it('is freed when the streams of a deleted account are gone, not before', async () => {
    const { create, api } = await prepareStorage(
      { nats_storage: MIB },
      { account_limits: limits(MIB, 0), guest_limits: limits(MIB, 0) },
    );
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { id } = (await create()).body;
    expect((await api('DELETE', `${AT}/fr-par/nats-accounts/${id}`)).status).toBe(204);
    expect((await create()).status).toBe(412);
    await recordPurge(openDatabase(databaseOf('fr-par')), String(id), Date.now());
    expect((await create()).status).toBe(200);
    warned.mockRestore();
  });

  it('returns the first response for a repeated Idempotency-Key', async () => {
    const { owner, api } = await prepareStorage(
      { nats_storage: MIB },
      { account_limits: limits(MIB, 0), guest_limits: limits(MIB, 0) },
    );
    const headers = { 'X-Auth-Token': owner.secret_key, 'Idempotency-Key': crypto.randomUUID() };
    const again = () => api('POST', `${AT}/fr-par/nats-accounts`, { project_id: owner.project_id }, headers);
    const [first, second] = [await again(), await again()];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.id).toBe(first.body.id);
  });
});
