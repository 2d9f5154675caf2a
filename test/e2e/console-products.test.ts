/**
 * The console's product pages in a real browser on the real stack: they show the API's data, link onward, and do what
 * the guides do. The guides' tests cover the forms.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { save } from './access-key-form.ts';
import { axe, inspect, region, useBrowser } from './browser.ts';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  newProject,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { pressAt } from './keyboard.ts';
import { api, useStack } from './local-stack.ts';
import { connectWith, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);

const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });
const newAccount = async (project_id: string, name: string) =>
  (
    await api<{ id: string }>(local, 'POST', '/mnq/v1beta1/regions/fr-par/nats-accounts', {
      project_id,
      name,
    })
  ).id;
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const menu = (page: Page) => page.getByRole('navigation', { name: 'Main' });
const WIDE = { width: 1280, height: 900 };

it('the guides link to each page of the console, which link back', async () => {
  const page = await browser.open('/how-to/create-credentials/');
  expect(await menu(page).getByRole('link', { name: 'Create credentials' }).count()).toBe(1);
  await page.getByRole('link', { name: 'Console', exact: true }).click();
  await page.waitForURL(/\/console\/(\?.*)?$/);
  expect(await menu(page).getByRole('link', { name: 'Create credentials' }).count()).toBe(0);
  for (const name of ['NATS', 'Queues', 'Topics and Events']) {
    await menu(page).getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    expect(await menu(page).locator('[aria-current="page"]').textContent()).toMatch(name);
  }
  await page.getByRole('link', { name: 'Guides', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: /How to create/ }).waitFor();
});

it.each(['create', 'manage'])(
  'the guide to %s credentials names the way in the console, for each product',
  async (guide) => {
    const page = await browser.open(`/how-to/${guide}-credentials/`, { stranger: true });
    for (const [name, path] of [
      ['NATS', '/console/nats/'],
      ['Queues', '/console/queues/'],
      ['Topics and Events', '/console/topics-and-events/'],
    ] as const) {
      const way = page
        .getByRole('main')
        .getByRole('paragraph')
        .filter({ hasText: `Serverless in the side menu: go to ${name}` });
      expect(await way.getByRole('link', { name, exact: true }).getAttribute('href')).toBe(path);
    }
  },
);

it('the overview counts the project’s resources in the region, and updates when another project is selected', async () => {
  const projectId = await newProject(local);
  await newAccount(projectId, 'Production');
  await activate(local, 'fr-par', projectId);
  const { id } = await newCredentials(local, 'sqs', ALL, { projectId });
  await api(local, 'PATCH', `/mnq/v1beta1/regions/fr-par/sqs-credentials/${id}`, { expires_at: inDays(5) });
  const page = await browser.open(`/console/?region=fr-par&project=${projectId}`);
  const main = page.getByRole('main');
  await main.getByText('1 account', { exact: true }).waitFor();
  await main.getByText('Active, 1 set of credentials').waitFor();
  await main.getByText('Active, 0 sets of credentials').waitFor();
  const notice = region(page, 'Needs attention').getByRole('link');
  await notice.waitFor();
  expect(await notice.allTextContents()).toEqual(['1 set of credentials for Queues expires within 14 days']);
  expect(await notice.getAttribute('href')).toBe(
    `/console/queues/?region=fr-par&project=${projectId}&status=enabled&expires=14#credentials`,
  );
  await page.getByLabel('Region').selectOption('nl-ams');
  await main.getByText('0 accounts', { exact: true }).waitFor();
  await expect.poll(() => main.getByText('Not active here yet').count()).toBe(2);
  await main.getByRole('link', { name: 'Queues' }).click();
  await page.waitForURL(/\/console\/queues\//);
  await expect.poll(() => page.getByLabel('Region').inputValue()).toBe('nl-ams');
});

describe('the page of a NATS account', () => {
  it('loads from the account’s ID and region alone, and generates credentials', async () => {
    const { account } = await newCreds(local, 'nl-ams');
    const page = await browser.open(`/console/nats/account/?id=${account}&region=nl-ams`);
    await page.getByText(account).waitFor();
    expect(new URL(page.url()).searchParams.get('account')).toBeNull();
    await region(page, 'Credentials').getByText('Full access').waitFor();
    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('from the console');
    await form.getByLabel('Expires').selectOption('In 90 days');
    await form.getByText('More', { exact: true }).click();
    await form.getByLabel('Tags').fill('production');
    await form.getByLabel('Description').fill('of the test');
    await page.keyboard.press('Enter');
    await dialog(page, 'Save your credentials').waitFor();
    await save(page);
    await region(page, 'Credentials')
      .getByRole('row', { name: /from the console/ })
      .waitFor();
    const path = `/mnq/v1beta1/regions/nl-ams/nats-credentials?nats_account_id=${account}&name=console`;
    const { nats_credentials: created } = await api<{ nats_credentials: { expires_at: string }[] }>(
      local,
      'GET',
      path,
    );
    expect(created).toMatchObject([{ tags: ['production'], description: 'of the test' }]);
    const days = (Date.parse(created[0]?.expires_at ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(90, 1);
  });

  it('creates a role from a preset, which applies to credentials with it, follows changes, and is not deleted while it is used', async () => {
    const { account } = await newCreds(local, 'fr-par');
    const page = await browser.open(`/console/nats/account/?id=${account}&region=fr-par`);
    const roles = region(page, 'Roles');
    await roles.getByText('This account has no roles yet').waitFor();
    await roles.getByRole('button', { name: 'Create role' }).click();
    const form = dialog(page, 'Create a role');
    await form.getByLabel('Name', { exact: true }).fill('order-service');
    await form.getByLabel('Preset').selectOption('Send requests');
    await form.getByText('A request can name any reply subject').waitFor();
    await form.getByRole('button', { name: 'Save role' }).click();
    await form.getByRole('alert').getByRole('link', { name: 'Enter a subject' }).click();
    await page.keyboard.type('orders.bad subject');
    await page.keyboard.press('Tab');
    await form.getByRole('button', { name: 'Save role' }).click();
    const allow = form.getByRole('group', { name: 'Publish' }).getByLabel('Allow');
    await expect.poll(() => allow.getAttribute('aria-invalid')).toBe('true');
    expect(browser.complaints.splice(0).join()).toContain('400');
    expect(await axe(page)).toEqual([]);
    await form.getByLabel('Subjects', { exact: true }).fill('orders.>');
    expect(await allow.inputValue()).toBe('orders.>');
    expect(await form.getByRole('group', { name: 'Subscribe' }).getByLabel('Allow').inputValue()).toBe(
      '_INBOX.>',
    );
    await form.getByRole('button', { name: 'Save role' }).click();
    await roles.getByRole('status').getByText('Created order-service. 1 of 1 server').waitFor();
    expect(await roles.getByRole('cell').nth(0).textContent()).toBe('orders.>');

    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    const generate = dialog(page, 'Generate credentials');
    await generate.getByLabel('Name').fill('order-service-1');
    await generate.getByLabel('Role').selectOption('order-service');
    await page.keyboard.press('Enter');
    const saved = dialog(page, 'Save your credentials');
    await saved.getByRole('button', { name: 'Test these credentials' }).click();
    await saved.getByText('the credentials have a role').waitFor();
    await saved.getByRole('button', { name: /^Show / }).click();
    const content = await saved
      .getByRole('group', { name: /\.creds$/ })
      .locator('pre')
      .innerText();
    await save(page);
    const row = region(page, 'Credentials').getByRole('row', { name: /order-service-1/ });
    await row.getByText('Role', { exact: true }).waitFor();

    const url = local.stack.nats.get('fr-par')?.url ?? '';
    const connection = await connectWith(url, content, { reconnect: true });
    const violations: string[] = [];
    void (async () => {
      for await (const status of connection.status())
        if (status.type === 'error') violations.push(status.error.message);
    })();
    const publish = async (subject: string) => {
      connection.publish(subject);
      await connection.flush();
    };
    await publish('orders.new');
    expect(violations).toEqual([]);
    await publish('invoices.new');
    await expect.poll(() => violations.join()).toContain('invoices.new');

    const choose = async (item: string) => {
      await roles.getByRole('button', { name: 'See more actions for order-service' }).click();
      await page.getByRole('menuitem', { name: item }).click();
    };
    await choose('Update role');
    const update = dialog(page, 'Update role');
    await update.getByText('1 set of credentials uses this role, with 1 open connection.').waitFor();
    await update.getByRole('group', { name: 'Publish' }).getByLabel('Allow').fill('invoices.>');
    await update.getByRole('button', { name: 'Save role' }).click();
    await roles.getByRole('status').getByText('Updated order-service. 1 of 1 server').waitFor();
    const denied = async (subject: string) => {
      violations.length = 0;
      await publish(subject);
      await sleep(50);
      return violations.length > 0;
    };
    await expect.poll(() => denied('invoices.new'), { timeout: 10_000 }).toBe(false);
    expect(await denied('orders.new')).toBe(true);
    await connection.close();

    await choose('Delete role');
    const question = page.getByRole('alertdialog', { name: 'Delete this role?' });
    await question.getByRole('listitem').getByText('order-service-1').waitFor();
    await question.getByRole('button', { name: 'Delete role' }).click();
    await question.getByRole('alert').getByText('it was not deleted').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('412');
    await question.getByRole('link', { name: 'order-service-1' }).click();
    await page.getByText('Role order-service', { exact: true }).waitFor();
  });

  it('opens from the list, and distinguishes accounts of different regions', async () => {
    const { account } = await newCreds(local, 'fr-par');
    const page = await browser.open('/console/nats/?region=fr-par');
    await region(page, 'NATS accounts').locator(`a[href*="${account}"]`).click();
    await page.waitForURL((url) => url.searchParams.get('id') === account);
    await page.getByText(account).waitFor();
    await page.goto(`/console/nats/account/?id=${account}&region=nl-ams`);
    await page.getByText('NATS account does not exist in this region').waitFor();
    await page.getByRole('link', { name: 'All NATS accounts' }).last().click();
    await region(page, 'NATS accounts').waitFor();
    expect(browser.complaints.splice(0).every((text) => text.includes('404'))).toBe(true);
  });

  it('opens for an account that was just created', async () => {
    const page = await browser.open(`/console/nats/?region=fr-par&project=${await newProject(local)}`);
    await region(page, 'NATS accounts').getByText('no NATS account').waitFor();
    await page.getByRole('button', { name: 'Create account' }).click();
    await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/console\/nats\/account\//);
    await page.getByRole('heading', { name: 'Production' }).waitFor();
  });

  it('returns to the list after its account is deleted', async () => {
    const projectId = await newProject(local);
    const account = await newAccount(projectId, 'Short-lived');
    const page = await browser.open(`/console/nats/account/?id=${account}&region=fr-par`);
    await page.getByRole('button', { name: 'Delete account' }).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete account' }).click();
    await page.getByRole('status').getByText('Deleted Short-lived.').waitFor();
    await page.getByRole('link', { name: 'Choose a NATS account' }).waitFor();
  });
});

describe.each([
  { path: '/console/queues/', label: 'Queues', things: 'Queues' },
  { path: '/console/topics-and-events/', label: 'Topics and Events', things: 'Topics' },
])('the console page $path', ({ path, label, things }) => {
  const create = async (projectId: string, names: string[]) => {
    const service = label === 'Queues' ? 'sqs' : 'sns';
    const credentials = await newCredentials(local, service, ALL, { projectId });
    for (const name of names) {
      if (service === 'sqs')
        await sqsClient(local, credentials).send(new CreateQueueCommand({ QueueName: name }));
      else await snsClient(local, credentials).send(new CreateTopicCommand({ Name: name }));
    }
  };

  it('activates the product, then lists the resources that clients create', async () => {
    const projectId = await newProject(local);
    const page = await browser.open(`${path}?region=fr-par&project=${projectId}`);
    const list = region(page, things);
    await list.getByRole('button', { name: `Activate ${label}` }).click();
    await list.getByRole('status').getByText(`${label} is active in Paris`).waitFor();
    await list.getByRole('link', { name: 'Connect a client' }).waitFor();
    await create(projectId, ['orders', 'invoices']);
    await page.reload();
    const cells = list.getByRole('rowheader');
    await expect.poll(() => cells.allTextContents()).toEqual(['invoices', 'orders']);
    await list.getByRole('button', { name: 'Copy the address of orders' }).click();
    await list.getByRole('status').getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/[/:]orders$/);
  });

  it('shows the tab in the URL, with mouse and keyboard', async () => {
    const projectId = await newProject(local);
    await activate(local, 'fr-par', projectId);
    const page = await browser.open(`${path}?region=fr-par&project=${projectId}#credentials`);
    const credentials = region(page, `Credentials for ${label}`);
    await credentials.getByText(`no credentials for ${label}`).waitFor();
    await page.getByRole('tab', { name: 'Credentials' }).focus();
    await page.keyboard.press('ArrowLeft');
    await region(page, things).waitFor();
    expect(await credentials.isVisible()).toBe(false);
    await expect.poll(() => new URL(page.url()).hash).toBe('#overview');
    await page.getByRole('tab', { name: 'Credentials' }).click();
    await credentials.waitFor();
  });

  it('asks a signed-out visitor to sign in, and returns them to the tab', async () => {
    const page = await browser.open(`${path}?region=nl-ams#credentials`, { stranger: true });
    const link = region(page, `Credentials for ${label}`).getByRole('link', { name: 'Sign in' });
    expect(decodeURIComponent((await link.getAttribute('href')) ?? '')).toBe(
      `/sign-in/?return=${path}?region=nl-ams#credentials`,
    );
  });
});

it('lists more queues than one response contains', async () => {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId);
  const queues = sqsClient(local, await newCredentials(local, 'sqs', ALL, { projectId }));
  const names = Array.from({ length: 53 }, (_, index) => `queue-${`${index}`.padStart(2, '0')}`);
  await Promise.all(names.map((QueueName) => queues.send(new CreateQueueCommand({ QueueName }))));
  const page = await browser.open(`/console/queues/?region=fr-par&project=${projectId}`);
  const list = region(page, 'Queues');
  await list.getByRole('button', { name: 'Show more queues' }).click();
  await expect.poll(() => list.getByRole('rowheader').allTextContents()).toEqual(names);
  expect(await list.locator('tr:focus').getByRole('rowheader').textContent()).toBe('queue-50');
  expect(await list.getByRole('button', { name: 'Show more queues' }).isVisible()).toBe(false);
});

describe('the list of queues', () => {
  const QUEUES = '/console/queues/';
  const list = (page: Page) => region(page, 'Queues');
  /** Delays requests until the returned function is called. */
  async function delayRequests(page: Page, url: string | RegExp): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route(url, async (route) => {
      await promise;
      await route.continue().catch(() => undefined);
    });
    return resolve;
  }

  it('ignores a late response of a previously selected project (race)', async () => {
    const projectId = await newProject(local);
    await activate(local, 'fr-par', projectId, ['sqs']);
    const page = await browser.open('/concepts/');
    const release = await delayRequests(page, '**/regions/fr-par/queues?*');
    const listed = page.waitForRequest('**/regions/fr-par/queues?*');
    await page.goto(`${QUEUES}?region=fr-par&project=${projectId}`);
    await listed;
    await page.getByLabel('Region').selectOption('nl-ams');
    await list(page).getByText('is not active for this project').waitFor();
    const late = page.waitForResponse('**/regions/fr-par/queues?*');
    release();
    await late;
    await sleep(100);
    expect(await list(page).getByText('is not active for this project').isVisible()).toBe(true);
  });

  it('shows that the product is active while the list loads', async () => {
    const page = await browser.open(`${QUEUES}?region=fr-par&project=${await newProject(local)}`);
    const release = await delayRequests(page, '**/regions/fr-par/queues?*');
    await list(page).getByRole('button', { name: 'Activate Queues' }).click();
    await list(page).getByRole('status').getByText('Queues is active in Paris').waitFor();
    release();
    await list(page).getByRole('link', { name: 'Connect a client' }).waitFor();
    expect(await list(page).getByRole('status').textContent()).toContain('Queues is active in Paris');
  });

  it('reports a script for activation that fails to load, in its own tab', async () => {
    const page = await browser.open(`${QUEUES}?region=fr-par&project=${await newProject(local)}`);
    await page.route(/\/access-key-credentials\.actions\.[^.]+\.js$/, (route) => route.abort());
    await list(page).getByRole('button', { name: 'Activate Queues' }).click();
    await list(page).getByRole('alert').getByText('could not be loaded').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
  });

  it('keeps the focus when it is reloaded', async () => {
    const projectId = await newProject(local);
    const page = await browser.open('/concepts/');
    await page.route('**/sqs-info?*', (route) => route.abort());
    await page.goto(`${QUEUES}?region=fr-par&project=${projectId}`);
    const retry = list(page).getByRole('button', { name: 'Try again' });
    await retry.waitFor();
    browser.complaints.splice(0);
    await page.unroute('**/sqs-info?*');
    await retry.click();
    await list(page).getByText('is not active for this project').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Queues');
  });

  it('lets the reader select a project only after its script has loaded, and keeps the selection', async () => {
    const page = await browser.open('/concepts/');
    const release = await delayRequests(page, /\/access-key-credentials\.[^.]+\.js$/);
    await page.goto(`${QUEUES}?region=fr-par&project=${await newProject(local)}`);
    const select = page.getByLabel('Region');
    expect(await select.isDisabled()).toBe(true);
    release();
    await select.selectOption('nl-ams');
    await list(page).getByText('is not active for this project').waitFor();
    expect(await select.inputValue()).toBe('nl-ams');
  });

  it('reports a script that fails to load, and reloads the page on retry', async () => {
    const page = await browser.open('/concepts/');
    const script = /\/access-key-credentials\.[^.]+\.js$/;
    await page.route(script, (route) => route.abort());
    await page.goto(`${QUEUES}?region=fr-par&project=${await newProject(local)}#credentials`);
    const credentials = region(page, 'Credentials for Queues');
    await credentials.getByText('could not be loaded').waitFor();
    expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
    await page.unroute(script);
    await credentials.getByRole('button', { name: 'Try again' }).click();
    await credentials.getByText('is not active for this project').waitFor();
  });
});

