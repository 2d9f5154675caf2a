/** Sessions: sign-in by password and by link, renewal on use, and sign-out. */
import crypto from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { newSignInLink } from '../../functions/iam/sign-in/sign-in-links.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { everything } from './everything.ts';
import { gated } from './fault.ts';
import { call, cookieOf, identityRows, newOwner, ORIGIN, postAuth, withCookie } from './harness.ts';
import {
  atBrowser,
  emailsDuring,
  envWithEmail,
  invite,
  newEmail,
  newPassword,
  SITE_URL,
  tokenOf,
} from './people.ts';
import * as fixture from './sessions-fixture.ts';

const PRINCIPAL = '/iam/v1alpha1/principal';
const DAY_MS = 24 * 3600 * 1000;
const WEEK_MS = 7 * DAY_MS;

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

afterEach(() => void vi.useRealTimers());

/** Sets the clock for the rest of the test. */
const at = (now: number) => void vi.useFakeTimers({ toFake: ['Date'], now });

describe('after an upgrade from an earlier version,', () => {
  const bindings = { ...env, SIGN_IN_SECRET: fixture.SIGN_IN_SECRET };

  beforeEach(async () => {
    // The fixture's sessions expire a week after this time.
    at(1795817600000);
    await env.IDENTITY.batch(
      fixture.ROWS.map(([table, row]) =>
        env.IDENTITY.prepare(
          `insert or ignore into ${table} (${Object.keys(row).join()}) values (${Object.keys(row).map(() => '?')})`,
        ).bind(...Object.values(row)),
      ),
    );
  });

  it.each(Object.entries(fixture.COOKIES))('existing sessions still work at %s', async (origin, Cookie) => {
    const get = (path: string) => call('GET', origin + path, { headers: { Cookie }, env: bindings });
    expect((await get(PRINCIPAL)).body).toMatchObject({ email: fixture.EMAIL });
    expect((await get('/auth/get-session')).body.user).toMatchObject({ email: fixture.EMAIL });
    const headers = { Cookie, Origin: origin };
    const out = await call('POST', `${origin}/auth/sign-out`, { body: {}, headers, env: bindings });
    expect(out.status).toBe(200);
    expect((await get(PRINCIPAL)).status).toBe(401);
  });

  it('existing passwords still work, and new cookies have the same name, attributes and signature', async () => {
    const body = { email: fixture.EMAIL.toUpperCase(), password: fixture.PASSWORD };
    const response = await postAuth('/sign-in/email', body, { env: bindings });
    expect(response.status).toBe(200);
    const cookie = response.headers.get('Set-Cookie') ?? '';
    expect(cookie).toMatch(
      /^__Secure-latchkey\.session_token=[\w]{32,}\.[\w%]+%3D; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const headers = { Cookie: cookieOf(response.headers) };
    expect((await call('GET', PRINCIPAL, { headers, env: bindings })).status).toBe(200);
    expect((await call('GET', PRINCIPAL, { headers })).status).toBe(401);
  });
});

describe('signing in with a password', () => {
  it('costs one lookup and one write', async () => {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...env, IDENTITY: counted(env.IDENTITY, cost) };
    expect((await postAuth('/sign-in/email', owner, { env: bindings })).status).toBe(200);
    expect(cost).toEqual({ trips: 2, rowsRead: expect.any(Number), rowsWritten: expect.any(Number) });
    expect(cost.rowsRead).toBeLessThanOrEqual(4);
  });

  it('computes the same scrypt hash and returns the same error for an unknown, invited or existing email', async () => {
    const invited = newEmail();
    await invite(owner, invited);
    const existing = newEmail();
    const token = tokenOf((await invite(owner, existing)).body.invitation_url);
    const account = { token, name: 'New', password: newPassword() };
    expect((await postAuth('/accept-invitation', account)).status).toBe(200);
    const scrypt = vi.spyOn(crypto, 'scrypt');
    onTestFinished(() => scrypt.mockRestore());
    const responses = [];
    for (const email of [newEmail(), invited, existing]) {
      scrypt.mockClear();
      const { status, text } = await postAuth('/sign-in/email', { email, password: 'a wrong guess' });
      const costs = scrypt.mock.calls.map(([, salt, length, cost]) => [
        (salt as Uint8Array).length,
        length,
        cost,
      ]);
      responses.push({ status, text, costs });
    }
    expect(responses[0]).toMatchObject({ status: 401, costs: [[16, 32, { N: 2 ** 14, r: 8, p: 5 }]] });
    expect(responses).toEqual([responses[0], responses[0], responses[0]]);
  });

  it('returns no token in the response body', async () => {
    const response = await postAuth('/sign-in/email', owner);
    expect(response.body).toEqual({ user: { name: owner.email, email: owner.email } });
    const browser = withCookie(cookieOf(response.headers));
    const [session] = await identityRows<{ token: string }>(
      'select token from sessions order by rowid desc limit 1',
    );
    expect(session?.token.length).toBeGreaterThan(30);
    expect((await browser.get('/auth/get-session')).text).not.toContain(session?.token);
  });

  it('rejects an invalid body', async () => {
    for (const body of ['{', {}, { email: owner.email }, { email: 'x', password: 'y' }]) {
      expect((await postAuth('/sign-in/email', body)).status).toBe(400);
    }
  });
});

