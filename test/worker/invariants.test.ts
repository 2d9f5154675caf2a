/** Invariants under concurrency: permissions, counts, audit rows, and sealed secrets. */
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { activateService, deactivateService } from '../../db/region/services.ts';
import { newServicePrefix } from '../../functions/gateway/names.ts';
import worker from '../../functions/index.ts';
import { isProductSecretKey } from '../../functions/shared/access-keys.ts';
import { configOf } from '../../functions/shared/env.ts';
import { open } from '../../functions/shared/sealing.ts';
import { systemAuditContext } from '../../functions/shared/write-context.ts';
import { env } from './env.ts';
import { clientOf, databaseOf, newOwner, REGIONS, rows } from './harness.ts';

describe('concurrent changes', () => {
  it('never leave a credential without a permission (race)', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const { id } = (
      await api.post('/sqs-credentials', {
        project_id: owner.project_id,
        permissions: { can_publish: true, can_receive: true },
      })
    ).body;
    const responses = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        api.patch(`/sqs-credentials/${id}`, {
          permissions: i % 2 ? { can_publish: false } : { can_receive: false },
        }),
      ),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 400]));
    for (const { status, body } of responses) {
      if (status === 200) expect(Object.values(body.permissions)).toContain(true);
    }
    const [row] = await rows<{ permissions: number }>(
      'fr-par',
      'select permissions from credentials where id = ?',
      id,
    );
    expect([1, 2]).toContain(row?.permissions);
    const updates = await rows(
      'fr-par',
      `select 1 from audit_events where resource_id = ? and action = 'update'`,
      id,
    );
    expect(updates).toHaveLength(1);
  });

  it('revoke once, count once, and write one audit row', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'nl-ams');
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const created = await Promise.all(
      Array.from({ length: 3 }, () => api.post('/nats-credentials', { nats_account_id: account })),
    );
    const id = created[0]?.body.id;
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => api.delete(`/nats-credentials/${id}`)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(404)]);
    expect((await api.get('/nats-credentials')).body.total_count).toBe(2);
    const trail = await rows(
      'nl-ams',
      `select 1 from audit_events where resource_id = ? and action = 'revoke'`,
      id,
    );
    expect(trail).toHaveLength(1);
  });

  it('activate a product once', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const { project_id } = owner;
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => api.post('/activate-sns', { project_id })),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
  });

  it('reject a zero permission mask in the database itself', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    await api.post('/sqs-credentials', { project_id: owner.project_id, permissions: { can_manage: true } });
    for (const value of [0, 8, null]) {
      const update = databaseOf('fr-par')
        .prepare('update credentials set permissions = ? where project_id = ?')
        .bind(value, owner.project_id);
      await expect(update.run()).rejects.toThrow('CHECK constraint failed: credentials_permissions');
    }
  });

  it('keep the counts equal to the number of rows', async () => {
    for (const region of REGIONS) {
      const wrong = await rows(
        region,
        `select scope, resource, value from counts where value <> case
           when resource = 'nats_accounts' then (select count(*) from nats_accounts
             where scope in (project_id, 'organization:' || organization_id) and deleted_at is null)
           when resource = 'nats_revocations' then (select count(*) from nats_revocations where account_id = scope
               and user_key not in (select key from credentials where nats_account_id = scope)
               and user_key not in (select previous_key from rotations))
             + (select count(*) from rotations join credentials on id = credential_id where nats_account_id = scope)
           when resource = 'nats_roles' then (select count(*) from nats_roles where project_id = scope)
           when length(scope) = 56 then (select count(*) from credentials where nats_account_id = scope)
           else (select count(*) from credentials where project_id = scope and product = resource) end`,
      );
      expect(wrong).toEqual([]);
      expect(await rows(region, 'select 1 from counts')).not.toHaveLength(0);
    }
  });
});

describe('an update', () => {
  it('that changes nothing writes nothing', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const body = { project_id: owner.project_id, name: 'same', permissions: { can_publish: true } };
    const created = (await api.post('/sqs-credentials', body)).body;
    const same = { name: 'same', permissions: { can_publish: true, can_manage: false } };
    for (const update of [{}, { name: null }, same]) {
      const response = await api.patch(`/sqs-credentials/${created.id}`, update);
      expect(response.body).toEqual({ ...created, secret_key: '' });
    }
    const trail = await rows(
      'fr-par',
      `select 1 from audit_events where resource_id = ? and action = 'update'`,
      created.id,
    );
    expect(trail).toEqual([]);
  });

  it('records the previous and the new state in the audit trail, with the actor', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const body = { project_id: owner.project_id, name: 'before', permissions: { can_publish: true } };
    const created = (await api.post('/sqs-credentials', body)).body;
    const response = await api.patch(`/sqs-credentials/${created.id}`, {
      name: 'after',
      permissions: { can_manage: true },
    });
    const [row] = await rows<Record<string, string>>(
      'fr-par',
      `select * from audit_events where resource_id = ? and action = 'update'`,
      created.id,
    );
    expect(row).toMatchObject({
      organization_id: owner.organization_id,
      project_id: owner.project_id,
      actor_type: 'user',
      actor_key: owner.access_key,
      resource: 'sqs_credentials',
      request_id: response.headers.get('X-Request-Id'),
    });
    expect(JSON.parse(row?.before ?? '')).toEqual({ name: 'before', permissions: 1 });
    expect(JSON.parse(row?.after ?? '')).toEqual({ name: 'after', permissions: 5 });
  });
});

