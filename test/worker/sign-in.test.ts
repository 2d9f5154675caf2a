/**
 * Changing and resetting passwords, and listing and revoking sessions: revoked access is rejected on the next
 * request.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { rejectingAudit } from './failing.ts';
import { call, cookieOf, identityRows, newOwner, postAuth, signIn, withCookie } from './harness.ts';
import { atBrowser, auditTrail, envWithEmail, invite, join, newMember, newPassword } from './people.ts';

const JWTS = '/iam/v1alpha1/jwts';
const PROJECTS = '/account/v3/projects';

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

/** Runs `work` and returns the emails that it prints. */
async function emailsDuring(work: () => Promise<unknown>, wanted: number): Promise<string[]> {
  const mails: string[] = [];
  const printed = vi.spyOn(console, 'log').mockImplementation((text: string) => void mails.push(text));
  try {
    await work();
    await vi.waitFor(() => expect(mails.length).toBeGreaterThanOrEqual(wanted), 10_000);
    // Wait for emails that should not be sent.
    if (wanted === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  } finally {
    printed.mockRestore();
  }
  return mails;
}

const requestReset = (email: string) => postAuth('/request-password-reset', { email }, { env: envWithEmail });

async function resetTokenOf(email: string): Promise<string> {
  const [mail = ''] = await emailsDuring(() => requestReset(email), 1);
  return /\/reset-password\/#(\S+)/.exec(mail)?.[1] ?? '';
}

const tries = async (email: string, password: string) =>
  (await postAuth('/sign-in/email', { email, password })).status;

describe('a password', () => {
  it('is changed with the old password, which ends every other session', async () => {
    const { id, browser } = await atBrowser(owner);
    const other = await signIn(owner.email, owner.password);
    const wanted = newPassword();
    const wrong = { currentPassword: 'not the password', newPassword: wanted };
    expect((await browser.post('/auth/change-password', wrong)).status).toBe(400);
    const body = { currentPassword: owner.password, newPassword: wanted };
    expect((await browser.post('/auth/change-password', { ...body, newPassword: 'too short' })).status).toBe(
      400,
    );
    const changed = await browser.post('/auth/change-password', { ...body, revokeOtherSessions: false });
    expect([changed.status, changed.body]).toEqual([200, { status: true }]);
    expect((await other.get(PROJECTS)).status).toBe(401);
    expect((await withCookie(cookieOf(changed.headers)).get(PROJECTS)).status).toBe(200);
    expect([await tries(owner.email, owner.password), await tries(owner.email, wanted)]).toEqual([401, 200]);
    expect(await auditTrail(owner)).toContain(`update passwords ${id}`);
  });

  it('is changed from our pages only (same origin), and not without a session', async () => {
    const { browser } = await atBrowser(owner);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const foreign = { headers: { Origin: 'https://evil.test' } };
    expect((await browser.post('/auth/change-password', body, foreign)).status).toBe(403);
    expect((await postAuth('/change-password', body)).status).toBe(401);
  });

  it('is reset by an emailed link, once, which ends every session', async () => {
    const { id, browser } = await atBrowser(owner);
    const other = await newOwner();
    await join(other, owner, browser);
    const token = await resetTokenOf(owner.email);
    const unused = await resetTokenOf(owner.email);
    const stored = JSON.stringify(await identityRows('select * from verifications'));
    expect(token.length).toBeGreaterThan(20);
    expect(stored).not.toContain(token);
    const wanted = newPassword();
    expect((await postAuth('/reset-password', { token, newPassword: 'too short' })).status).toBe(400);
    expect((await postAuth('/reset-password', { token, newPassword: wanted })).status).toBe(200);
    expect((await browser.get(PROJECTS)).status).toBe(401);
    expect([await tries(owner.email, owner.password), await tries(owner.email, wanted)]).toEqual([401, 200]);
    for (const used of [token, unused]) {
      const again = await postAuth('/reset-password', { token: used, newPassword: newPassword() });
      expect([again.status, again.body.precondition]).toEqual([412, 'unknown_precondition']);
    }
    for (const organization of [owner, other]) {
      expect(await auditTrail(organization)).toContain(`update passwords ${id}`);
    }
  });

  it('cannot be reset with a token in the URL', async () => {
    const token = await resetTokenOf(owner.email);
    const response = await postAuth(`/reset-password?token=${token}`, { newPassword: newPassword() });
    expect(response.status).toBe(400);
    expect(await tries(owner.email, owner.password)).toBe(200);
  });

  it('reset for an unknown email sends nothing and gets the same response', async () => {
    const invited = `${crypto.randomUUID()}@example.com`;
    await invite(owner, invited);
    const responses: string[] = [];
    const ask = async () => {
      for (const email of [invited, `${crypto.randomUUID()}@example.com`]) {
        responses.push((await requestReset(email)).text);
      }
    };
    expect(await emailsDuring(ask, 0)).toEqual([]);
    await emailsDuring(async () => responses.push((await requestReset(owner.email)).text), 1);
    expect(new Set(responses).size).toBe(1);
  });

  it('cannot be reset when email is disabled, and the response reports that', async () => {
    for (const email of [owner.email, 'nobody@example.com']) {
      const response = await postAuth('/request-password-reset', { email });
      expect([response.status, response.body.precondition]).toEqual([412, 'unknown_precondition']);
    }
  });
});

/** Every row of every table of the identity database. */
async function everything(): Promise<unknown> {
  const tables = await identityRows<{ name: string }>(
    "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\' and name not like 'sqlite%'",
  );
  return Promise.all(tables.map(({ name }) => identityRows(`select * from "${name}" order by 1`)));
}

describe('rollback when the audit row cannot be written', () => {
  const options = { env: { ...env, IDENTITY: rejectingAudit(env.IDENTITY) } };

  it('covers a change of password', async () => {
    const { browser } = await atBrowser(owner);
    const before = await everything();
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    expect((await browser.post('/auth/change-password', body, options)).status).toBe(500);
    expect(await everything()).toEqual(before);
    expect((await browser.post('/auth/change-password', body)).status).toBe(200);
  });

  it('covers a reset, and its link stays valid', async () => {
    const token = await resetTokenOf(owner.email);
    const before = await everything();
    const body = { token, newPassword: newPassword() };
    expect((await postAuth('/reset-password', body, options)).status).toBe(500);
    expect(await everything()).toEqual(before);
    expect((await postAuth('/reset-password', body)).status).toBe(200);
  });

  it('covers the revocation of a session', async () => {
    const { browser } = await atBrowser(owner);
    const [{ jti }] = (await browser.get(JWTS)).body.jwts as [{ jti: string }];
    const before = await everything();
    expect((await browser.delete(`${JWTS}/${jti}`, options)).status).toBe(500);
    expect(await everything()).toEqual(before);
  });
});

describe('sessions', () => {
  it('are listed without their tokens, and the current one is marked', async () => {
    const { id, browser } = await atBrowser(owner);
    const postAgent = { headers: { 'User-Agent': 'Netscape', 'CF-Connecting-IP': '192.0.2.7' } };
    await postAuth('/sign-in/email', { email: owner.email, password: owner.password }, postAgent);
    const response = await browser.get(`${JWTS}?audience_id=${id}&order_by=created_at_desc`);
    expect(response.body.total_count).toBe(2);
    expect(response.body.jwts[0]).toMatchObject({
      audience_id: id,
      user_agent: 'Netscape',
      ip: '192.0.2.7',
      current: false,
    });
    expect(response.body.jwts[1]).toMatchObject({ current: true });
    const tokens = await identityRows<{ token: string }>('select token from sessions where user_id = ?', id);
    for (const { token } of tokens) expect(response.text).not.toContain(token);
  });

  it('are revoked one by one, from the next request on', async () => {
    const { browser } = await atBrowser(owner);
    const other = await signIn(owner.email, owner.password);
    const jwts = (await browser.get(JWTS)).body.jwts as { jti: string; current: boolean }[];
    const target = jwts.find(({ current }) => !current)?.jti ?? '';
    expect((await browser.delete(`${JWTS}/${target}`)).status).toBe(204);
    const replayed = await other.get(PROJECTS);
    expect([replayed.status, replayed.body.reason]).toEqual([401, 'not_found']);
    expect((await browser.get(PROJECTS)).status).toBe(200);
    expect((await browser.delete(`${JWTS}/${target}`)).status).toBe(404);
    expect(await auditTrail(owner)).toContain(`revoke sessions ${target}`);
  });

  it('of other users look missing, even to an Owner', async () => {
    const member = await newMember(owner);
    const theirs = await signIn(member.email, member.password);
    const [{ jti }] = (await theirs.get(JWTS)).body.jwts as [{ jti: string }];
    const { browser } = await atBrowser(owner);
    expect((await browser.get(`${JWTS}?audience_id=${member.id}`)).status).toBe(403);
    expect((await browser.delete(`${JWTS}/${jti}`)).status).toBe(404);
    expect((await theirs.get(JWTS)).status).toBe(200);
  });

  it('that have expired are not listed and not valid', async () => {
    const { id, browser } = await atBrowser(owner);
    const other = await signIn(owner.email, owner.password);
    await env.IDENTITY.prepare(
      'update sessions set expires_at = ? where user_id = ? and rowid = (select max(rowid) from sessions where user_id = ?)',
    )
      .bind(Date.now() - 1, id, id)
      .run();
    expect((await browser.get(JWTS)).body.total_count).toBe(1);
    expect((await other.get(PROJECTS)).body.reason).toBe('expired');
  });

  it('can be neither listed nor revoked with an API key, even of the same user', async () => {
    const { browser } = await atBrowser(owner);
    const [{ jti }] = (await browser.get(JWTS)).body.jwts as [{ jti: string }];
    for (const [method, path] of [
      ['GET', JWTS],
      ['DELETE', `${JWTS}/${jti}`],
    ] as const) {
      const response = await call(method, path, { token: owner.secret_key });
      expect([response.status, response.body.details[0].resource]).toEqual([403, 'jwt']);
    }
    expect((await browser.get(JWTS)).body.total_count).toBe(1);
  });
});
