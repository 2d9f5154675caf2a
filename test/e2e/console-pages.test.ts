/**
 * All pages of the console: accessibility with data and open dialogs, the size of their scripts, and the key lookup that
 * every page has.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { inspect, useBrowser } from './browser.ts';
import { ALL, activate, newCredentials, newProject, snsClient, sqsClient } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);

const PAGES = [
  '/console/',
  '/console/nats/',
  '/console/nats/account/',
  '/console/queues/',
  '/console/queues/#credentials',
  '/console/topics-and-events/',
  '/console/projects/',
  '/console/iam/',
  '/console/iam/#applications',
  '/console/iam/#api-keys',
  '/console/iam/#policies',
  '/console/iam/#settings',
  '/console/audit/',
];

/** Pages of one set of credentials, which the address names. console-products.test.ts checks them with data. */
const CREDENTIAL_PAGES = [
  '/console/nats/credentials/',
  '/console/queues/credentials/',
  '/console/topics-and-events/credentials/',
];

/** Scripts of the site generator. */
const NOT_OURS =
  /\/((LanguageSelect|Page|PageFrame|Search|ThemeSelect|(Mobile)?TableOfContents)\.astro|page\.|ui-core|rolldown-runtime|starlight-toc|ec\.)[^/]+\.js$/;

/** The landing page, and the pages outside the console with the same forms. */
const GUIDES = ['/', '/how-to/create-credentials/', '/how-to/manage-credentials/'];

/** Resolves to the compressed size, in bytes, of our scripts that a page loads before any interaction. */
async function ownScript(path: string, stranger: boolean): Promise<number> {
  const page = await browser.open('/healthz', { stranger, reducedMotion: 'reduce' });
  const loaded = new Set<string>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/_astro/') && pathname.endsWith('.js') && !NOT_OURS.test(pathname))
      loaded.add(pathname);
  });
  await page.goto(path, { waitUntil: 'networkidle' });
  expect(loaded.size).toBeGreaterThan(2);
  const sizes = [...loaded].map((file) => gzipSync(readFileSync(join(root, 'site/dist', file))).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}

it.each([
  ['a member', false],
  ['a visitor', true],
])(
  'every page loads at most 10 kB of our scripts for %s before the first interaction',
  async (_who, stranger) => {
    const paths = [...PAGES, ...GUIDES, ...CREDENTIAL_PAGES];
    while (paths.length > 0) {
      // Pages spend most of their time waiting for the network to be idle: load several at once.
      const some = paths.splice(0, 5);
      const sizes = await Promise.all(
        some.map(async (path) => [path, await ownScript(path, stranger)] as const),
      );
      expect(sizes.filter(([, size]) => size > 10_000)).toEqual([]);
    }
  },
);

it('the page of credentials loads at most 14 kB of our scripts, with its chart and its history', async () => {
  const { id } = await newCreds(local, 'fr-par');
  expect(await ownScript(`/console/nats/credentials/?region=fr-par&id=${id}`, false)).toBeLessThan(14_000);
});

