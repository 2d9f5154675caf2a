/**
 * The guide "How to create credentials" in a real browser on the real stack: what a reader does there ends in a file
 * that a NATS client connects with, and nowhere else.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { axe, region, stepsDone, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { access, CUT, connectWith, endOf, newAccount, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const GUIDE = '/how-to/create-credentials/';
const MNQ = '/mnq/v1beta1/regions';

const connections: NatsConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});

async function enter(name: string, content: string): Promise<NatsConnection> {
  const connection = await connectWith(local.stack.nats.get(name)?.url ?? '', content);
  connections.push(connection);
  return connection;
}

/** What a connection hears, as it comes. */
function listen(connection: NatsConnection): string[] {
  const heard: string[] = [];
  connection.subscribe('orders.>', {
    callback: (_error, message) => {
      heard.push(message.string());
    },
  });
  return heard;
}

async function credentialsOf(account: string, name = 'fr-par'): Promise<{ id: string; name: string }[]> {
  const path = `${MNQ}/${name}/nats-credentials?nats_account_id=${account}`;
  const list = await api<{ nats_credentials: { id: string; name: string }[] }>(local, 'GET', path);
  return list.nats_credentials;
}

/** The guide with an account chosen, as a link to it would open. */
async function openAt(account: string): Promise<Page> {
  const page = await browser.open(`${GUIDE}?region=fr-par&account=${account}`);
  await page.locator(`input[value="${account}"]:checked`).waitFor();
  await expect.poll(() => generateButton(page).isEnabled()).toBe(true);
  return page;
}

const rows = (page: Page) => region(page, 'Credentials').getByRole('row');
const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });
const generateButton = (page: Page) =>
  region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' });
const sent = (page: Page) => dialog(page, 'Generate credentials').getByRole('button', { name: /^Generat/ });
const saved = (page: Page) => page.getByRole('button', { name: 'I have saved these credentials' });

/** Opens the dialog and has credentials generated; the secret dialog is open afterwards. */
async function generate(page: Page, name: string): Promise<void> {
  await generateButton(page).click();
  await dialog(page, 'Generate credentials').getByLabel('Name').fill(name);
  await sent(page).click();
  await dialog(page, 'Save your credentials').waitFor();
}

/** The text of the file that the secret dialog hands out. */
async function download(page: Page): Promise<{ name: string; content: string }> {
  const button = dialog(page, 'Save your credentials').getByRole('button', { name: /^Download/ });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: file.suggestedFilename(), content: readFileSync(await file.path(), 'utf8') };
}