describe.each([
  { product: 'nats', label: 'NATS', path: '/console/nats/account/', total: 7 },
  { product: 'sqs', label: 'Queues', path: '/console/queues/', total: 53 },
  { product: 'sns', label: 'Topics and Events', path: '/console/topics-and-events/', total: 7 },
] as const)('a long list of credentials for $label', ({ product, label, path, total }) => {
  const AT = `/mnq/v1beta1/regions/fr-par/${product}-credentials`;
  const panel = (page: Page) => region(page, product === 'nats' ? 'Credentials' : `Credentials for ${label}`);
  const row = (page: Page, name: string) => panel(page).getByRole('row').filter({ hasText: name });
  const names = (page: Page) =>
    panel(page).locator('[data-list="credentials"] [data-text="name"]').allTextContents();
  const nameOf = (number: number) => `service-${`${number}`.padStart(2, '0')}`;

  /** Creates the credentials, the last one first in the list. Returns the ids and the page's path. */
  async function createList(): Promise<{ ids: string[]; url: string }> {
    const project_id = await newProject(local);
    const account = product === 'nats' ? await newAccount(project_id, 'Production') : '';
    if (!account) await activate(local, 'fr-par', project_id);
    const parent = account
      ? { nats_account_id: account }
      : { project_id, permissions: { can_receive: true } };
    const special: Record<number, object> = {
      1: { tags: ['prod', 'eu'] },
      2: { expires_at: new Date(Date.now() + 5.5 * 86_400_000).toISOString() },
    };
    const ids: string[] = [];
    for (let number = 1; number <= total; number++) {
      const body = { ...parent, name: nameOf(number), ...special[number] };
      ids.push((await api<{ id: string }>(local, 'POST', AT, body)).id);
    }
    await api(local, 'POST', `${AT}/${ids[2]}/disable`, { reason: 'leaked' });
    // Older than the filters for credentials that are not used.
    const database = await local.stack.database('REGION_FR_PAR');
    await database
      .prepare(
        'update credentials set created_at = created_at - ? where id in (select value from json_each(?))',
      )
      .bind(100 * 86_400_000, JSON.stringify(ids))
      .run();
    const at = account ? `id=${account}` : `project=${project_id}`;
    return { ids, url: `${path}?region=fr-par&${at}${account ? '' : '#credentials'}` };
  }

  it('is searched, filtered, sorted, counted and changed several rows at a time', {
    timeout: 120_000,
  }, async () => {
    const { ids, url } = await createList();
    const page = await browser.open('/healthz');
    const usage: string[] = [];
    page.on('request', (request) => request.url().includes('-usage?') && usage.push(request.url()));
    await page.goto(url);
    const search = panel(page).getByRole('searchbox', { name: /^Search by name or/ });
    const filters = page.getByRole('dialog', { name: 'Filter and sort' });
    const parameters = () => new URL(page.url()).searchParams;
    const shown = Math.min(total, 50);
    await search.waitFor();
    expect(await names(page)).toHaveLength(shown);

    // One request for the usage of all rows.
    await expect
      .poll(() =>
        panel(page)
          .getByRole('cell', { name: /^(0|none)$/ })
          .count(),
      )
      .toBe(shown);
    expect(usage).toHaveLength(1);

    // More rows, and the number of all.
    if (total > 50) {
      await panel(page).getByText(`50 of ${total}`).waitFor();
      await panel(page).getByRole('button', { name: 'Show more credentials' }).click();
      await expect.poll(() => names(page)).toHaveLength(total);
    }

    // Marks and tags.
    await row(page, nameOf(1)).getByText('prod', { exact: true }).waitFor();
    await row(page, nameOf(2)).getByText('Expires in 5 days').waitFor();
    await row(page, nameOf(3)).getByText('Disabled', { exact: true }).waitFor();
    await row(page, nameOf(3)).getByText('Reason: leaked').waitFor();

    // Search by a part of the name. A reload keeps it.
    await search.fill(`ICE-04`);
    await expect.poll(() => names(page)).toEqual([nameOf(4)]);
    await panel(page).getByRole('status').getByText('1 result', { exact: true }).waitFor();
    await page.reload();
    await expect.poll(() => names(page)).toEqual([nameOf(4)]);
    expect(await search.inputValue()).toBe('ICE-04');
    await search.fill('nothing has this name');
    await panel(page).getByText('No credentials match.').waitFor();
    await panel(page).getByRole('button', { name: 'Show all credentials' }).click();
    await expect.poll(() => names(page)).toHaveLength(shown);
    expect(parameters().has('search')).toBe(false);

    // Search by the whole key.
    const wire = await api<{ access_key?: string; public_key?: string }>(local, 'GET', `${AT}/${ids[4]}`);
    await search.fill(wire.access_key ?? wire.public_key ?? '');
    await expect.poll(() => names(page)).toEqual([nameOf(5)]);
    await search.fill('');
    await expect.poll(() => names(page)).toHaveLength(shown);

    // Filters. Esc closes them and returns to the button.
    const button = panel(page).getByRole('button', { name: 'Filter and sort' });
    await button.click();
    await filters.getByLabel('Status').selectOption('Disabled');
    await expect.poll(() => names(page)).toEqual([nameOf(3)]);
    expect(await inspect(page, { part: 'main' })).toEqual([]);
    await page.setViewportSize(WIDE);
    await filters.getByLabel('Status').selectOption('Any');
    await filters.getByLabel('Tags').fill('prod, eu');
    await filters.getByLabel('Expires').focus();
    await expect.poll(() => names(page)).toEqual([nameOf(1)]);
    await page.keyboard.press('Escape');
    await filters.waitFor({ state: 'hidden' });
    await panel(page).getByRole('button', { name: 'Remove filter: Tag: prod' }).click();
    await panel(page).getByRole('button', { name: 'Remove filter: Tag: eu' }).click();
    await expect.poll(() => names(page)).toHaveLength(shown);
    await button.click();
    await filters.getByLabel('Expires').selectOption('Within 7 days, or expired');
    await expect.poll(() => names(page)).toEqual([nameOf(2)]);
    await filters.getByLabel('Expires').selectOption('Any time, or never');
    await filters.getByLabel('Last used').selectOption('Not in 90 days');
    await panel(page).getByText(`${total} results`, { exact: true }).waitFor();
    await filters.getByRole('button', { name: 'Done' }).click();

    // Sort by a column. The page keeps the order when the reader comes back to it.
    const head = panel(page).getByRole('columnheader', { name: 'Name' });
    await head.getByRole('button').click();
    await expect.poll(async () => (await names(page))[0]).toBe(nameOf(1));
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    await page.goto('/console/');
    await page.goBack();
    await expect.poll(async () => (await names(page))[0]).toBe(nameOf(1));
    expect([parameters().get('sort'), parameters().get('unused')]).toEqual(['name_asc', '90']);
    if (total > 50) await panel(page).getByRole('button', { name: 'Show more credentials' }).click();
    await expect.poll(() => names(page)).toHaveLength(total);

    // Select with the keyboard, and disable. The place is kept.
    const box = (number: number) =>
      row(page, nameOf(number)).getByRole('checkbox', { name: `Select ${nameOf(number)}` });
    await box(total - 1).focus();
    await page.keyboard.press('Space');
    await box(total).check();
    const bar = page.getByRole('group', { name: 'Selected credentials' });
    await bar.getByText('2 selected').waitFor();
    expect(await bar.getByRole('button', { name: 'Enable' }).count()).toBe(0);
    await bar.getByRole('button', { name: 'Disable' }).click();
    const disable = page.getByRole('dialog', { name: 'Disable these credentials?' });
    await disable.getByText('This changes 2 sets of credentials.').waitFor();
    await disable.getByText(nameOf(total)).waitFor();
    expect(await inspect(page)).toEqual([]);
    await page.setViewportSize(WIDE);
    await disable.getByLabel('Reason').fill('rebuilt');
    await disable.getByRole('button', { name: 'Disable credentials' }).click();
    await panel(page).getByRole('status').getByText('Disabled 2 sets of credentials.').waitFor();
    await row(page, nameOf(total)).getByText('Reason: rebuilt').waitFor();
    expect(await names(page)).toHaveLength(total);
    expect(await box(total - 1).evaluate((node) => node === document.activeElement)).toBe(true);
    const { y, height } = (await box(total - 1).boundingBox()) ?? { y: -1, height: 0 };
    expect(y > 0 && y + height < 900).toBe(true);

    // Several at once of which one was revoked in the meantime, and one is disabled.
    await box(4).check();
    await box(5).check();
    await box(3).check();
    await api(local, 'DELETE', `${AT}/${ids[3]}`);
    await bar.getByRole('button', { name: 'Enable' }).click();
    const enable = page.getByRole('dialog', { name: 'Enable these credentials?' });
    await enable.getByText('This changes 1 set of credentials. 2 others will stay as they are.').waitFor();
    await enable.getByRole('button', { name: 'Cancel' }).click();
    await bar.getByRole('button', { name: 'Revoke' }).click();
    const revoke = page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
    await revoke.getByText('This changes 2 sets of credentials').waitFor();
    await revoke.getByRole('button', { name: 'Revoke credentials' }).click();
    const status = panel(page).getByRole('status').getByText('Revoked 2 sets of credentials.');
    await status.waitFor();
    expect(await status.textContent()).toContain(`Not changed: ${nameOf(4)} (no longer exists).`);
    await expect.poll(() => names(page)).toHaveLength(total - 3);
    await bar.waitFor({ state: 'hidden' });

    // All rows that are shown.
    await panel(page).getByRole('checkbox', { name: 'Select all shown' }).first().check();
    await bar.getByText(`${total - 3} selected`).waitFor();
    await bar.getByRole('button', { name: 'Clear selection' }).click();
    await bar.waitFor({ state: 'hidden' });
  });
});