describe('axe finds no violations', () => {
  /** Placeholders for data that is loading or missing. */
  const PLACEHOLDERS = ['loading', 'unchosen', 'inactive', 'empty', 'problem', 'signed-out']
    .map((state) => `main [data-when="${state}"]:visible`)
    .join();

  // Thirteen pages, each in four variants (theme and width).
  it('on pages with data', { timeout: 300_000 }, async () => {
    const { organization_id, project_id: projectId } = local.owner;
    const { account } = await newCreds(local, 'fr-par');
    await api(local, 'POST', '/mnq/v1beta1/regions/fr-par/nats-roles', {
      nats_account_id: account,
      publish: { allow: ['orders.>'] },
      subscribe: { allow: [] },
    });
    await activate(local, 'fr-par', projectId);
    const queues = sqsClient(local, await newCredentials(local, 'sqs', ALL));
    const topics = snsClient(local, await newCredentials(local, 'sns', ALL));
    await queues.send(new CreateQueueCommand({ QueueName: 'orders' }));
    await topics.send(new CreateTopicCommand({ Name: 'orders' }));
    const post = <ResponseBody>(path: string, body: object) =>
      api<ResponseBody>(local, 'POST', `/iam/v1alpha1/${path}`, { organization_id, name: 'orders', ...body });
    const { id } = await post<{ id: string }>('applications', {});
    const rules = [{ permission_set_names: ['QueuesFullAccess'], project_ids: [projectId] }];
    await post('policies', { application_id: id, rules });

    const page = await browser.open('/healthz');
    const found: string[] = [];
    for (const path of PAGES) {
      const { pathname, hash } = new URL(path, local.stack.origin);
      await page.goto(
        `${pathname}?region=fr-par&project=${projectId}&id=${account}&account=${account}${hash}`,
      );
      // The hash selects a tab, which the page opens by script.
      if (hash) await page.locator(`[aria-selected="true"]:has(${hash})`).waitFor();
      await expect
        .poll(() => page.locator(`${PLACEHOLDERS}, .count:empty`).count(), { message: path })
        .toBe(0);
      // guide-pages.test.ts checks the header and navigation around it.
      const complaints = await inspect(page, { part: 'main' });
      found.push(...complaints.map((complaint) => `${path} ${complaint}`));
    }
    expect(found).toEqual([]);
  });

  it('in dialogs and menus', async () => {
    const page = await browser.open('/console/iam/#policies');
    const found: string[] = [];
    const check = async (what: string) =>
      found.push(...(await inspect(page)).map((complaint) => `${what} ${complaint}`));
    await page.getByRole('button', { name: 'Create policy' }).click();
    await page.getByRole('dialog', { name: 'Policy' }).waitFor();
    await check('policy');
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'API keys' }).click();
    await page
      .getByRole('button', { name: /See more actions for SCW/ })
      .first()
      .click();
    await page.getByRole('menu').waitFor();
    await check('menu');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Create API key' }).click();
    await page.getByRole('dialog', { name: 'Create an API key' }).waitFor();
    await check('API key');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Look up a key' }).click();
    await page.getByLabel('Key or .creds text').fill(local.owner.access_key);
    await page.getByRole('button', { name: 'Look up', exact: true }).click();
    await page.getByText('is known').waitFor();
    await check('look-up');
    expect(found).toEqual([]);
  });
});

it('every page shows visitors a sign-in link', async () => {
  const page = await browser.open('/console/', { stranger: true });
  for (const path of [...PAGES, ...CREDENTIAL_PAGES]) {
    await page.goto(path);
    const link = page.getByRole('main').getByRole('link', { name: 'Sign in' }).first();
    await link.waitFor();
    expect(await link.getAttribute('href')).toMatch(/^\/sign-in\/\?return=/);
  }
});