describe('a page of another site (CSRF)', () => {
  it.each([
    `${ORIGIN}.evil.test`,
    `${ORIGIN}:87870`,
    `${ORIGIN}/`,
    ORIGIN.replace('https', 'http'),
    ORIGIN.slice(0, -1),
    'null',
    '',
  ])('changes nothing from the origin %j', async (Origin) => {
    const { browser } = await atBrowser(owner);
    const options = { headers: { Origin } };
    for (const path of [
      '/auth/sign-in/email',
      '/auth/sign-in/link',
      '/auth/sign-out',
      '/account/v3/projects',
    ]) {
      const response = await browser.post(path, { ...owner, token: 'x', name: 'x' }, options);
      expect([path, response.status, response.body.details?.[0].resource]).toEqual([path, 403, 'origin']);
    }
    expect((await browser.get(PRINCIPAL)).status).toBe(200);
  });

  it('includes any page outside the configured origin, which is used behind a proxy', async () => {
    const bindings = { ...env, SITE: { url: SITE_URL } };
    const signIn = (Origin: string) =>
      postAuth('/sign-in/email', owner, { headers: { Origin }, env: bindings });
    expect((await signIn(SITE_URL)).status).toBe(200);
    expect((await signIn(ORIGIN)).status).toBe(200);
    expect((await signIn(`${SITE_URL}.evil.test`)).status).toBe(403);
  });
});

describe('using a session', () => {
  const expiry = async () =>
    (
      await identityRows<{ expires_at: number }>(
        'select expires_at from sessions order by rowid desc limit 1',
      )
    )[0]?.expires_at;

  it('extends it to a week, once a day', async () => {
    const start = Date.now();
    at(start);
    const { browser } = await atBrowser(owner);
    expect(await expiry()).toBe(start + WEEK_MS);
    at(start + DAY_MS - 1000);
    expect((await browser.get('/auth/get-session')).headers.get('Set-Cookie')).toBeNull();
    expect(await expiry()).toBe(start + WEEK_MS);
    at(start + DAY_MS + 1000);
    const response = await browser.get('/auth/get-session');
    expect(response.headers.get('Set-Cookie')).toContain('Max-Age=604800');
    expect(cookieOf(response.headers)).toBe(browser.cookie);
    expect(await expiry()).toBe(start + DAY_MS + 1000 + WEEK_MS);
    expect(response.body.session).toEqual({
      expiresAt: new Date(start + DAY_MS + 1000 + WEEK_MS).toISOString(),
    });
    expect((await browser.get('/auth/get-session')).headers.get('Set-Cookie')).toBeNull();
  });

  it('costs one lookup on most days', async () => {
    const { browser } = await atBrowser(owner);
    const cost: Cost = { trips: 0, rowsRead: 0 };
    await browser.get('/auth/get-session', { env: { ...env, IDENTITY: counted(env.IDENTITY, cost) } });
    expect(cost).toMatchObject({ trips: 1, rowsWritten: 0 });
  });

  it('never revives an expired session, or one that ends concurrently with its renewal (race)', async () => {
    const start = Date.now();
    at(start);
    const { browser } = await atBrowser(owner);
    for (const end of [
      () => identityRows('update sessions set expires_at = ?', start + DAY_MS),
      () => browser.post('/auth/sign-out'),
    ]) {
      await identityRows('update sessions set expires_at = ?', start + WEEK_MS);
      at(start + 2 * DAY_MS);
      const gate = gated(env.IDENTITY, /update sessions/);
      const prolonging = browser.get('/auth/get-session', { env: { ...env, IDENTITY: gate.database } });
      await gate.arrived;
      await end();
      gate.open();
      expect((await prolonging).headers.get('Set-Cookie')).toBeNull();
      expect((await browser.get(PRINCIPAL)).status).toBe(401);
    }

    at(start);
    const { browser: late } = await atBrowser(owner);
    at(start + WEEK_MS);
    const response = await late.get('/auth/get-session');
    expect([response.body, response.headers.get('Set-Cookie')]).toEqual([
      null,
      expect.stringContaining('Max-Age=0'),
    ]);
    expect(await expiry()).toBe(start + WEEK_MS);
  });

  it('clears an invalid cookie, and returns null without a session', async () => {
    const stranger = await call('GET', '/auth/get-session');
    expect([stranger.body, stranger.headers.get('Set-Cookie')]).toEqual([null, null]);
    const forged = `__Secure-latchkey.session_token=forged.${btoa('x'.repeat(32))}`;
    const response = await withCookie(forged).get('/auth/get-session');
    expect([response.body, response.headers.get('Set-Cookie')]).toEqual([
      null,
      expect.stringContaining('Max-Age=0'),
    ]);
  });
});

