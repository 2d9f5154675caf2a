/** Guests: who tries the product without an account, and what readers say of pages without one. */
import { describe, expect, it } from 'vitest';
import { env } from './env.ts';
import { call, newOwner, ORIGIN } from './harness.ts';

const allowing = { ...env, GUESTS: { enabled: true, minutes: 30, most: 3 } };
let address = 0;

/** Lets a guest in, from an address of their own. */
const enter = (bindings: typeof env = allowing, headers: Record<string, string> = { Origin: ORIGIN }) =>
  call('POST', '/auth/guest', {
    env: bindings,
    headers: { 'CF-Connecting-IP': `192.0.2.${++address}`, ...headers },
  });

const cookieOf = (headers: Headers) => headers.get('Set-Cookie')?.split(';')[0] ?? '';

describe('a guest', () => {
  it('is not let in unless the operator allows it', async () => {
    expect((await call('GET', '/auth/guest')).body).toEqual({ enabled: false, minutes: 30 });
    expect((await enter(env)).status).toBe(404);
    expect((await call('GET', '/auth/guest', { env: allowing })).body.enabled).toBe(true);
  });

  it('gets a project of their own and can do there what the products are for, and nothing else', async () => {
    const entered = await enter();
    expect(entered.status).toBe(200);
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Max-Age=1800']) {
      expect(entered.headers.get('Set-Cookie')).toContain(attribute);
    }
    const headers = { Cookie: cookieOf(entered.headers), Origin: ORIGIN };
    const { project_id } = entered.body;
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

  it('has a session that ends with the sandbox', async () => {
    const entered = await enter();
    const headers = { Cookie: cookieOf(entered.headers) };
    expect((await call('GET', '/account/v3/projects', { headers })).status).toBe(200);
    const { organization_id } = entered.body;
    await env.IDENTITY.prepare(
      'update sessions set expires_at = ?1 where user_id in (select user_id from memberships where organization_id = ?2)',
    )
      .bind(Date.now() - 1, organization_id)
      .run();
    const answer = await call('GET', '/account/v3/projects', { headers });
    expect([answer.status, answer.body.reason]).toEqual([401, 'expired']);
  });

  it('must come from a page of ours', async () => {
    for (const headers of [{}, { Origin: 'https://evil.test' }] as Record<string, string>[]) {
      expect((await enter(allowing, headers)).status).toBe(403);
    }
  });

  it('is not let in where there are as many as there may be, and nothing is left of the attempt', async () => {
    const attempts = await Promise.all(Array.from({ length: 6 }, () => enter()));
    const admitted = attempts.filter(({ status }) => status === 200);
    expect(attempts.filter(({ status }) => status === 429)).toHaveLength(6 - admitted.length);
    const { results } = await env.IDENTITY.prepare(
      `select (select count(*) from organizations where expires_at is not null) as organizations,
         (select count(*) from users where email like 'guest-%') as users`,
    ).all();
    expect(results).toEqual([{ organizations: 3, users: 3 }]);
  });

  it('is refused when one address asks too often', async () => {
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

describe('what readers say of a page', () => {
  it('is kept, and read by the Owners of the first organization only', async () => {
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
    const foreign = { ...headers, Origin: 'https://evil.test' };
    expect((await call('POST', '/feedback', { headers: foreign, body: said })).status).toBe(403);
    expect((await call('POST', '/feedback', { headers, body: { page: 'x', helpful: true } })).status).toBe(
      400,
    );
  });
});
