/** The life cycle of projects: naming, and deletion, which succeeds only for an empty project. */
import type { D1Database } from '@cloudflare/workers-types';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker from '../../functions/index.ts';
import { env } from './env.ts';
import { failing, gated } from './fault.ts';
import { call, clientOf, newOwner, newProject, REGIONS, rows } from './harness.ts';
import { grant, newKey, newUser } from './matrix-callers.ts';

const PROJECTS = '/account/v3/projects';

const clientFor = (owner: Pick<Owner, 'secret_key'>, bindings: typeof env = env) => {
  const send =
    (method: string) =>
    (path = '', body?: unknown, headers?: Record<string, string>) =>
      call(method, PROJECTS + path, {
        token: owner.secret_key,
        ...(body !== undefined && { body }),
        ...(headers && { headers }),
        env: bindings,
      });
  return { get: send('GET'), post: send('POST'), patch: send('PATCH'), delete: send('DELETE') };
};

async function identityRows(sql: string, ...params: unknown[]): Promise<Record<string, unknown>[]> {
  const statement = env.IDENTITY.prepare(sql).bind(...params);
  return (await statement.all<Record<string, unknown>>()).results;
}

const statusOf = async (id: string) =>
  (await identityRows('select status from projects where id = ?', id))[0]?.status;

const trailOf = async (id: string) =>
  (
    await identityRows(
      `select action, actor_type from audit_events where resource = 'projects' and resource_id = ? order by id`,
      id,
    )
  ).map(({ action, actor_type }) => `${action} by ${actor_type}`);

/** Moves the start of a project's deletion into the past. */
const ageDeletion = (id: string, milliseconds: number) =>
  env.IDENTITY.prepare('update projects set updated_at = updated_at - ? where id = ?')
    .bind(milliseconds, id)
    .run();

const schedule = (bindings = env) => worker.scheduled({} as never, bindings, {} as never);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const withIdentity = (database: D1Database): typeof env => ({ ...env, IDENTITY: database });

/** Captures the errors that a test provokes. */
const captureErrors = () => vi.spyOn(console, 'error').mockReturnValue();
afterEach(() => vi.restoreAllMocks());

describe('a project', () => {
  it('is created, listed, read, updated and deleted', async () => {
    const owner = await newOwner();
    const api = clientFor(owner);
    const created = await api.post('', { name: ' production ', description: 'Orders' });
    expect(created.status).toBe(200);
    const organization_id = owner.organization_id;
    expect(created.body).toMatchObject({
      name: 'production',
      description: 'Orders',
      organization_id,
      qualification: null,
    });
    const { id } = created.body;
    expect((await api.get(`/${id}`)).body).toEqual(created.body);
    expect((await api.get('')).body).toMatchObject({ total_count: 2 });
    expect((await api.get(`?project_ids=${id}`)).body).toEqual({ total_count: 1, projects: [created.body] });
    const both = await api.get(`?project_ids=${id}&project_ids=${owner.project_id}&order_by=created_at_desc`);
    expect(both.body.projects.map((one: { id: string }) => one.id)).toEqual([id, owner.project_id]);
    expect((await api.get(`?project_ids=${crypto.randomUUID()}`)).body).toMatchObject({ total_count: 0 });

    const updated = await api.patch(`/${id}`, { name: 'staging', description: null });
    expect(updated.body).toMatchObject({ id, name: 'staging', description: 'Orders' });
    expect((await api.patch(`/${id}`, { name: 'staging' })).body).toEqual(updated.body);
    expect((await api.patch(`/${id}`, { description: '' })).body).toMatchObject({ description: '' });

    const deleted = await api.delete(`/${id}`);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    for (const again of [api.get(`/${id}`), api.delete(`/${id}`), api.patch(`/${id}`, { name: 'x' })]) {
      expect((await again).body).toMatchObject({
        type: 'not_found',
        resource: 'project_id',
        resource_id: id,
      });
    }
    expect((await api.get('')).body).toMatchObject({ total_count: 1 });
    const activation = await clientOf(owner, 'fr-par').post('/activate-sqs', { project_id: id });
    expect(activation.status).toBe(404);
    expect(await trailOf(id)).toEqual(
      ['create', 'update', 'update', 'delete'].map((one) => `${one} by user`),
    );
  });

  it('is created in the specified organization, once for each Idempotency-Key', async () => {
    const [owner, stranger] = [await newOwner(), await newOwner()];
    const api = clientFor(owner);
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const body = { name: 'once', organization_id: owner.organization_id, description: '' };
    const responses = await Promise.all(Array.from({ length: 50 }, () => api.post('', body, headers)));
    expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(responses[0]?.status).toBe(200);
    expect((await api.get('?name=once')).body).toMatchObject({ total_count: 1 });
    expect((await api.post('', { ...body, name: 'other' }, headers)).status).toBe(400);
    await api.delete(`/${responses[0]?.body.id}`);
    expect((await api.post('', body, headers)).body).toMatchObject({ resource: 'project_id' });
    const foreign = await api.post('', { ...body, organization_id: stranger.organization_id });
    expect(foreign.status).toBe(403);
    expect((await clientFor(stranger).get('')).body).toMatchObject({ total_count: 1 });
  });

  it('is updated with write access to the whole organization, and looks missing to other tenants', async () => {
    const [owner, stranger] = [await newOwner(), await newOwner()];
    const id = await newProject(owner);
    const member = async (set: string, projectId: string | null) => {
      const user_id = await newUser(owner.organization_id);
      await grant(owner, { user_id }, set, projectId);
      return clientFor({ secret_key: await newKey(owner, { user_id }) });
    };
    const listed = async (api: ReturnType<typeof clientFor>) => [
      (await api.get(`/${id}`)).status,
      (await api.patch(`/${id}`, { name: 'named' })).status,
      (await api.delete(`/${id}`)).status,
      (await api.post('', { name: 'another' })).status,
    ];
    expect(await listed(clientFor(stranger))).toEqual([404, 404, 404, 200]);
    expect(await listed(await member('ProjectReadOnly', id))).toEqual([200, 403, 403, 403]);
    expect(await listed(await member('ProjectReadOnly', owner.project_id))).toEqual([404, 404, 404, 403]);
    expect(await listed(await member('IAMManager', null))).toEqual([403, 403, 403, 403]);
    expect(await listed(await member('ProjectManager', null))).toEqual([200, 200, 204, 200]);
  });

  it('that is the last of its organization survives concurrent deletions (race)', async () => {
    const owner = await newOwner();
    const ids = [
      owner.project_id,
      ...(await Promise.all(Array.from({ length: 7 }, () => newProject(owner)))),
    ];
    const api = clientFor(owner);
    const responses = await Promise.all(ids.map((id) => api.delete(`/${id}`)));
    expect(responses.map(({ status }) => status).sort()).toEqual([...Array(7).fill(204), 412]);
    expect(responses.find(({ status }) => status === 412)?.body).toMatchObject({
      type: 'precondition_failed',
      help_message: expect.stringContaining('no other project'),
    });
    const kept = ids[responses.findIndex(({ status }) => status === 412)];
    expect((await api.get('')).body).toMatchObject({ total_count: 1, projects: [{ id: kept }] });
    // The caller's API key had the first project as its default.
    const keys = await identityRows(
      'select default_project_id from api_keys where access_key = ?',
      owner.access_key,
    );
    expect(keys).toEqual([{ default_project_id: kept }]);
  });
});

