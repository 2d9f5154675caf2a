/**
 * Cost budgets: the D1 round trips of each operation and the rows it reads and writes, counted on real databases. No
 * cost grows with the number of credentials, except for later pages of a list.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, clientOf, databaseOf, newOwner } from './harness.ts';

/** An Owner whose API key was just used. A use is recorded at most once in five minutes, after the response. */
async function activeOwner(): Promise<Owner> {
  const owner = await newOwner();
  await env.IDENTITY.prepare('update api_keys set last_used_at = ? where access_key = ?')
    .bind(Date.now(), owner.access_key)
    .run();
  return owner;
}

/** Round trips, rows read, rows written. */
type DatabaseCost = [trips: number, read: number, written: number];

/** The cost of an operation in each of the two databases. */
type CostPerDatabase = [identity: DatabaseCost, region: DatabaseCost];

const NOTHING: DatabaseCost = [0, 0, 0];
/** Authenticates the caller and loads the permissions. */
const CALLER: DatabaseCost = [1, 6, 0];

/** By operation: exact round trips and rows written, and the most rows read, which vary slightly with random IDs. */
const BUDGETS: Record<string, CostPerDatabase> = {
  // Reads the account's sealed signing seed first: the creds must be signed before their row is written.
  'create nats': [CALLER, [2, 38, 19]],
  'get nats': [CALLER, [1, 2, 0]],
  'usage nats': [CALLER, [2, 4, 0]],
  'disable nats': [CALLER, [1, 22, 12]],
  'enable nats': [CALLER, [1, 25, 11]],
  'rotate nats': [CALLER, [3, 34, 17]],
  'finish rotation of nats': [CALLER, [1, 34, 13]],
  'batch of nats': [CALLER, [2, 24, 12]],
  'revoke nats': [CALLER, [1, 38, 13]],
  'create sqs': [CALLER, [1, 27, 14]],
  'get sqs': [CALLER, [1, 2, 0]],
  // A guard has the counts.
  'usage sqs': [CALLER, [1, 2, 0]],
  'update sqs': [CALLER, [1, 10, 8]],
  'disable sqs': [CALLER, [1, 20, 7]],
  'enable sqs': [CALLER, [1, 21, 7]],
  'rotate sqs': [CALLER, [2, 24, 15]],
  'finish rotation of sqs': [CALLER, [1, 29, 8]],
  'batch of sqs': [CALLER, [2, 22, 7]],
  'revoke sqs': [CALLER, [1, 32, 7]],
  'create sns': [CALLER, [1, 27, 14]],
  'get sns': [CALLER, [1, 2, 0]],
  // A guard has the counts.
  'usage sns': [CALLER, [1, 2, 0]],
  'update sns': [CALLER, [1, 10, 8]],
  'disable sns': [CALLER, [1, 20, 7]],
  'enable sns': [CALLER, [1, 21, 7]],
  'rotate sns': [CALLER, [2, 24, 15]],
  'finish rotation of sns': [CALLER, [1, 29, 8]],
  'batch of sns': [CALLER, [2, 22, 7]],
  'revoke sns': [CALLER, [1, 32, 7]],
  'activate sqs': [CALLER, [1, 6, 8]],
  'info sqs': [CALLER, [1, 1, 0]],
  'deactivate sqs': [CALLER, [1, 12, 6]],
  'activate sns': [CALLER, [1, 6, 8]],
  'info sns': [CALLER, [1, 1, 0]],
  'deactivate sns': [CALLER, [1, 12, 6]],
  'create account': [CALLER, [1, 9, 16]],
  'get account': [CALLER, [1, 2, 0]],
  'list accounts': [CALLER, [1, 11, 0]],
  'rename account': [CALLER, [1, 10, 8]],
  'delete account': [CALLER, [1, 42, 12]],
  'create role': [CALLER, [1, 17, 16]],
  'get role': [CALLER, [1, 2, 0]],
  // Reads it first: the change merges with the rest of its permissions, whose size is then checked.
  'update role': [CALLER, [2, 20, 10]],
  'delete role': [CALLER, [1, 19, 9]],
  // Authenticates the caller, then loads the data: both are in the identity database.
  'list projects': [[2, 14, 0], NOTHING],
  'create project': [[2, 11, 8], NOTHING],
  'get project': [[2, 10, 0], NOTHING],
  'rename project': [[2, 16, 6], NOTHING],
  // Marks the project, checks each region, then deletes the project and removes it from policy rules.
  'delete project': [
    [3, 36, 9],
    [1, 0, 0],
  ],
  'get API key': [[2, 11, 0], NOTHING],
  // Authentication has read it.
  'get security settings': [[1, 7, 0], NOTHING],
  'update security settings': [[2, 12, 6], NOTHING],
};