describe('the key lookup', () => {
  const lookUp = async (page: Page, text: string) => {
    await page.getByRole('button', { name: 'Look up a key' }).click();
    await page.getByLabel('Key or .creds text').fill(text);
    await page.getByRole('button', { name: 'Look up', exact: true }).click();
  };

  it('sends only the public part of a creds file, shows its details, and revokes it', async () => {
    const { content, id, account } = await newCreds(local, 'nl-ams');
    const page = await browser.open('/console/audit/');
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await lookUp(page, content);
    const dialog = page.getByRole('dialog', { name: 'Look up a key' });
    await dialog.getByText('Amsterdam (nl-ams)').waitFor();
    const [, jwt = ''] = /(eyJ\S+)/.exec(content) ?? [];
    const [, seed = ''] = /\n(SU\S+)/.exec(content) ?? [];
    expect(seed).not.toBe('');
    for (const text of sent) for (const secret of [jwt, seed]) expect(text).not.toContain(secret);
    await dialog.getByRole('button', { name: /^Revoke/ }).click();
    const confirmation = page.getByRole('alertdialog');
    await confirmation.getByText('No clients are connected').waitFor();
    await confirmation.getByRole('button', { name: 'Revoke', exact: true }).click();
    await dialog
      .getByRole('status')
      .getByText(/Revoked .* 1 of 1 server/)
      .waitFor();
    const list = await api<{ nats_credentials: { id: string }[] }>(
      local,
      'GET',
      `/mnq/v1beta1/regions/nl-ams/nats-credentials?nats_account_id=${account}`,
    );
    expect(list.nats_credentials.some((each) => each.id === id)).toBe(false);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => page.getByLabel('Key or .creds text').inputValue()).toBe('');
  });

  it('finds an access key in a log line, and links to its page', async () => {
    const projectId = await newProject(local);
    await activate(local, 'fr-par', projectId);
    const credentials = await newCredentials(local, 'sns', ALL, { projectId });
    const page = await browser.open('/console/');
    await lookUp(page, `2026-11-21 Credential=${credentials.access_key}/20261121/fr-par/sns denied`);
    await page.getByText('Credentials for Topics and Events').waitFor();
    await page.getByRole('link', { name: 'Open', exact: true }).click();
    await page.getByRole('definition').filter({ hasText: credentials.access_key }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/console/topics-and-events/credentials/');
  });

  it('shows when access keys and API keys were last used before it revokes them', async () => {
    const projectId = await newProject(local);
    await activate(local, 'fr-par', projectId);
    const { access_key: key } = await newCredentials(local, 'sqs', ALL, { projectId });
    const page = await browser.open('/console/');
    const found = page.getByRole('dialog', { name: 'Look up a key' });
    const confirmation = page.getByRole('alertdialog');
    await lookUp(page, key);
    await found.getByRole('button', { name: /^Revoke/ }).click();
    await confirmation.getByText('in the region Paris').waitFor();
    await confirmation.getByText('Last used: never.').waitFor();
    await confirmation.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('Key or .creds text').fill(local.owner.access_key);
    await page.getByRole('button', { name: 'Look up', exact: true }).click();
    await found.getByText('API key of').waitFor();
    await found.getByRole('button', { name: /^Revoke/ }).click();
    await confirmation.getByText(/^Last used: (now|just now|\d+ \w+ ago)\.$/).waitFor();
  });

  it('stays open while a request is pending, and clears its error when it closes', async () => {
    const page = await browser.open('/console/');
    const released = Promise.withResolvers<void>();
    await page.route('**/lookup?*', async (route) => {
      await released.promise;
      await route.abort();
    });
    await lookUp(page, `LKEY${'x'.repeat(16)}`);
    const close = page.getByRole('dialog').getByRole('button', { name: 'Close' });
    await close.click();
    expect(await close.isVisible()).toBe(true);
    released.resolve();
    await page.getByRole('alert').getByText('did not respond').waitFor();
    browser.complaints.splice(0);
    await close.click();
    await page.getByRole('button', { name: 'Look up a key' }).click();
    expect(await page.getByRole('dialog').getByRole('alert').isVisible()).toBe(false);
  });

  it('shows an error when its script fails to load', async () => {
    const page = await browser.open('/console/');
    await page.route(/\/key-lookup\.[^.]+\.js$/, (route) => route.abort());
    await page.getByRole('button', { name: 'Look up a key' }).click();
    await page.getByRole('alert').getByText('could not be loaded').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
  });

  it('reports an unknown key, and sends no request for text without a key', async () => {
    const page = await browser.open('/console/');
    await lookUp(page, `LKEY${'x'.repeat(16)}`);
    await page.getByText('belongs to nothing that you have access to').waitFor();
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.url()));
    await page.getByLabel('Key or .creds text').fill(`latchkey_${'x'.repeat(40)}`);
    await page.getByRole('button', { name: 'Look up', exact: true }).click();
    await page.getByRole('alert').getByText('No key was found in this text').waitFor();
    expect(sent.filter((url) => url.includes('lookup'))).toEqual([]);
  });
});
