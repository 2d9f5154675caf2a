/** Guest sessions, and feedback from readers without an account. */
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { MAX_FEEDBACK } from '../../db/identity/feedback.ts';
import { deleteGuest } from '../../db/identity/guests.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import worker from '../../functions/index.ts';
import { systemAuditContext } from '../../functions/shared/write-context.ts';
import { env } from './env.ts';
import { everything } from './everything.ts';
import { failing } from './fault.ts';
import { call, cookieOf, identityRows, newOwner, ORIGIN, rows, withCookie } from './harness.ts';
import { atBrowser } from './people.ts';

const guestsEnabled = { ...env, GUESTS: { enabled: true, minutes: 30, most: 3 } };
let address = 0;

/** Starts a guest session, from a unique address. */
const startGuest = (
  bindings: typeof env = guestsEnabled,
  headers: Record<string, string> = { Origin: ORIGIN },
) =>
  call('POST', '/auth/guest', {
    env: bindings,
    headers: { 'CF-Connecting-IP': `192.0.2.${++address}`, ...headers },
  });

describe('a guest', () => {
  it('cannot sign in unless the operator enables guests', async () => {
    expect((await call('GET', '/auth/guest')).body).toEqual({ enabled: false, minutes: 30 });
    expect((await startGuest(env)).status).toBe(404);
    expect((await call('GET', '/auth/guest', { env: guestsEnabled })).body.enabled).toBe(true);
  });

  it('gets a project with permissions for the products only', async () => {
    const guest = await startGuest();
    expect(guest.status).toBe(200);
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Max-Age=1800']) {
      expect(guest.headers.get('Set-Cookie')).toContain(attribute);
    }
    const headers = { Cookie: cookieOf(guest.headers), Origin: ORIGIN };
    const { project_id } = guest.body;
    const projects = (await call('GET', '/account/v3/projects', { headers })).body;
    expect(projects.total_count).toBe(1);
    expect(projects.projects).toMatchObject([{ id: project_id, name: 'sandbox' }]);
    const at = '/mnq/v1beta1/regions/fr-par';
    const account = await call('POST', `${at}/nats-accounts`, { headers, body: { project_id } });
    expect(account.status).toBe(200);
    const creds = await call('POST', `${at}/nats-credentials`, {
      headers,
      body: { nats_account_id: account.body.id },
    });
    expect(creds.status).toBe(200);
    expect((await call('GET', '/feedback', { headers })).status).toBe(403);
  });

  it('has a session that expires with the sandbox', async () => {
    const guest = await startGuest();
    const headers = { Cookie: cookieOf(guest.headers) };
    expect((await call('GET', '/account/v3/projects', { headers })).status).toBe(200);
    const { organization_id } = guest.body;
    await env.IDENTITY.prepare(
      'update sessions set expires_at = ?1 where user_id in (select user_id from memberships where organization_id = ?2)',
    )
      .bind(Date.now() - 1, organization_id)
      .run();
    const response = await call('GET', '/account/v3/projects', { headers });
    expect([response.status, response.body.reason]).toEqual([401, 'expired']);
  });

  it('can start a session from our pages only (same origin)', async () => {
    for (const headers of [{}, { Origin: 'https://evil.test' }] as Record<string, string>[]) {
      expect((await startGuest(guestsEnabled, headers)).status).toBe(403);
    }
  });

  it('is rejected when the maximum number of guests is reached, and the attempt leaves no rows', async () => {
    const attempts = await Promise.all(Array.from({ length: 6 }, () => startGuest()));
    const admitted = attempts.filter(({ status }) => status === 200);
    expect(attempts.filter(({ status }) => status === 429)).toHaveLength(6 - admitted.length);
    const { results } = await env.IDENTITY.prepare(
      `select (select count(*) from organizations where expires_at is not null) as organizations,
         (select count(*) from users where email like 'guest-%') as users`,
    ).all();
    expect(results).toEqual([{ organizations: 3, users: 3 }]);
  });

  it('is rate limited by IP address', async () => {
    const headers = { Origin: ORIGIN, 'CF-Connecting-IP': '198.51.100.1' };
    const statuses = [];
    for (let i = 0; i < 12; i++) {
      statuses.push(
        (await call('POST', '/feedback', { headers, body: { page: '/', helpful: true } })).status,
      );
    }
    expect([statuses.at(0), statuses.at(-1)]).toEqual([204, 429]);
  });
});