/** A list of 50 reads five rows for each item returned. */
const LIST: CostPerDatabase = [CALLER, [1, 250, 0]];

/** Expects that each operation has a budget and stays within it. */
function expectWithin(costs: Record<string, CostPerDatabase>): void {
  for (const [name, databases] of Object.entries(costs)) {
    const budget = BUDGETS[name] ?? (name.startsWith('list ') ? LIST : undefined);
    for (const [at, [trips, read, written]] of databases.entries()) {
      const [maxTrips, maxRead, maxWritten] = budget?.[at] ?? [];
      expect([trips, written], name).toEqual([maxTrips, maxWritten]);
      expect(read, name).toBeLessThanOrEqual(maxRead ?? 0);
    }
  }
}

/** Sends one request and returns its cost. */
async function costOf(method: string, path: string, owner: Owner, body?: unknown) {
  const identity = { trips: 0, rowsRead: 0, rowsWritten: 0 };
  const region = { trips: 0, rowsRead: 0, rowsWritten: 0 };
  const response = await call(method, path, {
    token: owner.secret_key,
    ...(body !== undefined && { body }),
    env: {
      ...env,
      QUOTAS: { credentials: 100_000 },
      IDENTITY: counted(env.IDENTITY, identity),
      REGION_FR_PAR: counted(env.REGION_FR_PAR, region),
    },
  });
  expect(response.status).toBeLessThan(300);
  const costArray = (cost: Required<Cost>): DatabaseCost => [cost.trips, cost.rowsRead, cost.rowsWritten];
  return { response, cost: [costArray(identity), costArray(region)] satisfies CostPerDatabase };
}

const AT = '/mnq/v1beta1/regions/fr-par';
const ORDERS = ['created_at', 'updated_at', 'name'].flatMap((by) => [`${by}_asc`, `${by}_desc`]);