describe('a sign-in link', () => {
  /** Stores a link for the address and returns its token. */
  async function newLink(email: string, validForMs = 60_000): Promise<string> {
    const now = Date.now();
    const { token, statements } = await newSignInLink({ email, now, expiresAt: now + validForMs });
    await env.IDENTITY.batch(statements.map(({ sql, params }) => env.IDENTITY.prepare(sql).bind(...params)));
    return token;
  }

  it('signs in its person once, and is stored as a hash', async () => {
    const token = await newLink(owner.email.toUpperCase());
    expect(JSON.stringify(await identityRows('select * from verifications'))).not.toContain(token);
    const response = await postAuth('/sign-in/link', { token });
    expect([response.status, response.body]).toEqual([200, { success: true }]);
    expect((await withCookie(cookieOf(response.headers)).get(PRINCIPAL)).body.email).toBe(owner.email);
    const again = await postAuth('/sign-in/link', { token });
    expect([again.status, again.body.precondition, again.headers.get('Set-Cookie')]).toEqual([
      412,
      'unknown_precondition',
      null,
    ]);
  });

  it('signs in once when requests are concurrent (race)', async () => {
    const token = await newLink(owner.email);
    const tries = await Promise.all(Array.from({ length: 8 }, () => postAuth('/sign-in/link', { token })));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)]);
    expect(
      await identityRows(
        'select 1 from sessions where user_id in (select id from users where email = ?)',
        owner.email,
      ),
    ).toHaveLength(1);
  });

  it('does nothing after it has expired', async () => {
    const token = await newLink(owner.email, -1);
    const before = await everything();
    expect((await postAuth('/sign-in/link', { token })).status).toBe(412);
    expect(await everything()).toEqual(before);
  });

  it('is replaced by the next one, and is invalidated when the password changes', async () => {
    const [old, token] = [await newLink(owner.email), await newLink(owner.email)];
    expect((await postAuth('/sign-in/link', { token: old })).status).toBe(412);
    const { browser } = await atBrowser(owner);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    expect((await browser.post('/auth/change-password', body)).status).toBe(200);
    expect((await postAuth('/sign-in/link', { token })).status).toBe(412);
  });

  it('is not created for an unknown email, and leaves the links of others valid', async () => {
    const theirs = await newLink(owner.email);
    const token = await newLink(newEmail());
    expect((await postAuth('/sign-in/link', { token })).status).toBe(412);
    expect((await postAuth('/sign-in/link', { token: theirs })).status).toBe(200);
  });

  it('cannot reset a password, and a reset link cannot sign in', async () => {
    const token = await newLink(owner.email);
    const reset = { token, newPassword: newPassword() };
    expect((await postAuth('/reset-password', reset)).status).toBe(412);
    const mails = await emailsDuring(
      () => postAuth('/request-password-reset', { email: owner.email }, { env: envWithEmail }),
      1,
    );
    const mailed = /#(\S+)/.exec(mails[0] ?? '')?.[1] ?? '';
    expect(mailed).toHaveLength(43);
    expect((await postAuth('/sign-in/link', { token: mailed })).status).toBe(412);
    expect((await postAuth('/sign-in/link', { token })).status).toBe(200);
  });
});

describe('links in emails', () => {
  const evil = 'http://evil.test';

  it('lead to the configured URL, regardless of the request’s Host header', async () => {
    const options = {
      headers: { Origin: evil, 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test' },
      env: envWithEmail,
    };
    const mails = await emailsDuring(async () => {
      const response = await call('POST', `${evil}/auth/request-password-reset`, {
        body: { email: owner.email },
        ...options,
      });
      expect(response.status).toBe(200);
      const invited = await call('POST', `${evil}/iam/v1alpha1/users`, {
        token: owner.secret_key,
        body: { email: newEmail() },
        ...options,
      });
      expect(invited.body.invitation_url).toMatch(new RegExp(`^${SITE_URL}/invitation/#`));
    }, 2);
    expect(mails.map((mail) => /https?:\/\/\S+(?=#)/.exec(mail)?.[0]).sort()).toEqual([
      `${SITE_URL}/invitation/`,
      `${SITE_URL}/reset-password/`,
    ]);
    expect(mails.join()).not.toContain('evil');
  });

  it.each([
    { transport: 'console' },
    { transport: 'http', endpoint: 'https://mail.test/', from: 'a@b.test' },
  ])('require SITE.url, and the error names the setting: %j', async (MAIL) => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => printed.mockRestore());
    const response = await call('GET', PRINCIPAL, { env: { ...env, MAIL, MAIL_TOKEN: 'x' } as typeof env });
    expect(response.status).toBe(500);
    expect(String(printed.mock.calls)).toContain('SITE.url');
  });
});
