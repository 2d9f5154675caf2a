/** The list of a project's queues and topics. */
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { markMissing, nameExists, reserveName, updateResource } from '../../db/region/inventory.ts';
import { activateService } from '../../db/region/services.ts';
import { newServicePrefix } from '../../functions/gateway/names.ts';
import { systemAuditContext } from '../../functions/shared/write-context.ts';
import { clientOf, databaseOf, newOwner, REGIONS, rows } from './harness.ts';

it('a name requested concurrently stays listed when the engine rejects the first request', async () => {
  const { organization_id, project_id } = await newOwner();
  const db = openDatabase(databaseOf('fr-par'));
  const prefix = newServicePrefix('fr-par');
  const service = { product: 'sqs' as const, organizationId: organization_id, projectId: project_id };
  await activateService(db, systemAuditContext(), service, prefix);
  const queue = { prefix, name: 'orders' };
  const now = Date.now();
  const refused = await reserveName(db, 'queues', queue, now);
  await reserveName(db, 'queues', queue, now);
  await updateResource(db, 'queues', queue, { confirmed: true });
  await refused?.undo();
  expect(await nameExists(db, 'queues', queue)).toBe(true);
  const alone = await reserveName(db, 'queues', { prefix, name: 'alone' }, now);
  await alone?.undo();
  expect(await rows('fr-par', 'select name from queues where prefix = ?', prefix)).toEqual([
    { name: 'orders' },
  ]);
});

it('a recently requested name stays listed when the engine does not know it', async () => {
  const { organization_id, project_id } = await newOwner();
  const db = openDatabase(databaseOf('fr-par'));
  const prefix = newServicePrefix('fr-par');
  const service = { product: 'sns' as const, organizationId: organization_id, projectId: project_id };
  await activateService(db, systemAuditContext(), service, prefix);
  const topic = { prefix, name: 'orders' };
  const now = Date.now();
  await reserveName(db, 'topics', topic, now);
  await updateResource(db, 'topics', topic, { confirmed: true });
  await markMissing(db, 'topics', topic, now);
  expect(await nameExists(db, 'topics', topic)).toBe(true);
  await markMissing(db, 'topics', topic, now + 1);
  expect(await nameExists(db, 'topics', topic)).toBe(false);
});

describe.each(REGIONS)('in %s', (region) => {
  it.each([
    ['sqs', 'queues'],
    ['sns', 'topics'],
  ])('%s lists the project’s own %s, with pagination', async (product, kind) => {
    const owner = await newOwner();
    const other = await newOwner();
    const api = clientOf(owner, region);
    const query = `project_id=${owner.project_id}`;
    expect((await api.get(`/${kind}?${query}`)).body).toEqual({ [kind]: [], next_page_token: null });
    for (const one of [owner, other]) {
      await clientOf(one, region).post(`/activate-${product}`, { project_id: one.project_id });
      const [service] = await rows<{ prefix: string }>(
        region,
        'select prefix from services where project_id = ? and product = ?',
        one.project_id,
        product,
      );
      for (const name of ['orders', 'invoices', one === owner ? 'parcels' : 'secrets']) {
        await databaseOf(region)
          .prepare(`insert into ${kind} (prefix, name, asked_at) values (?, ?, 1)`)
          .bind(service?.prefix, name)
          .run();
      }
    }
    const first = await api.get(`/${kind}?${query}&page_size=2`);
    const names = (response: typeof first) =>
      (response.body[kind] as { name: string; arn: string }[]).map(({ name }) => name);
    expect([names(first), first.body.next_page_token]).toEqual([['invoices', 'orders'], 'orders']);
    const second = await api.get(`/${kind}?${query}&page_size=2&page_token=orders`);
    expect([names(second), second.body.next_page_token]).toEqual([['parcels'], null]);
    expect((first.body[kind] as { arn: string }[])[0]?.arn).toBe(
      `arn:scw:${product}:${region}:project-${owner.project_id}:invoices`,
    );
    expect((await clientOf(other, region).get(`/${kind}?${query}`)).status).toBe(403);
    await databaseOf(region).prepare(`update ${kind} set confirmed = 0 where name = 'orders'`).run();
    expect(names(await api.get(`/${kind}?${query}`))).toEqual(['invoices', 'parcels']);
    await api.post(`/deactivate-${product}`, { project_id: owner.project_id });
    expect((await api.get(`/${kind}?${query}`)).body[kind]).toEqual([]);
  });
});
