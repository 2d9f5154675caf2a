/** Applications: create, list, update, and argument validation. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { identityRows, newOwner } from './harness.ts';
import { iamOf } from './identity.ts';

let owner: Owner;
let iam: ReturnType<typeof iamOf>;

beforeEach(async () => {
  owner = await newOwner();
  iam = iamOf(owner.secret_key);
});

describe('an application', () => {
  it('is created, listed, updated and recorded in the audit trail', async () => {
    const created = (
      await iam.post('/applications', { name: ' orders ', description: 'takes', tags: ['shop'] })
    ).body;
    expect(created).toMatchObject({
      name: 'orders',
      organization_id: owner.organization_id,
      nb_api_keys: 0,
      editable: true,
      deletable: true,
      managed: false,
      tags: ['shop'],
    });
    const second = (await iam.post('/applications', { name: 'billing' })).body;
    const list = async (query: string) =>
      (await iam.get(`/applications?${query}`)).body.applications.map(({ id }: { id: string }) => id);
    expect(await list('order_by=name_asc')).toEqual([second.id, created.id]);
    expect(await list('name=ORD')).toEqual([created.id]);
    expect(await list('tag=sho')).toEqual([created.id]);
    expect(await list(`application_ids=${second.id}`)).toEqual([second.id]);
    const path = `/applications/${created.id}`;
    const changed = (await iam.patch(path, { name: 'orders', tags: ['shop', 'eu'] })).body;
    expect(changed).toMatchObject({ name: 'orders', description: 'takes', tags: ['shop', 'eu'] });
    expect((await iam.patch(path, { tags: ['shop', 'eu'], name: null })).body).toEqual(changed);
    const events = await identityRows<Record<string, string>>(
      'select * from audit_events where resource_id = ? order by id',
      created.id,
    );
    expect(events).toMatchObject([
      { action: 'create', resource: 'applications', actor_key: owner.access_key, before: null },
      { action: 'update', organization_id: owner.organization_id, project_id: null },
    ]);
    expect(JSON.parse(events[1]?.before ?? '')).toEqual({
      name: 'orders',
      description: 'takes',
      tags: ['shop'],
    });
    expect(JSON.parse(events[1]?.after ?? '').tags).toEqual(['shop', 'eu']);
  });

  it.each<[string, object, string]>([
    ['no name', {}, 'name'],
    ['a name of 65 characters', { name: 'x'.repeat(65) }, 'name'],
    ['a description of 201 characters', { name: 'x', description: 'x'.repeat(201) }, 'description'],
    ['eleven tags', { name: 'x', tags: Array(11).fill('tag') }, 'tags'],
  ])('is rejected with %s', async (_, body, argument) => {
    const response = await iam.post('/applications', body);
    expect([response.status, response.body.details?.[0].argument_name]).toEqual([400, argument]);
  });
});