describe('a newcomer', () => {
  it('signs in from the guide, creates an account and generates one set of credentials that works', async () => {
    const page = await browser.open(`${GUIDE}?region=nl-ams`, { stranger: true });
    await expect.poll(() => generateButton(page).isDisabled()).toBe(true);
    await region(page, 'NATS accounts').getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail address').fill(local.owner.email);
    await page.getByLabel('Password', { exact: true }).fill(local.owner.password);
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(/create-credentials\/\?.*region=nl-ams.*#nats-account$/);

    await expect.poll(() => page.getByLabel('Region').first().inputValue()).toBe('nl-ams');
    await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();
    expect(await stepsDone(page)).toEqual([1]);
    await page.getByLabel('Region').first().selectOption('fr-par');
    await region(page, 'NATS accounts').getByText('Paris').waitFor();
    await region(page, 'NATS accounts').getByRole('button', { name: 'Create account' }).click();
    await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
    await dialog(page, 'Create a NATS account').getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
    await region(page, 'Credentials').getByText('no credentials yet').waitFor();
    expect(await stepsDone(page)).toEqual([1, 2]);

    await page.route('**/mnq/**', async (route) => {
      await sleep(400);
      await route.continue();
    });
    await generateButton(page).click();
    await dialog(page, 'Generate credentials').getByLabel('Name').fill('orders');
    const busy = dialog(page, 'Generate credentials').getByRole('button', { name: 'Generating…' }).waitFor();
    await sent(page).dblclick();
    await busy;
    const { name, content } = await download(page);
    expect(name).toBe('orders-nats-fr-par.creds');
    const account = new URL(page.url()).searchParams.get('account') ?? '';
    // Long enough for a second request, had there been one.
    await sleep(500);
    expect((await credentialsOf(account)).map((each) => each.name)).toEqual(['orders']);
    await saved(page).click();
    const row = rows(page).filter({ hasText: 'orders' });
    await row.getByText('Full access').waitFor();
    expect(await row.getByText('never').count()).toBe(1);
    await region(page, 'Credentials').getByRole('status').getByText('Generated orders.').waitFor();
    expect(await stepsDone(page)).toEqual([1, 2, 3, 5]);

    await worksInItsAccountOnly(content);
    const elsewhere = local.stack.nats.get('nl-ams')?.url ?? '';
    expect(await access(elsewhere, content)).toBe('refused');
  });

  async function worksInItsAccountOnly(content: string): Promise<void> {
    const [one, two] = [await enter('fr-par', content), await enter('fr-par', content)];
    const stranger = await enter('fr-par', (await newCreds(local, 'fr-par')).content);
    const [heard, leaked] = [listen(two), listen(stranger)];
    await Promise.all([two.flush(), stranger.flush()]);
    const manager = await jetstreamManager(one);
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    await jetstream(one).publish('orders.new', 'hello');
    await expect.poll(() => heard).toEqual(['hello']);
    expect((await manager.streams.info('ORDERS')).state.messages).toBe(1);
    // The stranger's own message comes after whatever reached it before.
    stranger.publish('orders.own', 'mine');
    await expect.poll(() => leaked).toEqual(['mine']);
  }
});

describe('the secret dialog', () => {
  it('shows the file once, hides and copies it, and closes by its own button alone', async () => {
    const page = await openAt(await newAccount(local, 'fr-par'));
    await generate(page, 'O’Brien’s 日本語 /x');
    const secret = dialog(page, 'Save your credentials');
    const { name, content } = await download(page);
    expect(name).toBe('O-Brien-s-日本語-x-nats-fr-par.creds');
    await secret.getByRole('status').getByText('Downloaded').waitFor();
    expect(await secret.textContent()).not.toContain(seedOf(content));
    await secret.getByRole('button', { name: `Show ${name}` }).click();
    expect(await secret.textContent()).toContain(seedOf(content));
    await secret.getByRole('button', { name: `Copy ${name}` }).click();
    await secret.getByRole('status').getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(content);
    expect(await axe(page)).toEqual([]);

    for (const _ of [1, 2]) await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    expect(await secret.isVisible()).toBe(true);
    const asked = page.waitForEvent('dialog');
    await page.close({ runBeforeUnload: true });
    expect((await asked).type()).toBe('beforeunload');
    await (await asked).dismiss();

    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    for (const place of [kept, page.url()]) {
      expect(place).not.toContain(seedOf(content));
      expect(place).not.toContain(jwtOf(content));
    }
    await saved(page).click();
    expect(await secret.isVisible()).toBe(false);
    // Nothing of it is left in the page, and leaving it asks no more.
    await expect.poll(() => page.content()).not.toContain(seedOf(content));
    page.on('dialog', () => expect.unreachable('leaving asked again'));
    await page.reload();
  });

  const seedOf = (text: string) => /SU[A-Z2-7]{56}/.exec(text)?.[0] ?? expect.unreachable('no seed');
  const jwtOf = (text: string) => /eyJ[\w.-]{100,}/.exec(text)?.[0] ?? expect.unreachable('no JWT');
});

describe('a form', () => {
  it('says beside the field and in a focused summary what is missing', async () => {
    const page = await openAt(await newAccount(local, 'fr-par'));
    await generateButton(page).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('  ');
    await sent(page).click();
    const summary = form.getByRole('alert');
    expect(await summary.evaluate((node) => node === document.activeElement)).toBe(true);
    await summary.getByRole('link', { name: 'Enter a name for the credentials' }).click();
    const field = form.getByLabel('Name');
    expect(await field.evaluate((node) => node === document.activeElement)).toBe(true);
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.getAttribute('data-max')).toBe('500');
    expect(await axe(page)).toEqual([]);
  });

  it('keeps what was typed when the network fails, and goes on when it is back', async () => {
    const account = await newAccount(local, 'fr-par');
    const page = await openAt(account);
    await page.route('**/nats-credentials', (route) => route.abort());
    await generateButton(page).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('kept');
    await sent(page).click();
    await form.getByRole('alert').getByText('Latchkey did not respond').waitFor();
    expect(await form.getByLabel('Name').inputValue()).toBe('kept');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await generateButton(page).click();
    expect(await form.getByLabel('Name').inputValue()).toBe('kept');
    await page.unroute('**/nats-credentials');
    await sent(page).click();
    await saved(page).click();
    await page.getByText('You have not copied').waitFor();
    await saved(page).click();
    expect((await credentialsOf(account)).map(({ name }) => name)).toEqual(['kept']);
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
  });

  it('says that the session has ended, and leads back to where the reader was', async () => {
    const page = await openAt(await newAccount(local, 'fr-par'));
    await page.context().clearCookies();
    await generateButton(page).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('orders');
    await sent(page).click();
    await form.getByRole('alert').getByText('Your session has ended').waitFor();
    expect(await form.getByRole('link', { name: 'Sign in' }).getAttribute('href')).toContain(
      '/sign-in/?return=',
    );
    await page.reload();
    const link = region(page, 'Credentials').getByRole('link', { name: 'Sign in' });
    const target = new URL((await link.getAttribute('href')) ?? '', page.url());
    expect(target.searchParams.get('return')).toBe(`${GUIDE}${new URL(page.url()).search}#nats-generate`);
    // The forms further down may have asked as well before the page was left.
    expect(new Set(browser.complaints.splice(0).map((text) => /status of \d+/.exec(text)?.[0]))).toEqual(
      new Set(['status of 401']),
    );
  });
});

