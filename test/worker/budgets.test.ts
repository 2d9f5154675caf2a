/**
 * What each operation may cost: D1 round trips and rows read, counted on the real databases. None grows with the
 * number of credentials.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../db/identity/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, clientOf, databaseOf, newOwner } from './harness.ts';

/** An Owner whose API key was used just now: only one request in five minutes notes that, after its answer. */
async function activeOwner(): Promise<Owner> {
  const owner = await newOwner();
  await env.IDENTITY.prepare('update api_keys set last_used_at = ? where access_key = ?')
    .bind(Date.now(), owner.access_key)
    .run();
  return owner;
}

/** Runs one request and returns what it cost. */
async function costOf(method: string, path: string, owner: Owner, body?: unknown) {
  const identity: Cost = { trips: 0, rowsRead: 0 };
  const region: Cost = { trips: 0, rowsRead: 0 };
  const answer = await call(method, path, {
    token: owner.secret_key,
    ...(body !== undefined && { body }),
    env: {
      ...env,
      QUOTAS: { credentials: 100_000 },
      IDENTITY: counted(env.IDENTITY, identity),
      REGION_FR_PAR: counted(env.REGION_FR_PAR, region),
    },
  });
  expect(answer.status).toBeLessThan(300);
  return { answer, identity, region };
}

const AT = '/mnq/v1beta1/regions/fr-par';
const ORDERS = ['created_at', 'updated_at', 'name'].flatMap((by) => [`${by}_asc`, `${by}_desc`]);

/** Fills the project up to `total` credentials of each product, all in one NATS account, past the API. */
async function fill(owner: Owner, account: string, total: number): Promise<void> {
  for (const product of ['nats', 'sqs', 'sns']) {
    const ofNats = product === 'nats';
    await databaseOf('fr-par')
      .prepare(
        `insert into credentials (id, product, organization_id, project_id, nats_account_id, name, key, checksum,
           permissions, created_at, updated_at)
         with recursive n(i) as (select (select count(*) from credentials where project_id = ?2 and product = ?1)
           union all select i + 1 from n where i + 1 < ?3)
         select lower(hex(randomblob(16))), ?1, ?4, ?2, ?5, 'name ' || (i * 7919 % 10007), ?1 || ?2 || i, '', ?6,
           1000000 + i, 2000000 + (i * 104729 % 10007) from n where i < ?3`,
      )
      .bind(
        product,
        owner.project_id,
        total,
        owner.organization_id,
        ofNats ? account : null,
        ofNats ? null : 1,
      )
      .run();
    for (const scope of [owner.project_id, account]) {
      await databaseOf('fr-par')
        .prepare('update counts set value = ? where scope = ? and resource = ?')
        .bind(total, scope, product)
        .run();
    }
  }
}

/** Every operation on credentials, as paths of the owner's own. Those that change are undone by the last. */
async function costsOfAll(
  owner: Owner,
  account: string,
): Promise<Record<string, { trips: number; rows: number }>> {
  const costs: Record<string, { trips: number; rows: number }> = {};
  const measure = async (name: string, method: string, path: string, body?: unknown) => {
    const { answer, identity, region } = await costOf(method, AT + path, owner, body);
    expect(identity.trips, name).toBe(1);
    costs[name] = { trips: region.trips, rows: region.rowsRead };
    return answer;
  };
  for (const product of ['nats', 'sqs', 'sns']) {
    const collection = `/${product}-credentials`;
    const body =
      product === 'nats'
        ? { nats_account_id: account, name: 'measured' }
        : { project_id: owner.project_id, name: 'measured', permissions: { can_publish: true } };
    const made = await measure(`create ${product}`, 'POST', collection, body);
    const item = `${collection}/${made.body.id}`;
    await measure(`get ${product}`, 'GET', item);
    if (product !== 'nats')
      await measure(`update ${product}`, 'PATCH', item, { permissions: { can_manage: true } });
    for (const order of ORDERS) {
      await measure(`list ${product} ${order}`, 'GET', `${collection}?order_by=${order}`);
      await measure(
        `list ${product} ${order} of a project`,
        'GET',
        `${collection}?order_by=${order}&project_id=${owner.project_id}`,
      );
    }
    if (product === 'nats') {
      for (const order of ORDERS) {
        await measure(
          `list ${product} ${order} of an account`,
          'GET',
          `${collection}?order_by=${order}&nats_account_id=${account}`,
        );
      }
    }
    await measure(`revoke ${product}`, 'DELETE', item);
  }
  return costs;
}