/** Inserts credentials of each product directly, up to `total` in the project. NATS credentials share one account. */
async function insertCredentials(owner: Owner, account: string, total: number): Promise<void> {
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

/** Sends the Owner's requests and records their costs by name. */
function meter(owner: Owner) {
  const costs: Record<string, CostPerDatabase> = {};
  const measure = async (name: string, method: string, path: string, body?: unknown) => {
    const { response, cost } = await costOf(method, path, owner, body);
    costs[name] = cost;
    return response;
  };
  return { costs, measure };
}

/** Every operation on credentials. The last ones undo the changes of the others. */
async function costsOfAll(owner: Owner, account: string): Promise<Record<string, CostPerDatabase>> {
  const { costs, measure: measureAt } = meter(owner);
  const measure = (name: string, method: string, path: string, body?: unknown) =>
    measureAt(name, method, AT + path, body);
  for (const product of ['nats', 'sqs', 'sns']) {
    const collection = `/${product}-credentials`;
    const body =
      product === 'nats'
        ? { nats_account_id: account, name: 'measured' }
        : { project_id: owner.project_id, name: 'measured', permissions: { can_publish: true } };
    const made = await measure(`create ${product}`, 'POST', collection, body);
    const item = `${collection}/${made.body.id}`;
    await measure(`get ${product}`, 'GET', item);
    await measure(`usage ${product}`, 'GET', `${item}/usage`);
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
    await measure(`rotate ${product}`, 'POST', `${item}/rotate`, {});
    await measure(`finish rotation of ${product}`, 'POST', `${item}/rotate/finish`, {});
    await measure(`disable ${product}`, 'POST', `${item}/disable`, {});
    await call('POST', `${AT}${item}/enable`, { token: owner.secret_key, body: {} });
    await measure(`batch of ${product}`, 'POST', `${collection}/batch`, {
      action: 'disable',
      ids: [made.body.id],
    });
    await measure(`enable ${product}`, 'POST', `${item}/enable`, {});
    await measure(`revoke ${product}`, 'DELETE', item);
  }
  return costs;
}

describe('with 100 and with 9,000 credentials in a project', () => {
  let small: Awaited<ReturnType<typeof costsOfAll>>;
  let large: Awaited<ReturnType<typeof costsOfAll>>;
  let owner: Owner;

  beforeAll(async () => {
    owner = await activeOwner();
    const api = clientOf(owner, 'fr-par');
    const { project_id } = owner;
    const account = (await api.post('/nats-accounts', { project_id })).body.id;
    await api.post('/nats-credentials', { nats_account_id: account });
    // The first revocation creates the row that counts revocations; the others find it.
    const first = (await api.post('/nats-credentials', { nats_account_id: account })).body.id;
    await api.delete(`/nats-credentials/${first}`);
    for (const product of ['sqs', 'sns']) {
      await api.post(`/activate-${product}`, { project_id });
      await api.post(`/${product}-credentials`, { project_id, permissions: { can_publish: true } });
    }
    // Other tenants' rows must not be read.
    const neighbour = await activeOwner();
    await insertCredentials(neighbour, `A${'C'.repeat(55)}`, 500);
    await insertCredentials(owner, account, 100);
    small = await costsOfAll(owner, account);
    await insertCredentials(owner, account, 9_000);
    large = await costsOfAll(owner, account);
    for (const product of ['nats', 'sqs', 'sns']) {
      const page = (await api.get(`/${product}-credentials?page=180`)).body;
      expect([page.total_count, page[`${product}_credentials`].length]).toEqual([9_000, 50]);
    }
  }, 120_000);

  it('each operation costs the same', () => {
    expect(large).toEqual(small);
  });

  it('each operation stays within its budget', () => {
    expectWithin(small);
  });

  it.each([
    'name=measured&order_by=last_used_at_desc',
    'tags=a&tags=b',
    'status=enabled',
    'access_key=SCW',
    'created_by=nobody&order_by=expires_at_asc',
    'expires_before=2999-01-01T00:00:00Z',
    'last_used_before=2999-01-01T00:00:00Z',
  ])('the filter %s reads the rows of the project, and no others', async (filter) => {
    const path = `${AT}/sqs-credentials?project_id=${owner.project_id}&${filter}`;
    const { cost } = await costOf('GET', path, owner);
    const [trips, read] = cost[1];
    expect(trips).toBe(1);
    expect(read).toBeLessThan(9_100 * 4 + 200);
  });

  it('a later page reads four more rows for each credential before it', async () => {
    const path = `${AT}/sqs-credentials?project_id=${owner.project_id}&page=`;
    const [first, later] = [await costOf('GET', `${path}1`, owner), await costOf('GET', `${path}101`, owner)];
    expect(later.cost[1][1] - first.cost[1][1]).toBe(4 * 50 * 100);
  });
});

it('the other operations stay within their budgets', async () => {
  const owner = await activeOwner();
  const { project_id } = owner;
  const { costs, measure } = meter(owner);
  for (const product of ['sqs', 'sns']) {
    await measure(`activate ${product}`, 'POST', `${AT}/activate-${product}`, { project_id });
    await measure(`info ${product}`, 'GET', `${AT}/${product}-info?project_id=${project_id}`);
    await measure(`deactivate ${product}`, 'POST', `${AT}/deactivate-${product}`, { project_id });
  }
  const account = await measure('create account', 'POST', `${AT}/nats-accounts`, { project_id });
  const item = `${AT}/nats-accounts/${account.body.id}`;
  await measure('get account', 'GET', item);
  await measure('list accounts', 'GET', `${AT}/nats-accounts?project_id=${project_id}`);
  await measure('rename account', 'PATCH', item, { name: 'renamed' });
  const role = { nats_account_id: account.body.id, publish: { allow: ['a'] }, subscribe: { allow: [] } };
  const roles = `${AT}/nats-roles`;
  const roleItem = `${roles}/${(await measure('create role', 'POST', roles, role)).body.id}`;
  await measure('get role', 'GET', roleItem);
  await measure('list roles', 'GET', `${roles}?nats_account_id=${account.body.id}`);
  await measure('list roles of a project', 'GET', `${roles}?project_id=${project_id}`);
  await measure('update role', 'PATCH', roleItem, { max_payload: 7 });
  await measure('delete role', 'DELETE', roleItem);
  await measure('delete account', 'DELETE', item);
  await measure('list projects', 'GET', '/account/v3/projects');
  const project = await measure('create project', 'POST', '/account/v3/projects', { name: 'measured' });
  const projectItem = `/account/v3/projects/${project.body.id}`;
  await measure('get project', 'GET', projectItem);
  await measure('rename project', 'PATCH', projectItem, { name: 'renamed' });
  await measure('delete project', 'DELETE', projectItem);
  await measure('get API key', 'GET', `/iam/v1alpha1/api-keys/${owner.access_key}`);
  const settings = `/iam/v1alpha1/organizations/${owner.organization_id}/security-settings`;
  await measure('get security settings', 'GET', settings);
  await measure('update security settings', 'PATCH', settings, { max_credentials_duration: 60 });
  expectWithin(costs);
});
