/**
 * The live panels of the guides in a real browser on the real stack: the style of outcomes, lists that detect changes
 * made elsewhere, readable errors, and preserved input.
 */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  activate,
  dialog,
  generate,
  hasFocus,
  open,
  PRODUCTS,
  panel,
  row,
  save,
  status,
} from './access-key-form.ts';
import { axe, region, useBrowser } from './browser.ts';
import {
  activate as activateByApi,
  type Credentials,
  newCredentials,
  newProject,
  revoke,
} from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { newAccount, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const [QUEUES] = PRODUCTS;
const AT = 'fr-par';

const alert = (part: Locator) => part.getByRole('alert');
const colorOf = (locator: Locator) => locator.evaluate((node) => getComputedStyle(node).color);

/** Activates a product in a new project, with credentials created through the API. */
async function openWithCredentials(
  names: string[],
): Promise<{ page: Page; project: string; sets: Credentials[] }> {
  const project = await newProject(local);
  await activateByApi(local, AT, project, ['sqs']);
  const sets: Credentials[] = [];
  for (const name of names) {
    const json = { project_id: project, name, permissions: { can_publish: true } };
    sets.push(await api(local, 'POST', `/mnq/v1beta1/regions/${AT}/sqs-credentials`, json));
  }
  return { page: await open(browser, 'manage', QUEUES, AT, project), project, sets };
}

/** Simulates the return from another tab. */
const returnToTab = (page: Page) =>
  page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));

describe('an outcome message', () => {
  it.each(['light', 'dark'] as const)('has the role and color of its kind, %s', async (colorScheme) => {
    const creds = await newCreds(local, AT);
    await newCreds(local, AT, creds.account);
    const page = await browser.open(`/how-to/manage-credentials/?region=${AT}&account=${creds.account}`, {
      colorScheme,
    });
    const part = region(page, 'Credentials');
    const ask = async (
      response: { status: number; headers?: Record<string, string>; body?: string },
      at: number,
    ) => {
      await page.route('**/nats-credentials/*', (route) =>
        route.request().method() === 'DELETE' ? route.fulfill(response) : route.fallback(),
      );
      await part
        .getByRole('button', { name: /^Revoke/ })
        .nth(at)
        .click();
      const responded = page.waitForResponse((one) => one.request().method() === 'DELETE');
      await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke credentials' }).click();
      await responded;
      await page.unroute('**/nats-credentials/*');
    };
    const enforced = { 'Latchkey-Enforcement': 'enforced; servers=1; acknowledged=1' };
    const pending = { 'Latchkey-Enforcement': 'pending; servers=1; acknowledged=0' };
    await ask({ status: 204, headers: enforced }, 0);
    const success = part.getByRole('status').filter({ hasText: '1 of 1 server' });
    await success.waitFor();
    const colors = [await colorOf(success)];
    expect(await axe(page)).toEqual([]);
    await ask({ status: 204, headers: pending }, 0);
    const waiting = part.getByRole('status').filter({ hasText: 'confirmed so far' });
    await waiting.waitFor();
    colors.push(await colorOf(waiting));
    expect(await axe(page)).toEqual([]);
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await page.getByRole('button', { name: 'Copy code' }).first().scrollIntoViewIfNeeded();
    await page.evaluate(() => customElements.whenDefined('code-samples').then(() => true));
    await page.getByRole('button', { name: 'Copy code' }).first().click();
    const failed = page.getByRole('alert').getByText('does not allow copying');
    await failed.waitFor();
    colors.push(await colorOf(failed));
    expect(await axe(page)).toEqual([]);
    expect(new Set(colors).size).toBe(3);
  });

  it('about rejected keys is an alert, not a success', async () => {
    const project = await newProject(local);
    const page = await open(browser, 'create', QUEUES, AT, project);
    await activate(page, QUEUES);
    await generate(page, QUEUES, 'orders', ['Manage']);
    const path = `/mnq/v1beta1/regions/${AT}/sqs-credentials?project_id=${project}`;
    const [set] = (await api<{ sqs_credentials: Credentials[] }>(local, 'GET', path)).sqs_credentials;
    await revoke(local, 'sqs', set as Credentials);
    const secret = dialog(page, 'Save your credentials');
    await secret.getByRole('button', { name: 'Test these credentials' }).click();
    await alert(secret).getByText('Refused by Queues in Paris').waitFor();
    expect(await secret.getByRole('status').textContent()).toBe('');
    browser.complaints.splice(0);
    await save(page);
    // Revoked while the secret was shown: must not be reported as created.
    await status(page, QUEUES).getByText('orders has been revoked.').waitFor();
  });
});

