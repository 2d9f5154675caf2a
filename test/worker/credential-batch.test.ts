/** Changes of several credentials at once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { PRODUCT_IDS } from '../../db/products.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { clientOf, newOwner, rows } from './harness.ts';

describe.each(
  PRODUCT_IDS.flatMap((product) => ['fr-par', 'nl-ams'].map((region) => [product, region] as const)),
)('a batch of %s credentials in %s', (product, region) => {
  const path = `/${product}-credentials`;
  let owner: Owner;
  let api: ReturnType<typeof clientOf>;
  let parent: Record<string, unknown>;

  beforeAll(async () => {
    owner = await newOwner();
    api = clientOf(owner, region);
    parent = await newParent(owner);
  });

  async function newParent(of: Owner): Promise<Record<string, unknown>> {
    const { project_id } = of;
    const client = clientOf(of, region);
    if (product === 'nats')
      return { nats_account_id: (await client.post('/nats-accounts', { project_id })).body.id };
    await client.post(`/activate-${product}`, { project_id });
    return { project_id, permissions: { can_receive: true } };
  }

  const create = async (fields: object = {}) =>
    (await api.post(path, { ...parent, ...fields })).body.id as string;
  const createAll = (number: number, fields: object = {}) =>
    Promise.all(Array.from({ length: number }, () => create(fields)));
  const statusOf = async (id: string) => (await api.get(`${path}/${id}`)).body.status ?? 'gone';
  const statuses = (ids: readonly string[]) => Promise.all(ids.map(statusOf));
  const run = (body: object, options = {}) => api.post(`${path}/batch`, body, options);
  const resultsOf = (body: { results: { id: string; result: string }[] }) =>
    body.results.map(({ result }) => result);
  const auditOf = (ids: readonly string[]) =>
    rows<{ resource_id: string; action: string }>(
      region,
      `select resource_id, action from audit_events where action <> 'create'
        and resource_id in (select value from json_each(?))`,
      JSON.stringify(ids),
    );

  it('disables, enables and revokes by id, with one audit row for each change', async () => {
    const ids = await createAll(5);
    const disabled = await run({ action: 'disable', ids, reason: 'leaked' });
    expect(resultsOf(disabled.body)).toEqual(ids.map(() => 'changed'));
    expect(disabled.headers.get('Latchkey-Enforcement')).toMatch(/^(enforced|pending)/);
    expect(await statuses(ids)).toEqual(ids.map(() => 'disabled'));
    expect(resultsOf((await run({ action: 'disable', ids, reason: 'leaked' })).body)).toEqual(
      ids.map(() => 'unchanged'),
    );
    await run({ action: 'enable', ids: ids.slice(0, 2) });
    expect(await statuses(ids)).toEqual(['enabled', 'enabled', 'disabled', 'disabled', 'disabled']);
    expect(resultsOf((await run({ action: 'revoke', ids })).body)).toEqual(ids.map(() => 'changed'));
    expect(await statuses(ids)).toEqual(ids.map(() => 'gone'));
    const trail = Map.groupBy(await auditOf(ids), ({ action }) => action);
    expect([...trail].map(([action, all]) => [action, all.length]).sort()).toEqual([
      ['disable', 5],
      ['enable', 2],
      ['revoke', 5],
    ]);
  });

  it('keeps the counts right, also with a rotation and disabled ones among the revoked', async () => {
    const ids = await createAll(4);
    await api.post(`${path}/${ids[0]}/rotate`, {});
    await api.post(`${path}/${ids[1]}/disable`, {});
    await run({ action: 'revoke', ids: ids.slice(0, 3) });
    const scope = product === 'nats' ? parent.nats_account_id : owner.project_id;
    const counted = await rows<{ resource: string; value: number }>(
      region,
      'select resource, value from counts where scope = ?',
      scope,
    );
    const column = product === 'nats' ? 'nats_account_id' : 'project_id';
    const [held] = await rows<{ n: number }>(
      region,
      `select count(*) as n from credentials where ${column} = ? and product = ?`,
      scope,
      product,
    );
    const value = (resource: string) => counted.find((one) => one.resource === resource)?.value ?? 0;
    expect(value(product)).toBe(held?.n);
    if (product !== 'nats') return;
    const [revoked] = await rows<{ n: number }>(
      region,
      'select count(*) as n from nats_revocations where account_id = ?',
      scope,
    );
    expect(value('nats_revocations')).toBe(revoked?.n);
  });

  it('changes what a filter matches, and nothing in a dry run', async () => {
    const tag = crypto.randomUUID();
    const [tagged, other] = [await createAll(3, { tags: [tag] }), await create()];
    const filter = { tags: [tag] };
    const dry = (await run({ action: 'revoke', filter, dry_run: true })).body;
    expect(dry.results.map(({ id }: { id: string }) => id).sort()).toEqual(tagged.toSorted());
    expect(resultsOf(dry)).toEqual(['changed', 'changed', 'changed']);
    expect(await statuses(tagged)).toEqual(['enabled', 'enabled', 'enabled']);
    expect(resultsOf((await run({ action: 'enable', filter, dry_run: true })).body)).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
    ]);
    await run({ action: 'revoke', filter });
    expect(await statuses(tagged)).toEqual(['gone', 'gone', 'gone']);
    expect(await statusOf(other)).toBe('enabled');
  });

  it('does not reach another organization, whose credentials look missing', async () => {
    const [id, foreign] = [await create(), await newOwner()];
    await newParent(foreign);
    const other = clientOf(foreign, region);
    const response = await other.post(`${path}/batch`, { action: 'revoke', ids: [id] });
    expect(response.body.results).toMatchObject([
      { id, name: null, result: 'not_found', last_used_at: null },
    ]);
    const all = await other.post(`${path}/batch`, { action: 'revoke', filter: {} });
    expect(all.body.results).toEqual([]);
    expect(await statusOf(id)).toBe('enabled');
  });

  it('changes nothing when an audit row cannot be written', async () => {
    const ids = await createAll(2);
    const broken = {
      ...env,
      REGION_FR_PAR: failing(env.REGION_FR_PAR, /insert into audit_events/),
      REGION_NL_AMS: failing(env.REGION_NL_AMS, /insert into audit_events/),
    };
    for (const action of ['disable', 'revoke'])
      expect((await run({ action, ids }, { env: broken })).status).toBe(503);
    expect(await statuses(ids)).toEqual(['enabled', 'enabled']);
  });

  it.each([
    [{}, 'action'],
    [{ action: 'revoke' }, 'ids'],
    [{ action: 'revoke', ids: [] }, 'ids'],
    [{ action: 'revoke', ids: ['x'] }, 'ids.0'],
    [{ action: 'revoke', filter: {}, ids: [crypto.randomUUID()] }, 'ids'],
    [{ action: 'delete', filter: {} }, 'action'],
    [{ action: 'revoke', filter: { nmae: 'x' } }, 'filter'],
    [{ action: 'revoke', ids: Array.from({ length: 1001 }, () => crypto.randomUUID()) }, 'ids'],
  ])('is refused when it is invalid: %#', async (body, argument) => {
    const { status, body: error } = await run(body);
    expect([status, error.details[0].argument_name]).toEqual([400, argument]);
  });
});
