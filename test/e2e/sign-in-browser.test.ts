/**
 * Sign-in pages in a real browser: join from an invitation email, sign in and out, list sessions, change and reset the
 * password. Emails go over HTTP to a provider that runs in the test.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { newSignInLink } from '../../functions/iam/sign-in/sign-in-links.ts';
import { axe, region, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { startMailServer } from './mail-server.ts';

const provider = await startMailServer();
const local = useStack({
  vars: (own) => ({
    ...own,
    MAIL: { transport: 'http', endpoint: provider.endpoint, from: 'latchkey@example.com' },
    MAIL_TOKEN: provider.token,
  }),
});
const browser = useBrowser(local);

afterAll(() => provider.close());

interface Invited {
  id: string;
  invitation_url: string;
}

const invite = (email: string) => api<Invited>(local, 'POST', '/iam/v1alpha1/users', { email });
const newPassword = () => crypto.randomUUID();

let email: string;
beforeEach(() => {
  email = `${crypto.randomUUID()}@example.com`;
});

const signedInAs = (page: Page, name: string) =>
  page.getByRole('button', { name: `Signed in as ${name}` }).waitFor();

/** Waits for the first page of a new member, and drops its 403 errors: the member has no policy yet. */
async function waitForWelcome(page: Page): Promise<void> {
  await page.getByText('Welcome to Latchkey.').waitFor();
  await page.waitForLoadState('networkidle');
  const others = browser.complaints.splice(0).filter((text) => !text.includes('403'));
  browser.complaints.push(...others);
}

/** Joins with the link from an invitation email. Resolves to the page. */
async function join(password: string): Promise<Page> {
  await invite(email);
  const page = await browser.open(await provider.linkFor(email), { stranger: true });
  await page.getByText('You have been invited to join My organization').waitFor();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join' }).click();
  await signedInAs(page, 'Ada');
  await waitForWelcome(page);
  return page;
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.goto('/sign-in/');
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Resolves to the API's status for a request with these cookies, which can be from an earlier session. */
async function replay(cookie: string): Promise<number> {
  const response = await fetch(`${local.stack.origin}/iam/v1alpha1/jwts`, { headers: { Cookie: cookie } });
  return response.status;
}

async function cookieOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

describe('an invited person', () => {
  it('joins with the link from the email, signs out, and signs in again', async () => {
    const password = newPassword();
    const page = await join(password);
    expect(new URL(page.url()).pathname).toBe('/console/');
    const cookie = await cookieOf(page);
    expect(await replay(cookie)).toBe(200);
    await page.getByRole('button', { name: 'Signed in as Ada' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in', exact: true }).first().waitFor();
    // The browser's cookie is deleted, and a cookie stolen before the sign-out no longer works.
    expect(await cookieOf(page)).toBe('');
    expect(await replay(cookie)).toBe(401);
    browser.complaints.splice(0);
    await signIn(page, password);
    await signedInAs(page, 'Ada');
  });

  it('joins on retry when the first response was lost', async () => {
    await invite(email);
    const page = await browser.open(await provider.linkFor(email), { stranger: true });
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Password', { exact: true }).fill(newPassword());
    let lost = false;
    await page.route('**/auth/accept-invitation', async (route) => {
      if (lost) return route.continue();
      lost = true;
      await route.fetch();
      return route.abort();
    });
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByText('Latchkey did not respond').waitFor();
    await page.getByRole('button', { name: 'Join' }).click();
    await signedInAs(page, 'Ada');
    await waitForWelcome(page);
    expect(browser.complaints.splice(0).join()).toMatch(/ERR_FAILED.*404/);
  });

  it('sees an error and the next step when the link was already used', async () => {
    await join(newPassword());
    const page = await browser.open(await provider.linkFor(email), { stranger: true });
    await page.getByText('has been used').waitFor();
    expect(await axe(page)).toEqual([]);
    expect(browser.complaints.splice(0).join()).toContain('404');
  });

  it('joins another organization with their existing password, even while another user is signed in', async () => {
    const password = newPassword();
    await join(password);
    const { owner, stack } = local;
    const database = await stack.database('IDENTITY');
    await database
      .prepare('delete from memberships where user_id = (select id from users where email = ?)')
      .bind(email)
      .run();
    await invite(email);
    const page = await browser.open(await provider.linkFor(email, 1));
    await signedInAs(page, owner.email);
    // The page learns that the person has an account only when they try to create another one.
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Password', { exact: true }).fill(newPassword());
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await page.getByText('already has an account').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('403');
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'I have an account' }).click();
    expect(await axe(page)).toEqual([]);
    await page.getByLabel('Your password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in and join' }).click();
    await page.getByText('Incorrect email address or password').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('401');
    await page.getByLabel('Your password').fill(password);
    await page.getByRole('button', { name: 'Sign in and join' }).click();
    await signedInAs(page, 'Ada');
    await waitForWelcome(page);
  });

  it('sees a password error before the form sends a request', async () => {
    await invite(email);
    const page = await browser.open(await provider.linkFor(email), { stranger: true });
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Password', { exact: true }).pressSequentially('short');
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByRole('alert').getByText('Use 12 to 128 characters').waitFor();
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text');
    expect(await axe(page)).toEqual([]);
  });

  it('sends no invitation token in a URL or header', async () => {
    await invite(email);
    const link = await provider.linkFor(email);
    const requested: string[] = [];
    const page = await browser.open('/', { stranger: true });
    page.on('request', (request) => requested.push(request.url(), ...Object.values(request.headers())));
    await page.goto(link);
    await page.getByLabel('Your name').waitFor();
    await page.getByRole('link', { name: 'Sign in', exact: true }).first().click();
    await page.getByLabel('Email address').waitFor();
    expect(requested.length).toBeGreaterThan(5);
    expect(requested.filter((text) => text.includes(new URL(link).hash.slice(1)))).toEqual([]);
  });
});

