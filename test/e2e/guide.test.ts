/**
 * The guide "How to create credentials" in a real browser on the real stack: the reader gets a file that a NATS
 * client connects with, and the secret is stored nowhere else.
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

/** Returns an iterator over the messages of a connection. */
function messagesOf(connection: NatsConnection): string[] {
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

/** Opens the guide with a selected account, like a link to it. */
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
const downloadedFile = (page: Page) => page.getByRole('button', { name: 'I have saved these credentials' });

/** Opens the dialog and generates credentials; the secret dialog is open afterwards. */
async function generate(page: Page, name: string): Promise<void> {
  await generateButton(page).click();
  await dialog(page, 'Generate credentials').getByLabel('Name').fill(name);
  await sent(page).click();
  await dialog(page, 'Save your credentials').waitFor();
}

/** Returns the text of the file that the secret dialog offers. */
async function download(page: Page): Promise<{ name: string; content: string }> {
  const button = dialog(page, 'Save your credentials').getByRole('button', { name: /^Download/ });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: file.suggestedFilename(), content: readFileSync(await file.path(), 'utf8') };
}

describe('a new user', () => {
  it('signs in from the guide, creates an account and generates one set of working credentials', async () => {
    const page = await browser.open(`${GUIDE}?region=nl-ams`, { stranger: true });
    await expect.poll(() => generateButton(page).isDisabled()).toBe(true);
    await region(page, 'NATS accounts').getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('Email address').fill(local.owner.email);
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
    // Long enough for a second request, if there was one.
    await sleep(500);
    expect((await credentialsOf(account)).map((each) => each.name)).toEqual(['orders']);
    await downloadedFile(page).click();
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
    const [heard, leaked] = [messagesOf(two), messagesOf(stranger)];
    await Promise.all([two.flush(), stranger.flush()]);
    const manager = await jetstreamManager(one);
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    await jetstream(one).publish('orders.new', 'hello');
    await expect.poll(() => heard).toEqual(['hello']);
    expect((await manager.streams.info('ORDERS')).state.messages).toBe(1);
    // The other tenant's own message arrives after any that leaked to it.
    stranger.publish('orders.own', 'mine');
    await expect.poll(() => leaked).toEqual(['mine']);
  }
});

describe('the secret dialog', () => {
  it('shows the file once, hides and copies it, says who created its key, and closes only with its button', async () => {
    const page = await openAt(await newAccount(local, 'fr-par'));
    await generate(page, 'O’Brien’s 日本語 /x');
    const secret = dialog(page, 'Save your credentials');
    await secret.getByText('This page created the private key. It was not sent anywhere.').waitFor();
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
    const leaving = page.waitForEvent('dialog');
    await page.close({ runBeforeUnload: true });
    expect((await leaving).type()).toBe('beforeunload');
    await (await leaving).dismiss();

    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    for (const place of [kept, page.url()]) {
      expect(place).not.toContain(seedOf(content));
      expect(place).not.toContain(jwtOf(content));
    }
    await downloadedFile(page).click();
    expect(await secret.isVisible()).toBe(false);
    // Nothing of it remains in the page, and leaving the page asks for no confirmation.
    await expect.poll(() => page.content()).not.toContain(seedOf(content));

    // Without Ed25519, and on pages that are not served over HTTPS, the API creates the key.
    await page.evaluate(() => {
      crypto.subtle.importKey = () =>
        Promise.reject(new DOMException('no such algorithm', 'NotSupportedError'));
    });
    await expectKeyOfServer(page, 'because this browser does not support Ed25519 keys');
    await page.evaluate(() => Object.defineProperty(crypto, 'subtle', { value: undefined }));
    await expectKeyOfServer(page, 'because this page is not served over HTTPS');
    page.on('dialog', () => expect.unreachable('leaving asked again'));
    await page.reload();
  });

  async function expectKeyOfServer(page: Page, reason: string): Promise<void> {
    await generate(page, 'orders');
    await dialog(page, 'Save your credentials')
      .getByText(`Latchkey created the private key and sent it, ${reason}`)
      .waitFor();
    const { content } = await download(page);
    expect(await access(local.stack.nats.get('fr-par')?.url ?? '', content)).toBe('yes');
    await downloadedFile(page).click();
  }

  const seedOf = (text: string) => /SU[A-Z2-7]{56}/.exec(text)?.[0] ?? expect.unreachable('no seed');
  const jwtOf = (text: string) => /eyJ[\w.-]{100,}/.exec(text)?.[0] ?? expect.unreachable('no JWT');
});

describe('a form', () => {
  it('shows missing fields next to the field and in a focused summary', async () => {
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

  it('keeps the entered values when the network fails, and works again after recovery', async () => {
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
    await downloadedFile(page).click();
    await page.getByText('You have not copied').waitFor();
    await downloadedFile(page).click();
    expect((await credentialsOf(account)).map(({ name }) => name)).toEqual(['kept']);
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
  });

  it('reports an expired session, and returns to the same place after sign-in', async () => {
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
    // The forms further down can also have sent requests before the page was left.
    expect(new Set(browser.complaints.splice(0).map((text) => /status of \d+/.exec(text)?.[0]))).toEqual(
      new Set(['status of 401']),
    );
  });
});

describe('a NATS account', () => {
  it('is deleted from its overview, which shows connected clients and resources', async () => {
    const creds = await newCreds(local, 'fr-par');
    const connection = await enter('fr-par', creds.content);
    const page = await browser.open(`/how-to/manage-credentials/?region=fr-par&account=${creds.account}`);
    await region(page, 'NATS accounts').getByRole('button', { name: 'Delete account' }).click();
    const alert = page.getByRole('alertdialog', { name: 'Delete this NATS account?' });
    const cancel = alert.getByRole('button', { name: 'Cancel' });
    expect(await cancel.evaluate((node) => node === document.activeElement)).toBe(true);
    await alert.getByText('Its streams are deleted, including their messages').waitFor();
    await alert.getByRole('button', { name: 'Delete account' }).click();
    await region(page, 'NATS accounts')
      .getByRole('status')
      .getByText(/^Deleted .+\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await endOf(connection)).toMatch(CUT);
    expect(new URL(page.url()).searchParams.get('account')).not.toBe(creds.account);
    expect(await page.locator(`input[value="${creds.account}"]`).count()).toBe(0);
  });

  it('is created even if the following list request fails', async () => {
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

  it('shows its credentials while more accounts load (race)', async () => {
    const { account } = await newCreds(local, 'fr-par');
    const release = Promise.withResolvers<void>();
    const page = await browser.open('/concepts/');
    // As if there was more than one page of accounts.
    await page.route('**/nats-accounts?*', async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      await route.fulfill({ response, json: { ...body, total_count: body.total_count + 1 } });
    });
    await page.route('**/nats-credentials?*', async (route) => {
      await release.promise;
      await route.continue().catch(() => undefined);
    });
    await page.goto(`${GUIDE}?region=fr-par&account=${account}`);
    await page.locator(`input[value="${account}"]:checked`).waitFor();
    const more = page.waitForResponse('**/nats-accounts?*page=2*');
    await page.getByRole('button', { name: 'Show more accounts' }).click();
    await more;
    release.resolve();
    await rows(page).nth(1).waitFor();
  });
});
