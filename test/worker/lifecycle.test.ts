/** The life cycle of credentials through the API: three products in two regions. */
import { describe, expect, it } from 'vitest';
import { clientOf, newOwner, newProject, REGIONS, rows } from './harness.ts';

const ACCESS_KEY_PRODUCTS = [
  { product: 'sqs', label: 'Queues' },
  { product: 'sns', label: 'Topics and Events' },
] as const;

const UUID = /^[0-9a-f-]{36}$/;

describe.each(REGIONS)('in %s', (region) => {
  it('NATS credentials are created, listed, read, renamed and revoked', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);

    const account = await api.post('/nats-accounts', { name: 'orders', project_id: owner.project_id });
    expect(account.status).toBe(200);
    expect(account.body).toMatchObject({ name: 'orders', project_id: owner.project_id, region });
    expect(account.body.id).toMatch(/^A[A-Z2-7]{55}$/);

    const created = await api.post('/nats-credentials', {
      nats_account_id: account.body.id,
      name: 'service',
    });
    expect(created.status).toBe(200);
    expect(created.body).toMatchObject({ name: 'service', nats_account_id: account.body.id, region });
    expect(created.body.id).toMatch(UUID);
    expect(created.body.credentials.name).toBe('user.creds');
    expect(created.body.credentials.content).toContain('BEGIN NATS USER JWT');

    const listed = await api.get(`/nats-credentials?nats_account_id=${account.body.id}`);
    expect(listed.body).toEqual({
      total_count: 1,
      nats_credentials: [{ ...created.body, credentials: null }],
    });
    expect((await api.get(`/nats-credentials/${created.body.id}`)).body).toEqual({
      ...created.body,
      credentials: null,
    });

    const patched = await api.patch(`/nats-credentials/${created.body.id}`, { name: 'other' });
    expect(patched.status).toBe(405);
    expect(patched.headers.get('Allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD']);
    expect(patched.body.type).toBe('method_not_allowed');

    const revoked = await api.delete(`/nats-credentials/${created.body.id}`);
    expect([revoked.status, revoked.text]).toEqual([204, '']);
    for (const again of [api.get, api.delete]) {
      const response = await again(`/nats-credentials/${created.body.id}`);
      expect(response.status).toBe(404);
      expect(response.body).toMatchObject({
        type: 'not_found',
        resource: 'credentials',
        resource_id: created.body.id,
      });
    }
    expect(
      await rows(region, 'select user_key from nats_revocations where account_id = ?', account.body.id),
    ).toHaveLength(1);
  });

  it.each(ACCESS_KEY_PRODUCTS)(
    '$label credentials are created, listed, read, updated and revoked',
    async ({ product, label }) => {
      const owner = await newOwner();
      const api = clientOf(owner, region);
      const project_id = owner.project_id;
      const write = { can_publish: true, can_receive: false, can_manage: false };

      const early = await api.post(`/${product}-credentials`, {
        project_id,
        name: 'service',
        permissions: write,
      });
      expect(early.status).toBe(412);
      expect(early.body).toMatchObject({ type: 'precondition_failed' });
      expect(early.body.help_message).toContain(label);

      expect((await api.get(`/${product}-info?project_id=${project_id}`)).body).toMatchObject({
        status: 'disabled',
        created_at: null,
        updated_at: null,
      });
      const activated = await api.post(`/activate-${product}`, { project_id });
      expect(activated.body).toMatchObject({ project_id, region, status: 'enabled' });
      expect(activated.body[`${product}_endpoint_url`]).toMatch(/^https:/);
      expect((await api.get(`/${product}-info?project_id=${project_id}`)).body).toEqual(activated.body);
      const twice = await api.post(`/activate-${product}`, { project_id });
      expect(twice.status).toBe(409);
      expect(twice.body).toMatchObject({
        type: 'already_exists',
        resource: `Mnq${product.toUpperCase()}Namespace`,
      });

      const created = await api.post(`/${product}-credentials`, {
        project_id,
        name: 'service',
        permissions: write,
      });
      expect(created.status).toBe(200);
      expect(created.body).toMatchObject({ name: 'service', project_id, region, permissions: write });
      expect(created.body.access_key).toMatch(/^LKEY[A-Za-z0-9]{16}$/);
      expect(created.body.secret_key).toMatch(/^latchkey_[A-Za-z0-9]{46}$/);
      expect(created.body.secret_checksum).toMatch(/^[0-9a-f]{40}$/);

      const shown = { ...created.body, secret_key: '' };
      expect((await api.get(`/${product}-credentials/${created.body.id}`)).body).toEqual(shown);
      expect((await api.get(`/${product}-credentials`)).body).toEqual({
        total_count: 1,
        [`${product}_credentials`]: [shown],
      });

      const updated = await api.patch(`/${product}-credentials/${created.body.id}`, {
        name: 'renamed',
        permissions: { can_receive: true, can_manage: null },
      });
      expect(updated.status).toBe(200);
      expect(updated.body).toMatchObject({ name: 'renamed', permissions: { ...write, can_receive: true } });
      const none = await api.patch(`/${product}-credentials/${created.body.id}`, {
        permissions: { can_publish: false, can_receive: false },
      });
      expect(none.status).toBe(400);
      expect(none.body.details).toMatchObject([{ argument_name: 'permissions', reason: 'constraint' }]);

      const other = await api.post(`/${product}-credentials`, {
        project_id,
        permissions: { can_manage: true },
      });
      expect(other.body.name).toMatch(/^mnq-[a-z]+-[a-z]+$/);
      expect((await api.delete(`/${product}-credentials/${created.body.id}`)).status).toBe(204);
      expect((await api.get(`/${product}-credentials`)).body.total_count).toBe(1);

      const deactivated = await api.post(`/deactivate-${product}`, { project_id });
      expect(deactivated.status).toBe(200);
      expect(deactivated.body).toMatchObject({ status: 'disabled', created_at: null });
      expect((await api.get(`/${product}-credentials`)).body).toMatchObject({ total_count: 0 });
      const idle = await api.post(`/deactivate-${product}`, { project_id });
      expect(idle.status).toBe(404);
      expect(idle.body).toMatchObject({
        resource: `Mnq${product.toUpperCase()}Namespace`,
        resource_id: project_id,
      });

      const trail = await rows<{ action: string; resource: string }>(
        region,
        'select action, resource from audit_events where project_id = ? order by id',
        project_id,
      );
      expect(trail.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
        `activate ${product}`,
        `create ${product}_credentials`,
        `update ${product}_credentials`,
        `create ${product}_credentials`,
        `revoke ${product}_credentials`,
        `revoke ${product}_credentials`,
        `deactivate ${product}`,
      ]);
    },
  );

  it('deleting a NATS account revokes all its credentials', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const project_id = owner.project_id;
    const kept = (await api.post('/nats-accounts', { name: 'kept', project_id })).body;
    const gone = (await api.post('/nats-accounts', { name: 'gone', project_id })).body;
    for (const nats_account_id of [kept.id, gone.id, gone.id])
      await api.post('/nats-credentials', { nats_account_id });
    expect((await api.get('/nats-credentials')).body.total_count).toBe(3);

    const deleted = await api.delete(`/nats-accounts/${gone.id}`);
    expect(deleted.status).toBe(204);
    // No server has confirmed the revocation: none is configured here.
    expect(deleted.headers.get('Latchkey-Enforcement')).toBe('pending; acknowledged=0; servers=0');
    expect((await api.get(`/nats-accounts/${gone.id}`)).status).toBe(404);
    expect((await api.delete(`/nats-accounts/${gone.id}`)).status).toBe(404);
    expect((await api.get('/nats-accounts')).body).toEqual({ total_count: 1, nats_accounts: [kept] });
    expect((await api.get('/nats-credentials')).body.total_count).toBe(1);
    expect((await api.get(`/nats-credentials?nats_account_id=${gone.id}`)).body.total_count).toBe(0);
    const refused = await api.post('/nats-credentials', { nats_account_id: gone.id });
    expect(refused.body).toMatchObject({ type: 'not_found', resource: 'namespace', resource_id: gone.id });
    const trail = await rows<{ action: string; resource: string }>(
      region,
      `select action, resource from audit_events where project_id = ? and action in ('revoke', 'delete')`,
      project_id,
    );
    expect(trail).toHaveLength(3);
  });

  it('pagination works in every order, over one project or all of them', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const second = await newProject(owner);
    for (const project_id of [owner.project_id, second]) await api.post('/activate-sqs', { project_id });
    const names = ['delta', 'alpha', 'echo', 'bravo', 'charlie'];
    for (const [i, name] of names.entries()) {
      const project_id = i % 2 ? second : owner.project_id;
      await api.post('/sqs-credentials', { project_id, name, permissions: { can_publish: true } });
    }
    const all = (await api.get('/sqs-credentials')).body.sqs_credentials;
    await api.patch(`/sqs-credentials/${all[1].id}`, { permissions: { can_manage: true } });
    const listed = async (query: string) => {
      const { body } = await api.get(`/sqs-credentials?${query}`);
      return [body.total_count, ...body.sqs_credentials.map(({ name }: { name: string }) => name)];
    };
    expect(await listed('')).toEqual([5, ...names]);
    expect(await listed('order_by=created_at_desc&page_size=2&page=2')).toEqual([5, 'echo', 'alpha']);
    expect(await listed('order_by=name_asc')).toEqual([5, ...[...names].sort()]);
    expect(await listed('order_by=name_desc&page_size=2')).toEqual([5, 'echo', 'delta']);
    expect((await listed('order_by=updated_at_desc'))[1]).toBe('alpha');
    expect((await listed('order_by=updated_at_asc')).at(-1)).toBe('alpha');
    expect(await listed(`project_id=${second}`)).toEqual([2, 'alpha', 'bravo']);
    expect(await listed('page=4&page_size=2')).toEqual([5]);
  });
});