describe('the page of credentials', () => {
  const AT = '/mnq/v1beta1/regions/fr-par';
  const chart = (page: Page, title: string) => region(page, 'Usage').getByRole('img', { name: title });
  const history = (page: Page) =>
    region(page, 'History')
      .getByRole('rowheader')
      .evaluateAll((cells) => cells.map((cell) => cell.firstElementChild?.textContent));

  it.each([
    { product: 'sqs', path: '/console/queues/', label: 'Queues', action: 'CreateQueue' },
    {
      product: 'sns',
      path: '/console/topics-and-events/',
      label: 'Topics and Events',
      action: 'CreateTopic',
    },
  ] as const)(
    'for $label shows their usage, rotation and history, and revokes them',
    async ({ product, path, action }) => {
      const projectId = await newProject(local);
      await activate(local, 'fr-par', projectId);
      const credentials = await newCredentials(local, product, ALL, { projectId });
      const at = `${AT}/${product}-credentials/${credentials.id}`;
      const use = (keys: Credentials, name: string) =>
        product === 'sqs'
          ? sqsClient(local, keys).send(new CreateQueueCommand({ QueueName: name }))
          : snsClient(local, keys).send(new CreateTopicCommand({ Name: name }));
      await use(credentials, 'orders');
      await api(local, 'PATCH', at, { name: 'checkout', resources: ['orders'], tags: ['prod'] });
      await expect(use(credentials, 'invoices')).rejects.toThrow();
      const renewed = await api<Credentials>(local, 'POST', `${at}/rotate`, {});
      await use({ ...credentials, ...renewed }, 'orders');
      type Usage = { buckets: { requests: Record<string, number> }[] };
      const counted = async () =>
        (await api<Usage>(local, 'GET', `${at}/usage`)).buckets.at(-1)?.requests[action];
      await expect.poll(counted, { timeout: 15_000 }).toBe(3);

      const page = await browser.open(`${path}?region=fr-par&project=${projectId}#credentials`);
      await page.getByRole('link', { name: 'checkout' }).click();
      await page.waitForURL((url) => url.pathname === `${path}credentials/`);
      await region(page, 'checkout').getByText('Enabled', { exact: true }).waitFor();
      const facts = region(page, 'checkout').locator('.facts').first();
      for (const fact of [renewed.access_key, projectId, 'Write, Read, Manage', 'orders', 'Anywhere', 'prod'])
        await facts.getByText(fact, { exact: true }).waitFor();
      await facts.getByText(/ from \S+ with aws-sdk-js/).waitFor();
      const keys = page.getByRole('table', { name: 'Rotation in progress' }).getByRole('row').nth(1);
      expect(await keys.getByRole('cell').allTextContents()).toEqual([
        renewed.access_key,
        credentials.access_key,
      ]);

      const all = /^Requests in the last day: succeeded 2, failed 0, throttled 0, denied 1$/;
      await chart(page, 'Requests').waitFor();
      expect(await chart(page, 'Requests').getAttribute('aria-label')).toMatch(all);
      await region(page, 'Usage')
        .getByRole('row', { name: `${action} 3` })
        .waitFor();
      await pressAt(page, region(page, 'Usage').getByRole('button', { name: 'Week' }));
      await chart(page, 'Requests in the last week').waitFor();
      await pressAt(page, region(page, 'Usage').getByText('Show the numbers as a table'));
      expect(await region(page, 'Usage').getByRole('table').first().getByRole('row').count()).toBe(29);

      await expect.poll(() => history(page)).toEqual(['Rotated', 'Updated', 'Created']);
      await region(page, 'History').getByText('Details').nth(1).click();
      await region(page, 'History').getByText('none → orders', { exact: true }).waitFor();
      expect(await inspect(page, { part: 'main' })).toEqual([]);

      await region(page, 'checkout').getByRole('button', { name: 'Revoke' }).click();
      await page
        .getByRole('alertdialog')
        .getByRole('button', { name: /^Revoke/ })
        .click();
      await page.getByRole('status').getByText('Revoked checkout.').waitFor();
      await page.getByText('These credentials do not exist in this region').waitFor();
      expect(await region(page, 'Usage').isVisible()).toBe(false);
      expect(browser.complaints.splice(0).every((text) => text.includes('404'))).toBe(true);
    },
  );

  it('for NATS shows connections and messages, and recovers from requests that fail', async () => {
    const creds = await newCreds(local, 'fr-par');
    const client = await connectWith(local.stack.nats.get('fr-par')?.url ?? '', creds.content);
    client.subscribe('orders', { callback: () => {} });
    for (let time = 0; time < 5; time++) client.publish('orders', 'x');
    await client.flush();
    await local.stack.schedule();
    await client.close();
    const page = await browser.open('/concepts/');
    await page.route('**/usage?*', (route) => route.abort());
    await page.goto(`/console/nats/credentials/?id=${creds.id}&region=fr-par`);
    await region(page, 'Usage').getByRole('alert').getByText('did not respond').waitFor();
    await page.unroute('**/usage?*');
    await region(page, 'Usage').getByRole('button', { name: 'Try again' }).click();
    await chart(page, 'Connections in the last day: most at once 1').waitFor();
    await chart(page, 'Messages in the last day: from clients 5, to clients 5').waitFor();
    await region(page, 'Usage').getByRole('row', { name: '127.0.0.0/24' }).waitFor();
    await expect.poll(() => history(page)).toEqual(['Created']);
    expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
    const name = await page.locator('[data-panel="credential"] h2').textContent();
    await region(page, `${name}`).getByText('Full access').waitFor();
    expect(await inspect(page, { part: 'main' })).toEqual([]);
    await page.goto(`/console/nats/credentials/?id=${creds.id}&region=nl-ams`);
    await page.getByText('These credentials do not exist in this region').waitFor();
    expect(browser.complaints.splice(0).every((text) => text.includes('404'))).toBe(true);
  });
});