describe('with 100 and with 10,000 credentials in the project', () => {
  let small: Awaited<ReturnType<typeof costsOfAll>>;
  let large: Awaited<ReturnType<typeof costsOfAll>>;

  beforeAll(async () => {
    const owner = await activeOwner();
    const api = clientOf(owner, 'fr-par');
    const { project_id } = owner;
    const account = (await api.post('/nats-accounts', { project_id })).body.id;
    await api.post('/nats-credentials', { nats_account_id: account });
    // The first revocation makes the row of their count, which the others then find.
    const first = (await api.post('/nats-credentials', { nats_account_id: account })).body.id;
    await api.delete(`/nats-credentials/${first}`);
    for (const product of ['sqs', 'sns']) {
      await api.post(`/activate-${product}`, { project_id });
      await api.post(`/${product}-credentials`, { project_id, permissions: { can_publish: true } });
    }
    // Other tenants' rows are there too: what they hold must not be read.
    const neighbour = await activeOwner();
    await fill(neighbour, `A${'C'.repeat(55)}`, 500);
    await fill(owner, account, 100);
    small = await costsOfAll(owner, account);
    await fill(owner, account, 10_000);
    large = await costsOfAll(owner, account);
    for (const product of ['nats', 'sqs', 'sns']) {
      const page = (await api.get(`/${product}-credentials?page=200`)).body;
      expect([page.total_count, page[`${product}_credentials`].length]).toEqual([10_000, 50]);
    }
  }, 120_000);

  it('each operation reads the same number of rows', () => {
    expect(large).toEqual(small);
  });

  it('each operation takes one round trip to the region, but for the creation of NATS credentials', () => {
    // That one reads the account's sealed signing seed first: the creds must be signed before their row is written.
    const trips = Object.entries(small).filter(([, { trips }]) => trips !== 1);
    expect(trips.map(([name, { trips }]) => [name, trips])).toEqual([['create nats', 2]]);
  });

  it('a list of 50 reads few rows for each that it returns', () => {
    for (const [name, { rows }] of Object.entries(small)) {
      if (name.startsWith('list')) expect(rows, name).toBeLessThanOrEqual(250);
    }
  });
});

describe('the other operations', () => {
  it('take one round trip to each database that they need', async () => {
    const owner = await activeOwner();
    const { project_id } = owner;
    const trips = async (method: string, path: string, body?: unknown) => {
      const { answer, identity, region } = await costOf(method, path, owner, body);
      return { id: answer.body?.id, trips: [identity.trips, region.trips] };
    };
    for (const product of ['sqs', 'sns']) {
      expect((await trips('POST', `${AT}/activate-${product}`, { project_id })).trips).toEqual([1, 1]);
      expect((await trips('GET', `${AT}/${product}-info?project_id=${project_id}`)).trips).toEqual([1, 1]);
      expect((await trips('POST', `${AT}/deactivate-${product}`, { project_id })).trips).toEqual([1, 1]);
    }
    const account = await trips('POST', `${AT}/nats-accounts`, { project_id });
    expect(account.trips).toEqual([1, 1]);
    const item = `${AT}/nats-accounts/${account.id}`;
    expect((await trips('GET', item)).trips).toEqual([1, 1]);
    expect((await trips('GET', `${AT}/nats-accounts?project_id=${project_id}`)).trips).toEqual([1, 1]);
    expect((await trips('PATCH', item, { name: 'renamed' })).trips).toEqual([1, 1]);
    expect((await trips('DELETE', item)).trips).toEqual([1, 1]);
    // Who asks, and then what they ask for: both are in the identity database.
    expect((await trips('GET', '/account/v3/projects')).trips).toEqual([2, 0]);
    const project = await trips('POST', '/account/v3/projects', { name: 'measured' });
    expect(project.trips).toEqual([2, 0]);
    const projectItem = `/account/v3/projects/${project.id}`;
    expect((await trips('GET', projectItem)).trips).toEqual([2, 0]);
    expect((await trips('PATCH', projectItem, { name: 'renamed' })).trips).toEqual([2, 0]);
    // It is marked, each region is asked, and it is deleted.
    expect((await trips('DELETE', projectItem)).trips).toEqual([3, 1]);
    expect((await trips('GET', `/iam/v1alpha1/api-keys/${owner.access_key}`)).trips).toEqual([2, 0]);
  });
});
