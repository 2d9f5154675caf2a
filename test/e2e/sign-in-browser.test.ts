/**
 * A person at a browser: invited by mail, joins, signs in, looks at their sessions, changes and resets the password,
 * signs out. Mail goes over HTTP to a provider that runs here.
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

/** Waits for the page that a new member comes to, which refuses them for want of a policy. */
async function welcomed(page: Page): Promise<void> {
  await page.getByText('Welcome to Latchkey.').waitFor();
  await page.waitForLoadState('networkidle');
  const others = browser.complaints.splice(0).filter((text) => !text.includes('403'));
  browser.complaints.push(...others);
}

/** A page of somebody who has just joined by the link of a mail. */
async function join(password: string): Promise<Page> {
  await invite(email);
  const page = await browser.open(await provider.linkFor(email), { stranger: true });
  await page.getByText('You have been invited to join My organization').waitFor();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join' }).click();
  await signedInAs(page, 'Ada');
  await welcomed(page);
  return page;
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.goto('/sign-in/');
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** How the API answers a request with the cookies that the page has, or had. */
async function replay(cookie: string): Promise<number> {
  const answer = await fetch(`${local.stack.origin}/iam/v1alpha1/jwts`, { headers: { Cookie: cookie } });
  return answer.status;
}

async function cookieOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

describe('someone who is invited', () => {
  it('joins by the link of the mail, signs out, and signs in again', async () => {
    const password = newPassword();
    const page = await join(password);
    expect(new URL(page.url()).pathname).toBe('/console/');
    const cookie = await cookieOf(page);
    expect(await replay(cookie)).toBe(200);
    await page.getByRole('button', { name: 'Signed in as Ada' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in', exact: true }).first().waitFor();
    // The cookie is gone from this browser; one that was stolen before is worth nothing either.
    expect(await cookieOf(page)).toBe('');
    expect(await replay(cookie)).toBe(401);
    browser.complaints.splice(0);
    await signIn(page, password);
    await signedInAs(page, 'Ada');
  });

  it('joins at the second press when the answer to the first was lost', async () => {
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
    await welcomed(page);
    expect(browser.complaints.splice(0).join()).toMatch(/ERR_FAILED.*404/);
  });

  it('is told when the link has been used, and what to do', async () => {
    await join(newPassword());
    const page = await browser.open(await provider.linkFor(email), { stranger: true });
    await page.getByText('has been used').waitFor();
    expect(await axe(page)).toEqual([]);
    expect(browser.complaints.splice(0).join()).toContain('404');
  });

  it('joins another organization with the password they have, whoever is signed in', async () => {
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
    // The page cannot know that the person has an account: it says so when they try to make another.
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
    await welcomed(page);
  });

  it('is told what is wrong with a password before anything is sent', async () => {
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

  it('leaves no token in an address that a server sees', async () => {
    await invite(email);
    const link = await provider.linkFor(email);
    const asked: string[] = [];
    const page = await browser.open('/', { stranger: true });
    page.on('request', (request) => asked.push(request.url(), ...Object.values(request.headers())));
    await page.goto(link);
    await page.getByLabel('Your name').waitFor();
    await page.getByRole('link', { name: 'Sign in', exact: true }).first().click();
    await page.getByLabel('Email address').waitFor();
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((text) => text.includes(new URL(link).hash.slice(1)))).toEqual([]);
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

  it('signs in once, and its token is in no request’s address and not in the history', async () => {
    const token = await newLink();
    const page = await browser.open('/', { stranger: true });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url(), ...Object.values(request.headers())));
    await page.goto(`/sign-in/?return=/concepts/#${token}`);
    await page.waitForURL((url) => url.pathname === '/concepts/');
    await signedInAs(page, local.owner.email);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((text) => text.includes(token))).toEqual([]);
    await page.goBack();
    expect(new URL(page.url()).pathname + new URL(page.url()).hash).toBe('/sign-in/');

    const again = await browser.open(`/sign-in/#${token}`, { stranger: true });
    await again.getByRole('alert').getByText('has been used or has expired').waitFor();
    expect(new URL(again.url()).hash).toBe('');
    expect(await axe(again)).toEqual([]);
    expect(browser.complaints.splice(0).join()).toContain('412');
  });

  it('is not what a place on the page is', async () => {
    const page = await browser.open('/sign-in/#email', { stranger: true });
    const posted: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posted.push(request.url()));
    await page.reload();
    await page.getByLabel('Email address').waitFor();
    expect([posted, new URL(page.url()).hash]).toEqual([[], '#email']);
  });
});

it('a form sends nothing before its script is here', async () => {
  const page = await browser.open('/concepts/', { stranger: true });
  const here = Promise.withResolvers<void>();
  await page.route('**/_astro/sign-in-form*.js', async (route) => {
    await here.promise;
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
  here.resolve();
  await button.click();
  await page.waitForURL((url) => url.pathname === '/');
});

describe('a password', () => {
  it('is reset by the link of a mail, which ends every session', async () => {
    const [old, wanted] = [newPassword(), newPassword()];
    const before = await cookieOf(await join(old));
    const page = await browser.open('/sign-in/', { stranger: true });
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    // The page that is left has a field of the same name.
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

  it('is changed with the old one, and other sessions are ended one by one or with it', async () => {
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

describe('a provider of mail that is down', () => {
  it('keeps no invitation from being made, and no text of it gets into the log', async () => {
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
