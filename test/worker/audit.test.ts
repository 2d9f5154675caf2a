/** Reading the audit trail: pagination, filters, export, permissions, cost and retention. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../functions/audit/resources.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker from '../../functions/index.ts';
import { configOf } from '../../functions/shared/env.ts';
import { RESOURCES as WORDS } from '../../site/src/build/audit-labels.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, clientOf, databaseOf, newOwner, rows } from './harness.ts';

const REGION = '/audit-trail/v1alpha1/regions/fr-par/events';
const ORGANIZATION = '/audit-trail/v1alpha1/events';

type Event = Record<string, never> & { id: string; recorded_at: string };

const list = (owner: Owner, path: string, bindings = env) =>
  call('GET', path, { token: owner.secret_key, env: bindings });

/** All pages of a list, by following its page tokens. */
async function allPages(owner: Owner, query: string): Promise<Event[][]> {
  const found: Event[][] = [];
  for (let token = ''; ; ) {
    const { status, body } = await list(owner, `${REGION}?${query}${token}`);
    expect(status).toBe(200);
    found.push(body.events as Event[]);
    if (body.next_page_token === null) return found;
    token = `&page_token=${body.next_page_token}`;
  }
}

const exportLines = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event);

/** Inserts `count` rows into an organization's trail directly, two per millisecond. */
async function insertEvents(
  organization: string,
  count: number,
  from = 1_000_000,
  region = 'fr-par',
): Promise<void> {
  await databaseOf(region)
    .prepare(
      `insert into audit_events (at, organization_id, project_id, actor_type, actor_id, request_id, action, resource,
         resource_id)
       with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ?2)
       select ?3 + i / 2, ?1, 'project', 'user', 'actor ' || (i % 10), 'request', 'update', 'things',
         'thing ' || (i % 100) from n`,
    )
    .bind(organization, count, from)
    .run();
}