describe('an expired guest', () => {
  const at = (region: string) => `/mnq/v1beta1/regions/${region}`;

  /** A guest with one of each resource in a region. */
  async function busyGuest(region: string) {
    const guest = await startGuest({ ...env, GUESTS: { enabled: true, most: 10_000 } });
    const browser = withCookie(cookieOf(guest.headers));
    const { project_id, organization_id } = guest.body;
    const account = await browser.post(`${at(region)}/nats-accounts`, { project_id, name: 'Trial' });
    await browser.post(`${at(region)}/nats-credentials`, {
      nats_account_id: account.body.id,
      name: 'orders',
    });
    for (const product of ['sqs', 'sns']) {
      await browser.post(`${at(region)}/activate-${product}`, { project_id });
      const permissions = { can_publish: true };
      const made = await browser.post(`${at(region)}/${product}-credentials`, { project_id, permissions });
      expect(made.status).toBe(200);
    }
    return { browser, project: project_id as string, organization: organization_id as string };
  }

  const endedAt = (organization: string, time: number) =>
    env.IDENTITY.batch(
      [
        'update organizations set expires_at = ?1 where id = ?2',
        'update sessions set expires_at = ?1 where user_id in (select user_id from memberships where organization_id = ?2)',
      ].map((statement) => env.IDENTITY.prepare(statement).bind(time, organization)),
    );

  const held = (region: string, project: string) =>
    rows(
      region,
      `select (select count(*) from credentials where project_id = ?1) as credentials,
         (select count(*) from nats_accounts where project_id = ?1 and deleted_at is null) as accounts,
         (select count(*) from services where project_id = ?1 and status = 'enabled') as services,
         (select coalesce(sum(value), 0) from counts where scope = ?1) as counts`,
      project,
    );
  const NOTHING = [{ credentials: 0, accounts: 0, services: 0, counts: 0 }];
  const schedule = (bindings = env) => worker.scheduled({} as never, bindings, {} as never);

  it('is deleted with all resources, and the audit trail remains', async () => {
    const { project, organization } = await busyGuest('fr-par');
    const staying = await busyGuest('fr-par');
    expect(await held('fr-par', project)).not.toEqual(NOTHING);
    await endedAt(organization, Date.now() - 120_000);
    await schedule();
    expect(await held('fr-par', project)).toEqual(NOTHING);
    const [{ names } = { names: '' }] = await rows<{ names: string }>(
      'fr-par',
      'select group_concat(name) as names from nats_accounts where project_id = ?',
      project,
    );
    expect(names).toBe('');
    const trail = await rows<{ action: string; resource: string; actor_type: string }>(
      'fr-par',
      'select action, resource, actor_type from audit_events where project_id = ? order by id',
      project,
    );
    const byTheSystem = trail.filter(({ actor_type }) => actor_type === 'system');
    expect(byTheSystem.map(({ action, resource }) => `${action} ${resource}`).sort()).toEqual([
      'deactivate sns',
      'deactivate sqs',
      'delete nats_accounts',
      'revoke nats_credentials',
      'revoke sns_credentials',
      'revoke sqs_credentials',
    ]);
    for (const table of ['organizations', 'projects'])
      expect(await identityRows(`select 1 from ${table} where id in (?, ?)`, organization, project)).toEqual(
        [],
      );
    const auditQuery = 'select action, resource from audit_events where organization_id = ? order by id';
    expect(await identityRows(auditQuery, organization)).toEqual([
      { action: 'create', resource: 'organizations' },
      { action: 'delete', resource: 'organizations' },
    ]);
    expect((await staying.browser.get('/account/v3/projects')).body.total_count).toBe(1);
    expect(await held('fr-par', staying.project)).not.toEqual(NOTHING);
  });

  it('is rejected immediately, before the schedule runs', async () => {
    const { browser, organization } = await busyGuest('nl-ams');
    // The organization's expiry applies, regardless of the session's.
    await env.IDENTITY.prepare('update organizations set expires_at = ? where id = ?')
      .bind(Date.now() - 1, organization)
      .run();
    const response = await browser.get('/account/v3/projects');
    expect([response.status, response.body.reason]).toEqual([401, 'expired']);
  });

  it('keeps its organization for a minute after expiry, for requests in flight', async () => {
    const { project, organization } = await busyGuest('nl-ams');
    await endedAt(organization, Date.now() - 1);
    await schedule();
    expect(await held('nl-ams', project)).toEqual(NOTHING);
    expect(await identityRows('select 1 from organizations where id = ?', organization)).toHaveLength(1);
  });

  it('waits for an unreachable region, without delaying the deletion of other guests', async () => {
    const [here, there] = [await busyGuest('fr-par'), await busyGuest('nl-ams')];
    for (const { organization } of [here, there]) await endedAt(organization, Date.now() - 120_000);
    const down = { ...env, REGION_FR_PAR: failing(env.REGION_FR_PAR, /./) };
    await expect(schedule(down)).rejects.toThrow('Scheduled jobs failed');
    expect(await held('nl-ams', there.project)).toEqual(NOTHING);
    expect(await held('fr-par', here.project)).not.toEqual(NOTHING);
    await schedule();
    expect(await held('fr-par', here.project)).toEqual(NOTHING);
  });

  it('cannot extend the session by using it', async () => {
    const { browser, organization } = await busyGuest('nl-ams');
    const ends = () =>
      identityRows<{ expires_at: number }>(
        'select expires_at from sessions where user_id in (select user_id from memberships where organization_id = ?)',
        organization,
      );
    const before = await ends();
    expect((await browser.get('/auth/get-session')).body.session.expiresAt).toBe(
      new Date(before[0]?.expires_at ?? 0).toISOString(),
    );
    await browser.post('/auth/change-password', { currentPassword: 'x', newPassword: crypto.randomUUID() });
    expect(await ends()).toEqual(before);
  });
});