describe('an account', () => {
  it('is deleted from its overview, with who is connected and what it holds', async () => {
    const creds = await newCreds(local, 'fr-par');
    const connection = await enter('fr-par', creds.content);
    const page = await browser.open(`/how-to/manage-credentials/?region=fr-par&account=${creds.account}`);
    await region(page, 'NATS accounts').getByRole('button', { name: 'Delete account' }).click();
    const alert = page.getByRole('alertdialog', { name: 'Delete this NATS account?' });
    const cancel = alert.getByRole('button', { name: 'Cancel' });
    expect(await cancel.evaluate((node) => node === document.activeElement)).toBe(true);
    await alert.getByText('Its streams are deleted with the messages in them').waitFor();
    await alert.getByRole('button', { name: 'Delete account' }).click();
    await region(page, 'NATS accounts')
      .getByRole('status')
      .getByText(/^Deleted .+\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await endOf(connection)).toMatch(CUT);
    expect(new URL(page.url()).searchParams.get('account')).not.toBe(creds.account);
    expect(await page.locator(`input[value="${creds.account}"]`).count()).toBe(0);
  });

  it('is created also when the list of them fails afterwards, and nothing breaks', async () => {
    const project = (
      await api<{ id: string }>(local, 'POST', '/account/v3/projects', {
        organization_id: local.owner.organization_id,
        name: crypto.randomUUID(),
      })
    ).id;
    const page = await browser.open(`${GUIDE}?region=fr-par&project=${project}`);
    const accounts = region(page, 'NATS accounts');
    await accounts.getByRole('button', { name: 'Create account' }).click();
    await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
    await page.route('**/nats-accounts?*', (route) => route.abort());
    await page.keyboard.press('Enter');
    await accounts.getByRole('status').getByText('Created Production.').waitFor();
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('ERR_FAILED');
    await page.unroute('**/nats-accounts?*');
    await accounts.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('NATS accounts');
  });

  it('shows its credentials also when more accounts are asked for meanwhile', async () => {
    const { account } = await newCreds(local, 'fr-par');
    const told = Promise.withResolvers<void>();
    const page = await browser.open('/concepts/');
    // As if there were more than one page of accounts.
    await page.route('**/nats-accounts?*', async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      await route.fulfill({ response, json: { ...body, total_count: body.total_count + 1 } });
    });
    await page.route('**/nats-credentials?*', async (route) => {
      await told.promise;
      await route.continue().catch(() => undefined);
    });
    await page.goto(`${GUIDE}?region=fr-par&account=${account}`);
    await page.locator(`input[value="${account}"]:checked`).waitFor();
    const more = page.waitForResponse('**/nats-accounts?*page=2*');
    await page.getByRole('button', { name: 'Show more accounts' }).click();
    await more;
    told.resolve();
    await rows(page).nth(1).waitFor();
  });
});