describe('the audit trail', () => {
  let owner: Owner;
  let created: Record<string, string>;
  let organization: Owner;

  beforeAll(async () => {
    owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const body = { project_id: owner.project_id, name: 'one', permissions: { can_publish: true } };
    created = (await api.post('/sqs-credentials', body)).body;
    await call('PATCH', `/mnq/v1beta1/regions/fr-par/sqs-credentials/${created.id}`, {
      token: owner.secret_key,
      headers: { 'CF-Connecting-IP': '192.0.2.7' },
      body: { name: 'two', permissions: { can_manage: true } },
    });
    organization = await newOwner();
    await insertEvents(organization.organization_id, 1205);
  });

  it('records the actor, action, time, IP address, and the state before and after', async () => {
    const { body } = await list(owner, REGION);
    expect(body.next_page_token).toBeNull();
    expect((body.events as Event[]).map(({ action }) => action)).toEqual(['update', 'create', 'activate']);
    expect(body.events[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      recorded_at: expect.stringMatching(/^\d{4}-.*Z$/),
      locality: 'fr-par',
      organization_id: owner.organization_id,
      project_id: owner.project_id,
      principal: { type: 'user', id: expect.any(String), access_key: owner.access_key },
      source_ip: '192.0.2.7',
      request_id: expect.any(String),
      action: 'update',
      resource: { type: 'sqs_credentials', id: created.id },
      before: { name: 'one', permissions: { can_publish: true, can_receive: false, can_manage: false } },
      after: { name: 'two', permissions: { can_publish: true, can_receive: false, can_manage: true } },
      method_name: 'UpdateSqsCredentials',
      product_name: 'mnq',
      service_name: 'mnq.v1beta1',
      resources: [{ id: created.id, type: 'sqs_credentials', name: 'two' }],
      status_code: 200,
      user_agent: null,
      request_body: {},
    });
  });

  it('lists organization events separately, with the locality "global"', async () => {
    const { body } = await list(owner, `${ORGANIZATION}?organization_id=${owner.organization_id}`);
    expect(body.events).toMatchObject([
      {
        locality: 'global',
        action: 'create',
        resource: { type: 'organizations', id: owner.organization_id },
      },
    ]);
  });

  it.each([
    ['project_id', () => owner.project_id, 3],
    ['project_id', () => crypto.randomUUID(), 0],
    ['resource_id', () => created.id, 2],
    ['resource_type', () => 'sqs', 1],
    ['resource_type', () => 'unknown_type', 3],
    ['resource_type', () => 'iam_user', 0],
    ['method_name', () => 'CreateSqsCredentials', 1],
    ['method_name', () => 'ActivateSqs', 1],
    ['method_name', () => 'CreateSnsCredentials', 0],
    ['product_name', () => 'mnq', 3],
    ['product_name', () => 'iam', 0],
    ['service_name', () => 'mnq.v1beta1', 3],
    ['source_ip', () => '192.0.2.7', 1],
    ['source_ip', () => '192.0.2.8', 0],
    ['status', () => '200', 3],
    ['status', () => '0', 3],
    ['action', () => 'create', 1],
    ['principal_id', () => 'nobody', 0],
  ])('is filtered by %s', async (name, value, count) => {
    expect((await list(owner, `${REGION}?${name}=${value()}`)).body.events).toHaveLength(count);
  });

  it.each([
    ['resource_type', 'instance_server'],
    ['resource_type', 'nonsense'],
    ['status', '403'],
    ['user_agent', 'scw'],
  ])('rejects an unsupported filter: %s=%s', async (name, value) => {
    const response = await list(owner, `${REGION}?${name}=${value}`);
    expect(response.status).toBe(400);
    expect(response.body.details).toMatchObject([{ argument_name: name }]);
  });

  it('maps every resource type that the pages label to an official name', () => {
    expect(Object.keys(RESOURCES).sort()).toEqual(Object.keys(WORDS).sort());
  });

  it('combines the principal and resource filters', async () => {
    const { body } = await list(owner, `${REGION}?resource_id=${created.id}`);
    const principal = (body.events as { principal: { id: string } }[])[0]?.principal.id;
    const both = `${REGION}?resource_id=${created.id}&principal_id=${principal}`;
    expect((await list(owner, both)).body.events).toEqual(body.events);
  });

  it.each(['asc', 'desc'])('pagination returns every row once, in order: %s', async (direction) => {
    const query = `page_size=100&order_by=recorded_at_${direction}`;
    const found = await allPages(organization, query);
    expect(found.map(({ length }) => length)).toEqual([...Array(12).fill(100), 5]);
    const all = found.flat();
    expect(new Set(all.map(({ id }) => id)).size).toBe(1205);
    const ids = all.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => (direction === 'asc' ? a - b : b - a)));
  });

  it('returns 50 events per page, newest first, by default', async () => {
    const { body } = await list(organization, REGION);
    expect(body.events).toHaveLength(50);
    expect((body.events as Event[])[0]?.recorded_at).toBe(new Date(1_000_602).toISOString());
  });

  it('filters by time: the start is inclusive, the end exclusive', async () => {
    const at = (offset: number) => new Date(1_000_000 + offset).toISOString();
    const times = async (query: string) => {
      const found = (await allPages(organization, `page_size=3&${query}`)).flat();
      return found.map(({ recorded_at }) => Date.parse(recorded_at) - 1_000_000);
    };
    const window = `recorded_after=${at(100)}&recorded_before=${at(103)}`;
    expect(await times(window)).toEqual([102, 102, 101, 101, 100, 100]);
    expect(await times(`${window}&order_by=recorded_at_asc`)).toEqual([100, 100, 101, 101, 102, 102]);
    // A page token of another query must not reach outside the time range.
    const token = (await list(organization, `${REGION}?page_size=1`)).body.next_page_token;
    const { body } = await list(organization, `${REGION}?${window}&page_token=${token}`);
    expect(body.events).toHaveLength(6);
  });

  it.each([
    ['page_size=101', 'page_size'],
    ['page_token=nonsense', 'page_token'],
    ['order_by=name_asc', 'order_by'],
    ['recorded_after=yesterday', 'recorded_after'],
    ['organization_id=mine', 'organization_id'],
  ])('rejects %s', async (query, name) => {
    const response = await list(owner, `${REGION}?${query}`);
    expect([response.status, response.body.details[0].argument_name]).toEqual([400, name]);
  });

  it.each([
    [REGION, 'fr-par'],
    [ORGANIZATION, 'global'],
  ])('export of %s returns one line per event', async (path, locality) => {
    const listed = (await list(owner, path)).body.events;
    const response = await list(owner, `${path}/export`);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/x-ndjson');
    expect(response.headers.get('Content-Disposition')).toMatch(
      new RegExp(`^attachment; filename="audit-trail-${locality}-\\d{4}-\\d\\d-\\d\\d\\.ndjson"$`),
    );
    expect(exportLines(response.text)).toEqual(listed);
  });

  it('export returns each row once, in either order and with the list filters', async () => {
    for (const direction of ['asc', 'desc']) {
      const events = exportLines(
        (await list(organization, `${REGION}/export?order_by=recorded_at_${direction}`)).text,
      );
      expect(events).toHaveLength(1205);
      expect(new Set(events.map(({ id }) => id)).size).toBe(1205);
    }
    const some = exportLines((await list(organization, `${REGION}/export?resource_id=thing%207`)).text);
    expect(some).toHaveLength(12);
    // A result of exactly two batches, and an empty result.
    const even = await newOwner();
    expect((await list(even, `${REGION}/export`)).text).toBe('');
    await insertEvents(even.organization_id, 1000);
    expect(exportLines((await list(even, `${REGION}/export`)).text)).toHaveLength(1000);
  });

  it('export reads no faster than the client', async () => {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...env, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) };
    const request = new Request(`https://latchkey.test${REGION}/export`, {
      headers: { 'X-Auth-Token': organization.secret_key },
    });
    const response = await worker.fetch(request, bindings, {} as never);
    expect(cost.trips).toBe(1);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(cost.trips).toBeLessThan(3);
  });

  it('rejects every method that could change it', async () => {
    for (const path of [REGION, ORGANIZATION, `${REGION}/1`, `${ORGANIZATION}/1`]) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const response = await call(method, path, { token: owner.secret_key, body: {} });
        expect([404, 405], `${method} ${path}`).toContain(response.status);
      }
    }
  });
});