it('an activation never gets a prefix that another one has, or had until its queues are cleaned up', async () => {
  const [one, two] = [await newOwner(), await newOwner()];
  const db = openDatabase(env.REGION_FR_PAR);
  const refOf = (owner: typeof one) => ({
    product: 'sqs' as const,
    organizationId: owner.organization_id,
    projectId: owner.project_id,
  });
  const activate = (owner: typeof one, prefix: string) =>
    activateService(db, systemAuditContext(), refOf(owner), prefix);
  const prefix = newServicePrefix('fr-par');
  expect(await activate(one, prefix)).toMatchObject({ ok: true });
  expect(await activate(two, prefix)).toEqual({ ok: false, reason: 'prefix_taken' });
  await rows('fr-par', `insert into queues (prefix, name, asked_at) values (?, 'orders', 1)`, prefix);
  await deactivateService(db, systemAuditContext(), refOf(one));
  expect(await activate(one, newServicePrefix('fr-par'))).toMatchObject({ ok: true });
  expect(await activate(two, prefix)).toEqual({ ok: false, reason: 'prefix_taken' });
  for (const table of ['queues', 'deactivations'])
    await rows('fr-par', `delete from ${table} where prefix = ?`, prefix);
  expect(await activate(two, prefix)).toMatchObject({ ok: true });
});

describe('a sealed secret', () => {
  const sealedRow = async (id: string) => {
    const [row] = await rows<{ sealed_secret: string; sealing_key_id: string }>(
      'fr-par',
      'select sealed_secret, sealing_key_id from credentials where id = ?',
      id,
    );
    if (!row) throw new Error('no such row');
    return { keyId: row.sealing_key_id, text: row.sealed_secret };
  };
  const create = async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const body = { project_id: owner.project_id, permissions: { can_publish: true } };
    const created = [
      (await api.post('/sqs-credentials', body)).body,
      (await api.post('/sqs-credentials', body)).body,
    ];
    return created as [Record<string, string>, Record<string, string>];
  };
  const contextOf = (id: string) => ({ kind: 'credential', region: 'fr-par', id }) as const;
  const keys = configOf(env).sealingKeys;

  it('decrypts to the original value in its own row and region only', async () => {
    const [one, other] = await create();
    expect(isProductSecretKey(one.secret_key ?? '')).toBe(true);
    const sealed = await sealedRow(one.id ?? '');
    expect(await open(keys, contextOf(one.id ?? ''), sealed)).toBe(one.secret_key);
    await expect(open(keys, contextOf(other.id ?? ''), sealed)).rejects.toThrow();
    await expect(open(keys, { ...contextOf(one.id ?? ''), region: 'nl-ams' }, sealed)).rejects.toThrow();
    await expect(open(keys, { ...contextOf(one.id ?? ''), kind: 'nats_account' }, sealed)).rejects.toThrow();
  });

  it('sealed with an old key is still readable, and the schedule moves it to the newest key (rotation)', async () => {
    const [created] = await create();
    const id = created.id ?? '';
    const [newest, old] = JSON.parse(env.SEALING_KEYS as string);
    const { reseal } = await import('../../functions/credentials/reseal.ts');
    const region = configOf(env).regions.get('fr-par');
    if (!region) throw new Error('no region');
    // With the keys in reverse order, the schedule seals everything with the key that will be old.
    expect(await reseal(region, [old, newest])).toMatchObject({ left: 0, failed: [] });
    expect((await sealedRow(id)).keyId).toBe('old');
    expect(await open(keys, contextOf(id), await sealedRow(id))).toBe(created.secret_key);

    await worker.scheduled({} as never, env, {} as never);
    expect((await sealedRow(id)).keyId).toBe('new');
    expect(await open([newest], contextOf(id), await sealedRow(id))).toBe(created.secret_key);
    await expect(open([old], contextOf(id), await sealedRow(id))).rejects.toThrow(
      'Sealing key new does not exist',
    );
    expect(await rows('fr-par', `select id from nats_accounts where sealing_key_id <> 'new'`)).toEqual([]);
  });
});