it('deleting a guest changes nothing for an organization that is not a guest’s or whose expiry was extended', async () => {
  const owner = await newOwner();
  const guest = await startGuest({ ...env, GUESTS: { enabled: true, most: 10_000 } });
  const before = await everything();
  const db = openDatabase(env.IDENTITY);
  for (const id of [owner.organization_id, guest.body.organization_id as string]) {
    await deleteGuest(db, systemAuditContext(), id);
  }
  expect(await everything()).toEqual(before);
});

it('a guest’s quotas are enforced and listed', async () => {
  const quotas = { nats_accounts: 1, credentials: 2 };
  const bindings = { ...env, GUESTS: { enabled: true, most: 10_000, quotas } };
  const guest = await startGuest(bindings as unknown as typeof env);
  const browser = withCookie(cookieOf(guest.headers));
  const { project_id } = guest.body;
  const post = (path: string, body: object) =>
    browser.post(`/mnq/v1beta1/regions/fr-par${path}`, body, { env: bindings });
  const account = await post('/nats-accounts', { project_id });
  const another = await post('/nats-accounts', { project_id });
  expect([another.status, another.body.details[0].quota]).toEqual([403, 1]);
  const creds = { nats_account_id: account.body.id };
  const made = [await post('/nats-credentials', creds), await post('/nats-credentials', creds)];
  expect(made.map(({ status }) => status)).toEqual([200, 200]);
  expect((await post('/nats-credentials', creds)).body.type).toBe('quotas_exceeded');
});

describe('page feedback', () => {
  const elsewhere = () => ({ Origin: ORIGIN, 'CF-Connecting-IP': `198.51.100.${++address}` });

  it('deletes the oldest entries to make room for new ones', async () => {
    const say = (remark: string) =>
      call('POST', '/feedback', { headers: elsewhere(), body: { page: '/', helpful: true, remark } });
    await say('the oldest');
    await identityRows(
      "insert into page_feedback (id, at, page, helpful, remark) select max(id) + ?, 1, '/', 1, 'the last but one' from page_feedback",
      MAX_FEEDBACK - 1,
    );
    const kept = async () =>
      (await identityRows<{ remark: string }>('select remark from page_feedback order by id')).map(
        ({ remark }) => remark,
      );
    expect(await kept()).toContain('the oldest');
    await say('the newest');
    expect(await kept()).toEqual(['the last but one', 'the newest']);
  });

  it('is stored, and only Owners of the first organization can read it', async () => {
    const other = await newOwner();
    const first = await newOwner();
    await env.IDENTITY.prepare('update organizations set created_at = 1 where id = ?')
      .bind(first.organization_id)
      .run();
    const said = { page: '/how-to/create-credentials/', helpful: false, remark: 'Where is the region?' };
    const headers = { Origin: ORIGIN, 'CF-Connecting-IP': '198.51.100.2' };
    expect((await call('POST', '/feedback', { headers, body: said })).status).toBe(204);
    const read = await call('GET', '/feedback', { token: first.secret_key });
    expect(read.body.feedback).toMatchObject([said, ...Array.from(read.body.feedback).slice(1)]);
    expect((await call('GET', '/feedback', { token: other.secret_key })).status).toBe(403);
    // The site shows the page's link to those who can read it.
    const operatorOf = async (owner: Owner) =>
      (await (await atBrowser(owner)).browser.get('/auth/get-session')).body.user.operator;
    expect([await operatorOf(first), await operatorOf(other)]).toEqual([true, undefined]);
    const foreign = { ...headers, Origin: 'https://evil.test' };
    expect((await call('POST', '/feedback', { headers: foreign, body: said })).status).toBe(403);
    for (const page of ['x', '//ai/', '/a//b/', '/\\ai/', '/a b/', '']) {
      const refused = await call('POST', '/feedback', {
        headers: elsewhere(),
        body: { page, helpful: true },
      });
      expect([page, refused.status]).toEqual([page, 400]);
    }
    for (const page of ['/', '/concepts/', '/how-to/create-credentials/', '/openapi']) {
      const taken = await call('POST', '/feedback', { headers: elsewhere(), body: { page, helpful: true } });
      expect([page, taken.status]).toEqual([page, 204]);
    }
  });
});