describe('read access to the audit trail', () => {
  const member = async () => {
    const owner = await newOwner();
    const run = (sql: string, ...params: unknown[]) =>
      env.IDENTITY.prepare(sql)
        .bind(...params)
        .run();
    await run(`update memberships set role = 'member' where organization_id = ?`, owner.organization_id);
    return {
      owner,
      grant: async (set: string, projectIds: string[] | null) => {
        const id = crypto.randomUUID();
        await run(
          `insert into policies (id, organization_id, name, description, user_id, created_at, updated_at)
           select ?, organization_id, 'test', '', user_id, 0, 0 from memberships where organization_id = ?`,
          id,
          owner.organization_id,
        );
        await run(
          'insert into rules (id, policy_id, position, permission_sets, project_ids) values (?, ?, 0, ?, ?)',
          crypto.randomUUID(),
          id,
          JSON.stringify([set]),
          projectIds && JSON.stringify(projectIds),
        );
      },
    };
  };

  it('is granted by a rule for the whole organization', async () => {
    const { owner, grant } = await member();
    const statuses = async () => {
      const paths = [REGION, `${REGION}/export`, ORGANIZATION, `${ORGANIZATION}/export`];
      return Promise.all(paths.map(async (path) => (await list(owner, path)).status));
    };
    await grant('IAMManager', null);
    await grant('AuditTrailReadOnly', [owner.project_id]);
    expect(await statuses()).toEqual([403, 403, 403, 403]);
    await grant('AuditTrailReadOnly', null);
    expect(await statuses()).toEqual([200, 200, 200, 200]);
  });

  it('is denied to every other organization (tenant isolation)', async () => {
    const [one, other] = [await newOwner(), await newOwner()];
    await clientOf(one, 'fr-par').post('/nats-accounts', { project_id: one.project_id, name: 'hidden' });
    for (const path of [REGION, `${REGION}/export`, ORGANIZATION, `${ORGANIZATION}/export`]) {
      for (const organization of [one.organization_id, crypto.randomUUID()]) {
        const response = await list(other, `${path}?organization_id=${organization}`);
        expect([response.status, response.body.details]).toEqual([
          403,
          [{ resource: 'audit_trail', action: 'read' }],
        ]);
      }
      expect((await list(other, path)).text).not.toContain(one.organization_id);
    }
  });

  it('requires an organization ID when the user belongs to several', async () => {
    const [one, other] = [await newOwner(), await newOwner()];
    await env.IDENTITY.prepare(
      `insert into memberships (user_id, organization_id, role, created_at, joined_at)
       select user_id, ?, 'owner', 0, 0 from memberships where organization_id = ?`,
    )
      .bind(other.organization_id, one.organization_id)
      .run();
    const signedIn = await call('POST', '/auth/sign-in/email', {
      body: { email: one.email, password: one.password },
      headers: { Origin: 'https://latchkey.test' },
    });
    const Cookie = signedIn.headers.get('Set-Cookie')?.split(';')[0] ?? '';
    const response = await call('GET', ORGANIZATION, { headers: { Cookie } });
    expect([response.status, response.body.details[0].argument_name]).toEqual([400, 'organization_id']);
    const chosen = `${ORGANIZATION}?organization_id=${other.organization_id}`;
    expect((await call('GET', chosen, { headers: { Cookie } })).body.events).toHaveLength(1);
  });
});