describe('a sign-in link', () => {
  async function newLink(): Promise<string> {
    const now = Date.now();
    const { token, statements } = await newSignInLink({
      email: local.owner.email,
      now,
      expiresAt: now + 60_000,
    });
    const database = await local.stack.database('IDENTITY');
    for (const { sql, params } of statements) {
      await database
        .prepare(sql)
        .bind(...params)
        .run();
    }
    return token;
  }

  it('signs in once, and its token appears in no request URL, header or history entry', async () => {
    const token = await newLink();
    const page = await browser.open('/', { stranger: true });
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url(), ...Object.values(request.headers())));
    await page.goto(`/sign-in/?return=/concepts/#${token}`);
    await page.waitForURL((url) => url.pathname === '/concepts/');
    await signedInAs(page, local.owner.email);
    expect(requested.length).toBeGreaterThan(5);
    expect(requested.filter((text) => text.includes(token))).toEqual([]);
    await page.goBack();
    expect(new URL(page.url()).pathname + new URL(page.url()).hash).toBe('/sign-in/');

    const again = await browser.open(`/sign-in/#${token}`, { stranger: true });
    await again.getByRole('alert').getByText('has been used or has expired').waitFor();
    expect(new URL(again.url()).hash).toBe('');
    expect(await axe(again)).toEqual([]);
    expect(browser.complaints.splice(0).join()).toContain('412');
  });

  it('is not confused with a fragment that names a part of the page', async () => {
    const page = await browser.open('/sign-in/#email', { stranger: true });
    const posted: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posted.push(request.url()));
    await page.reload();
    await page.getByLabel('Email address').waitFor();
    expect([posted, new URL(page.url()).hash]).toEqual([[], '#email']);
  });
});