describe('deleting a project that contains resources', () => {
  it('is rejected with a list of the resources, and the project stays active', async () => {
    const owner = await newOwner();
    const id = await newProject(owner);
    const api = clientFor(owner);
    const [paris, amsterdam] = REGIONS.map((region) => clientOf(owner, region));
    const account = (await paris?.post('/nats-accounts', { project_id: id }))?.body.id;
    for (const product of ['sqs', 'sns']) await amsterdam?.post(`/activate-${product}`, { project_id: id });
    const rejected = await api.delete(`/${id}`);
    expect([rejected.status, rejected.body.type]).toEqual([412, 'precondition_failed']);
    expect(rejected.body.help_message).toContain(
      'NATS accounts in fr-par, Queues and Topics and Events in nl-ams',
    );
    expect((await api.get(`/${id}`)).status).toBe(200);
    expect((await paris?.post('/nats-credentials', { nats_account_id: account }))?.status).toBe(200);
    expect(await trailOf(id)).toEqual([]);
    await paris?.delete(`/nats-accounts/${account}`);
    expect((await api.delete(`/${id}`)).body.help_message).not.toContain('fr-par');
    for (const product of ['sqs', 'sns']) await amsterdam?.post(`/deactivate-${product}`, { project_id: id });
    expect((await api.delete(`/${id}`)).status).toBe(204);
  });

  it('gets 503 while a region is unreachable, and succeeds on retry', async () => {
    const owner = await newOwner();
    const id = await newProject(owner);
    const unreachable = { ...env, REGION_NL_AMS: failing(env.REGION_NL_AMS, /./) };
    const rejected = await clientFor(owner, unreachable).delete(`/${id}`);
    expect([rejected.status, rejected.body.type]).toEqual([503, 'unavailable']);
    expect(rejected.headers.get('Retry-After')).toBe('5');
    expect(await statusOf(id)).toBe('active');
    expect((await clientFor(owner).delete(`/${id}`)).status).toBe(204);
  });
});