describe('a page of the audit trail', () => {
  it('costs one round trip, and the same number of rows in a long trail as in a short one', async () => {
    const owner = await newOwner();
    const costs = async () => {
      const found: Record<string, Cost> = {};
      const time = new Date(1_000_050).toISOString();
      for (const query of [
        'page_size=50',
        'order_by=recorded_at_asc',
        `recorded_after=${time}`,
        `recorded_before=${time}&order_by=recorded_at_desc`,
        'principal_id=actor%203&page_size=5',
        'resource_id=thing%203&page_size=1',
        `principal_id=actor%203&recorded_before=${time}&page_size=5`,
        'resource_id=thing%203&principal_id=actor%203&page_size=1',
      ]) {
        const cost: Cost = { trips: 0, rowsRead: 0 };
        const bindings = { ...env, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) };
        expect((await list(owner, `${REGION}?${query}`, bindings)).status).toBe(200);
        found[query] = cost;
      }
      return found;
    };
    await insertEvents(owner.organization_id, 300);
    const small = await costs();
    await insertEvents(owner.organization_id, 10_000, 2_000_000);
    expect(await costs()).toEqual(small);
    for (const [query, { trips, rowsRead }] of Object.entries(small)) {
      expect(trips).toBe(1);
      expect(rowsRead, query).toBeLessThanOrEqual(110);
    }
  });
});

describe('an audit row', () => {
  const ends = async (retention_days: number) => {
    // IDs grow with time: rows of other tests must not sort before older ones.
    await databaseOf('fr-par').prepare('delete from audit_events').run();
    const owner = await newOwner();
    const old = Date.now() - 31 * 24 * 3600 * 1000;
    await insertEvents(owner.organization_id, 1200, old);
    await insertEvents(owner.organization_id, 3, Date.now() - 1000);
    await env.IDENTITY.prepare('update audit_events set at = ? where organization_id = ?')
      .bind(old, owner.organization_id)
      .run();
    const bindings = { ...env, AUDIT: { retention_days } };
    await worker.scheduled({} as never, bindings, {} as never);
    const left = await rows(
      'fr-par',
      'select 1 from audit_events where organization_id = ?',
      owner.organization_id,
    );
    return [left.length, (await list(owner, ORGANIZATION)).body.events.length];
  };

  it('is deleted from every database after the retention period, not before', async () => {
    expect(await ends(32)).toEqual([1203, 1]);
    expect(await ends(0)).toEqual([1203, 1]);
    expect(await ends(30)).toEqual([3, 0]);
  });

  it('is kept for one year by default', () => {
    expect(configOf(env).audit.retention_days).toBe(365);
  });
});