describe('a name with a bidirectional control character', () => {
  it('is isolated, also in the text for screen readers', async () => {
    const { page, sets } = await openWithCredentials(['orders']);
    await page.route('**/sqs-credentials?*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('orders', '\u202Esredro live') });
    });
    await page.reload();
    await row(page, QUEUES, 'sredro live').waitFor();
    expect(await page.evaluate(() => /\p{Bidi_Control}/u.test(document.body.outerHTML))).toBe(false);
    await panel(page, QUEUES)
      .getByRole('button', { name: /sredro live/ })
      .click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    const name = page.getByRole('alertdialog').locator('[data-text="name"]');
    expect(await name.evaluate((node) => getComputedStyle(node).unicodeBidi)).toBe('isolate');
    expect(sets).toHaveLength(1);
  });
});

describe('a list', () => {
  it('updates the last use of keys when the dialog that tested them closes', async () => {
    const page = await open(browser, 'create', QUEUES, AT, await newProject(local));
    await activate(page, QUEUES);
    await generate(page, QUEUES, 'orders', ['Write']);
    const secret = dialog(page, 'Save your credentials');
    await secret.getByRole('button', { name: 'Test these credentials' }).click();
    await secret.getByRole('status').getByText('Accepted by Queues in Paris').waitFor();
    browser.complaints.splice(0);
    await save(page);
    await status(page, QUEUES).getByText('Generated orders.').waitFor();
    expect(await row(page, QUEUES, 'orders').getByText('never').count()).toBe(0);
  });

  it('detects a revocation made elsewhere when the reader returns, and keeps the focus', async () => {
    const { page, sets } = await openWithCredentials(['one', 'two', 'three']);
    await row(page, QUEUES, 'two').waitFor();
    const button = panel(page, QUEUES).getByRole('button', { name: 'See more actions for two' });
    await button.focus();
    await revoke(local, 'sqs', sets[0] as Credentials);
    await returnToTab(page);
    await row(page, QUEUES, 'one').waitFor({ state: 'detached' });
    expect(await hasFocus(button)).toBe(true);
    await revoke(local, 'sqs', sets[1] as Credentials);
    await returnToTab(page);
    await row(page, QUEUES, 'two').waitFor({ state: 'detached' });
    const left = panel(page, QUEUES).getByRole('button', { name: 'See more actions for three' });
    expect(await hasFocus(left)).toBe(true);
  });

  it('keeps the reader’s page after an action', async () => {
    const { page } = await openWithCredentials(Array.from({ length: 60 }, (_, at) => `set-${at}`));
    await panel(page, QUEUES).getByText('50 of 60').waitFor();
    await panel(page, QUEUES).getByRole('button', { name: 'Show more credentials' }).click();
    await expect.poll(() => panel(page, QUEUES).getByRole('row').count()).toBe(61);
    const oldest = panel(page, QUEUES).getByRole('row').last();
    expect(await oldest.innerText()).toContain('set-0');
    await panel(page, QUEUES)
      .getByRole('button', { name: 'See more actions for set-2', exact: true })
      .click();
    await page.getByRole('menuitem', { name: 'Update credentials' }).click();
    const form = dialog(page, 'Update credentials');
    await form.getByLabel('Name').fill('renamed');
    await form.getByRole('button', { name: 'Update credentials' }).click();
    await status(page, QUEUES).getByText('Updated renamed.').waitFor();
    expect(await panel(page, QUEUES).getByRole('row').count()).toBe(61);
    const button = panel(page, QUEUES).getByRole('button', { name: 'See more actions for renamed' });
    expect(await hasFocus(button)).toBe(true);
    // The status must be visible there too, far below the top of the list.
    expect(
      await status(page, QUEUES).evaluate((node) => node.getBoundingClientRect().bottom),
    ).toBeLessThanOrEqual(900);
  });

  it('shows a resource whose creation lost its response, after the form is canceled', async () => {
    const { page } = await openWithCredentials([]);
    await page.route('**/sqs-credentials', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await panel(page, QUEUES).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('left');
    await form.getByRole('checkbox', { name: 'Write' }).check();
    await form.getByRole('button', { name: 'Generate credentials' }).click();
    await alert(form).getByText('What you typed is still here.').waitFor();
    browser.complaints.splice(0);
    await form.getByRole('button', { name: 'Cancel' }).click();
    await row(page, QUEUES, 'left').waitFor();
  });
});

describe('an error message', () => {
  it('names the region that failed, without form input', async () => {
    const { page } = await openWithCredentials([]);
    await page.route('**/sqs-info?*', (route) =>
      route.fulfill({ status: 503, json: { type: 'unavailable', message: 'temporarily unavailable' } }),
    );
    await page.reload();
    const problem = alert(panel(page, QUEUES)).getByText(
      'Paris is unavailable right now. Other regions are not affected.',
    );
    await problem.waitFor();
    await page.unroute('**/sqs-info?*');
    await page.route('**/sqs-info?*', (route) => route.abort());
    await panel(page, QUEUES).getByRole('button', { name: 'Try again' }).click();
    await alert(panel(page, QUEUES)).getByText('Latchkey did not respond').waitFor();
    expect(await panel(page, QUEUES).textContent()).not.toContain('typed');
    browser.complaints.splice(0);
  });

  it('about a revocation names the missing credentials, not the servers', async () => {
    const creds = await newCreds(local, AT);
    const page = await browser.open(`/how-to/manage-credentials/?region=${AT}&account=${creds.account}`);
    const button = region(page, 'Credentials').getByRole('button', { name: /^Revoke/ });
    await button.waitFor();
    await api(local, 'DELETE', `/mnq/v1beta1/regions/${AT}/nats-credentials/${creds.id}`);
    await button.click();
    await page.getByRole('alertdialog').getByText('These credentials no longer exist.').waitFor();
    expect(await page.getByRole('alertdialog').textContent()).not.toContain('servers did not');
    // The responses about the connections and about the last day.
    await expect.poll(() => browser.complaints.length).toBe(2);
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('404');
  });

  it('about an expired session updates the header, and the form keeps its input', async () => {
    const page = await browser.open(
      `/how-to/create-credentials/?region=${AT}&account=${await newAccount(local, AT)}#nats-generate`,
    );
    await page.getByRole('button', { name: /^Signed in as/ }).waitFor();
    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('kept');
    const cookies = await page.context().cookies();
    await page.context().clearCookies();
    await page.keyboard.press('Enter');
    await alert(form).getByText('Your session has ended. Sign in again to continue.').waitFor();
    const link = form.getByRole('link', { name: 'Sign in (opens a new tab)' });
    expect(await link.getAttribute('target')).toBe('_blank');
    expect(decodeURIComponent((await link.getAttribute('href')) ?? '')).toContain('#nats-generate');
    await page.locator('session-menu').getByText('Sign in', { exact: true }).first().waitFor();
    // Signed in again in the other tab.
    await page.context().addCookies(cookies);
    await page.keyboard.press('Escape');
    await returnToTab(page);
    await page.getByRole('button', { name: /^Signed in as/ }).waitFor();
    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    expect(await form.getByLabel('Name').inputValue()).toBe('kept');
    browser.complaints.splice(0);
  });
});

describe('a form', () => {
  it('marks all checkboxes of a group, and reports over-long text without truncating it', async () => {
    const { page } = await openWithCredentials([]);
    await panel(page, QUEUES).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('x'.repeat(600));
    await form.getByText('Too long: 600 characters. Use 500 at most.').waitFor();
    expect(await form.getByLabel('Name').inputValue()).toHaveLength(600);
    await form.getByRole('button', { name: 'Generate credentials' }).click();
    for (const name of ['Write', 'Read', 'Manage']) {
      expect(await form.getByRole('checkbox', { name }).getAttribute('aria-invalid')).toBe('true');
    }
  });
});

it('a leaked secret key is looked up by its checksum only', async () => {
  const projectId = await newProject(local);
  await activateByApi(local, AT, projectId, ['sqs']);
  const set = await newCredentials(local, 'sqs', { can_publish: true }, { projectId });
  const page = await browser.open('/console/');
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.getByRole('button', { name: 'Look up a key' }).click();
  await page.getByLabel('Key or .creds text').fill(`SECRET="${set.secret_key}"`);
  await page.getByRole('button', { name: 'Look up', exact: true }).click();
  await page.getByText('This secret key is known.').waitFor();
  expect(sent.filter((request) => request.includes('secret_checksum='))).toHaveLength(1);
  expect(sent.join()).not.toContain(set.secret_key);
});