describe('an interrupted deletion', () => {
  const POINTS = [
    { at: /set status = 'deleting'/, when: 'before', left: 'active', end: 'active' },
    { at: /set status = 'deleting'/, when: 'after', left: 'deleting', end: 'deleted' },
    { at: /set status = 'deleted'/, when: 'before', left: 'deleting', end: 'deleted' },
    { at: /set status = 'deleted'/, when: 'after', left: 'deleted', end: 'deleted' },
    { at: /set status = 'active'/, when: 'before', left: 'deleting', end: 'active' },
    { at: /set status = 'active'/, when: 'after', left: 'active', end: 'active' },
  ] as const;

  it.each(POINTS)(
    '$when $at leaves it $left, and the schedule resumes it: $end',
    async ({ at, when, left, end }) => {
      const owner = await newOwner();
      const id = await newProject(owner);
      const holding = at.source.includes("'active'");
      if (holding) await clientOf(owner, 'nl-ams').post('/activate-sqs', { project_id: id });
      const logged = captureErrors();
      const broken = withIdentity(failing(env.IDENTITY, at, when));
      expect((await clientFor(owner, broken).delete(`/${id}`)).status).toBe(503);
      expect(logged).toHaveBeenCalledTimes(1);
      expect(await statusOf(id)).toBe(left);
      if (left === 'deleting') {
        await schedule();
        expect(await statusOf(id), 'another request can be in progress').toBe('deleting');
        await ageDeletion(id, 2 * MINUTE);
      }
      await schedule();
      expect(await statusOf(id)).toBe(end);
      const by = left === 'deleting' ? 'system' : 'user';
      expect(await trailOf(id)).toEqual(end === 'deleted' ? [`delete by ${by}`] : []);
    },
  );

  it('does not end a later deletion of the same project (race)', async () => {
    const owner = await newOwner();
    const id = await newProject(owner);
    const gate = gated(env.IDENTITY, /set status = 'deleted'/);
    const slow = clientFor(owner, withIdentity(gate.database)).delete(`/${id}`);
    await gate.arrived;
    await ageDeletion(id, 2 * MINUTE);
    const api = clientOf(owner, 'fr-par');
    // The schedule finds a resource that arrived concurrently, and reactivates the project.
    await env.REGION_FR_PAR.prepare(
      `insert into services (organization_id, project_id, product, status, prefix, created_at, updated_at)
       values (?, ?, 'sqs', 'enabled', ?, 1, 1)`,
    )
      .bind(owner.organization_id, id, crypto.randomUUID())
      .run();
    await schedule();
    expect(await statusOf(id)).toBe('active');
    await env.IDENTITY.prepare(`update projects set status = 'deleting' where id = ?`).bind(id).run();
    gate.open();
    expect((await slow).status).toBe(503);
    expect(await statusOf(id)).toBe('deleting');
    await schedule();
    await ageDeletion(id, 2 * MINUTE);
    await schedule();
    expect(await statusOf(id)).toBe('active');
    expect((await api.get(`/sqs-info?project_id=${id}`)).body).toMatchObject({ status: 'enabled' });
  });
});

describe('a resource created concurrently with a deletion', () => {
  it.each(REGIONS)('is deleted in %s by the schedule, and then the project (race)', async (region) => {
    const owner = await newOwner();
    const id = await newProject(owner);
    const binding = region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS';
    const accounts = gated(env[binding], /insert into nats_accounts/);
    const services = gated(accounts.database, /insert into services/);
    const bindings = { ...env, [binding]: services.database };
    const api = clientOf(owner, region);
    const late = [
      api.post('/nats-accounts', { project_id: id }, { env: bindings }),
      api.post('/activate-sqs', { project_id: id }, { env: bindings }),
    ];
    await Promise.all([accounts.arrived, services.arrived]);
    expect((await clientFor(owner).delete(`/${id}`)).status).toBe(204);
    accounts.open();
    services.open();
    const [account, activation] = await Promise.all(late);
    expect([account?.status, activation?.status]).toEqual([200, 200]);

    await schedule();
    const held = await rows(
      region,
      `select id from nats_accounts where project_id = ?1 and deleted_at is null
       union all select prefix from services where project_id = ?1 and status = 'enabled'`,
      id,
    );
    expect(held).toEqual([]);
    const trail = await rows<{ action: string; resource: string }>(
      region,
      `select action, resource from audit_events where project_id = ? and actor_type = 'system' order by action`,
      id,
    );
    expect(trail.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
      'deactivate sqs',
      'delete nats_accounts',
    ]);
    expect(await statusOf(id)).toBe('deleted');

    // An API key created concurrently: it must neither block the deletion nor be deleted with it.
    const user_id = await newUser(owner.organization_id);
    await newKey({ ...owner, project_id: id }, { user_id });
    await ageDeletion(id, 2 * HOUR);
    const other = region === 'fr-par' ? 'REGION_NL_AMS' : 'REGION_FR_PAR';
    await expect(schedule({ ...env, [other]: failing(env[other], /./) })).rejects.toThrow(
      'Scheduled jobs failed',
    );
    expect(await statusOf(id), 'a region was not purged').toBe('deleted');
    await schedule();
    expect(await statusOf(id)).toBeUndefined();
    expect(await identityRows('select default_project_id from api_keys where user_id = ?', user_id)).toEqual([
      { default_project_id: owner.project_id },
    ]);
  });
});