it('a form sends nothing before its script has loaded', async () => {
  const page = await browser.open('/concepts/', { stranger: true });
  const loaded = Promise.withResolvers<void>();
  await page.route('**/_astro/sign-in-form*.js', async (route) => {
    await loaded.promise;
    await route.continue();
  });
  const posted: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && posted.push(request.url()));
  await page.goto('/sign-in/', { waitUntil: 'commit' });
  await page.getByLabel('Email address').fill(local.owner.email);
  await page.getByLabel('Password', { exact: true }).fill(local.owner.password);
  await page.keyboard.press('Enter');
  const button = page.getByRole('main').getByRole('button', { name: 'Sign in' });
  expect(await button.isDisabled()).toBe(true);
  expect(posted).toEqual([]);
  loaded.resolve();
  await button.click();
  await page.waitForURL((url) => url.pathname === '/');
});

describe('a password', () => {
  it('is reset with the link from an email, which ends every session', async () => {
    const [old, wanted] = [newPassword(), newPassword()];
    const before = await cookieOf(await join(old));
    const page = await browser.open('/sign-in/', { stranger: true });
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    // The previous page has a field with the same label.
    await page.getByRole('button', { name: 'Send link' }).waitFor();
    await page.getByLabel('Email address').fill(email);
    await page.getByRole('button', { name: 'Send link' }).click();
    await page.getByText('a link is on its way').waitFor();
    expect(await axe(page)).toEqual([]);
    const link = await provider.linkFor(email, 1);
    await page.goto(link);
    await page.getByLabel('New password', { exact: true }).fill(wanted);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
    expect(await axe(page)).toEqual([]);
    expect(await replay(before)).toBe(401);

    await signIn(page, old);
    await page.getByText('Incorrect email address or password').waitFor();
    await signIn(page, wanted);
    await signedInAs(page, 'Ada');
    await page.goto(link);
    await page.getByLabel('New password', { exact: true }).fill(newPassword());
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('alert').getByText('has been used or has expired').waitFor();
    expect(browser.complaints.splice(0).join()).toMatch(/401.*412/);
  });

  it('is changed with the current one, which ends all other sessions; each session can also be ended alone', async () => {
    const password = newPassword();
    const page = await join(password);
    const others = [];
    for (let i = 0; i < 2; i++) {
      const other = await browser.open('/', { stranger: true });
      await signIn(other, password);
      await signedInAs(other, 'Ada');
      others.push(await cookieOf(other));
    }
    await page.goto('/account/security/');
    const sessions = region(page, 'Sessions');
    const rows = sessions.getByRole('listitem');
    await expect.poll(() => rows.count()).toBe(3);
    expect(await sessions.getByRole('button', { name: 'End this session' }).count()).toBe(1);
    expect(await axe(page)).toEqual([]);
    await sessions.getByRole('button', { name: 'End the session of' }).first().click();
    await sessions.getByText('The session has ended.').waitFor();
    expect((await Promise.all(others.map(replay))).sort()).toEqual([200, 401]);

    await page.getByLabel('Current password').fill('not the password');
    await page.getByLabel('New password', { exact: true }).fill(newPassword());
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('not your current password').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('400');
    await page.getByLabel('Current password').fill(password);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await sessions.getByText('Your password has been changed').waitFor();
    expect(await Promise.all(others.map(replay))).toEqual([401, 401]);
    await expect.poll(() => rows.count()).toBe(1);
  });
});

describe('an email provider that is down', () => {
  it('does not block invitations, and the log contains no secrets of the email', async () => {
    provider.answer(500);
    const { invitation_url: url } = await invite(email);
    await expect.poll(() => local.logged.length).toBe(1);
    provider.answer(200);
    const [line = ''] = local.logged.splice(0);
    expect(line).toContain('the email provider returned 500');
    for (const secret of [email, new URL(url).hash.slice(1), provider.token])
      expect(line).not.toContain(secret);
    const page = await browser.open(url, { stranger: true });
    await page.getByText('You have been invited to join').waitFor();
  });
});
