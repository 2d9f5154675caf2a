/**
 * The forms of Queues and of Topics and Events in both guides, in a real browser on the real stack: their texts,
 * secrets and confirmations. guide-walks.test.ts tests the keys.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  activate,
  dialog,
  download,
  generate,
  hasFocus,
  listed,
  more,
  open,
  PRODUCTS,
  panel,
  row,
  save,
  shownKeys,
  status,
} from './access-key-form.ts';
import { axe, stepsDone, useBrowser } from './browser.ts';
import { type Credentials, newProject, outcome, snsClient, sqsClient } from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);

const slowly = (page: Page) =>
  page.route('**/mnq/**', async (route) => {
    await sleep(400);
    await route.continue();
  });

// Alternating regions; guide-walks.test.ts tests both products in every region.
const CASES = PRODUCTS.map(
  (product, index) => [product.label, index === 0 ? 'nl-ams' : 'fr-par', product] as const,
);

describe.each(CASES)('the guides’ form of %s in %s', (_label, at, product) => {
  it('activates the product, then generates, lists, updates and revokes credentials', async () => {
    const project = await newProject(local);
    const page = await open(browser, 'create', product, at, project);
    expect(
      await panel(page, product).getByRole('button', { name: 'Generate credentials' }).isDisabled(),
    ).toBe(true);
    expect(await axe(page)).toEqual([]);
    await activate(page, product);
    await panel(page, product).getByText('There are no credentials').waitFor();
    expect(await stepsDone(page, product.list)).toEqual([1]);

    await panel(page, product).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByText(at === 'fr-par' ? 'Paris' : 'Amsterdam').waitFor();
    await form.getByLabel('Name').fill('orders');
    await form.getByRole('button', { name: 'Generate credentials' }).click();
    const summary = form.getByRole('alert');
    expect(await hasFocus(summary)).toBe(true);
    await form
      .getByRole('group', { name: 'Permissions' })
      .getByText('Select at least one permission')
      .waitFor();
    expect(await axe(page)).toEqual([]);
    await summary.getByRole('link', { name: 'Select at least one permission' }).click();
    expect(await hasFocus(form.getByRole('checkbox', { name: 'Write' }))).toBe(true);
    expect(await form.getByLabel('Name').inputValue()).toBe('orders');
    await slowly(page);
    await form.getByRole('checkbox', { name: 'Write' }).check();
    await form.getByRole('checkbox', { name: 'Read' }).check();
    await form.getByLabel('Expires').selectOption('On a date');
    await form.getByText('More', { exact: true }).click();
    await form.getByLabel('Only from these networks').fill('192.0.2.0/24\nParis');
    await form.getByText('More', { exact: true }).click();
    await form.getByRole('button', { name: 'Generate credentials' }).click();
    await summary.getByRole('link', { name: 'Choose a date' }).waitFor();
    await form.getByLabel('Last day').fill('2099-12-31');
    await form.getByRole('button', { name: 'Generate credentials' }).click();
    // The field is in a part of the form that was closed.
    await summary.getByRole('link', { name: 'Must be a CIDR block: 192.0.2.0/24 or 2001:db8::/32' }).click();
    expect(await hasFocus(form.getByLabel('Only from these networks'))).toBe(true);
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('400')]);
    expect(await axe(page)).toEqual([]);
    await form.getByLabel('Only from these networks').fill('192.0.2.0/24\n\n 2001:db8::/32 ');
    await form.getByLabel('Tags').fill('production\nteam, a');
    await form.getByRole('button', { name: 'Generate credentials' }).dblclick();
    await dialog(page, 'Save your credentials').waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    expect(await axe(page)).toEqual([]);

    const { access_key, secret_key } = await shownKeys(page);
    const slug = product.step.split('-')[0];
    const env = `AWS_ACCESS_KEY_ID=${access_key}\nAWS_SECRET_ACCESS_KEY=${secret_key}\nAWS_REGION=${at}\nAWS_DEFAULT_REGION=${at}\nAWS_ENDPOINT_URL_${product.id.toUpperCase()}=${local.stack.origin}\n`;
    expect(await download(page, '.env')).toEqual({
      name: `orders-${slug}-${at}.env`,
      content: env,
    });
    expect(await download(page, 'AWS profile')).toEqual({
      name: `orders-${slug}-${at}.aws`,
      content: `[profile orders-${slug}-${at}-${access_key.slice(-4)}]\naws_access_key_id = ${access_key}\naws_secret_access_key = ${secret_key}\nregion = ${at}\nendpoint_url = ${local.stack.origin}\n`,
    });
    expect((await download(page, 'CSV')).content.split('\n')[1]).toBe(
      `"orders","${product.label}","${at}","${local.stack.origin}","${access_key}","${secret_key}"`,
    );
    await page.getByRole('button', { name: 'Copy all' }).click();
    await dialog(page, 'Save your credentials').getByRole('status').getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(env);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await save(page);

    await row(page, product, 'orders').getByRole('cell', { name: 'Write, Read', exact: true }).waitFor();
    await row(page, product, 'orders').getByText(access_key).waitFor();
    expect(await stepsDone(page, product.list)).toEqual([1, 2, 4]);
    const [created] = await listed(local, product, at, project);
    expect(created).toMatchObject({
      name: 'orders',
      access_key,
      tags: ['production', 'team, a'],
      resources: null,
      source_ips: ['192.0.2.0/24', '2001:db8::/32'],
      expires_at: expect.stringMatching(/^(2099-12-31|2100-01-01)T/),
    });
    await expect.poll(() => page.content()).not.toContain(secret_key);

    await page.goto(`/how-to/manage-credentials/${new URL(page.url()).search}#${product.step}`);
    await row(page, product, 'orders').waitFor();
    await more(page, product, 'orders', 'Update credentials');
    const change = dialog(page, 'Update credentials');
    expect(await change.getByLabel('Name').inputValue()).toBe('orders');
    expect(await change.getByRole('checkbox', { checked: true }).count()).toBe(2);
    for (const box of ['Write', 'Read']) await change.getByRole('checkbox', { name: box }).uncheck();
    await change.getByRole('button', { name: 'Update credentials' }).click();
    await change.getByRole('link', { name: 'Select at least one permission' }).waitFor();
    await change.getByRole('checkbox', { name: 'Manage' }).check();
    await change.getByLabel('Name').fill('billing');
    expect(await change.getByLabel('Expires').inputValue()).toBe('keep');
    await change.getByText('More', { exact: true }).click();
    expect(await change.getByLabel('Tags').inputValue()).toBe('production\nteam, a');
    await change.getByLabel('Tags').fill('production');
    await change.getByLabel(/^Only these/).fill('orders-*');
    await change.getByLabel('Only from these networks').fill('');
    await change.getByRole('button', { name: 'Update credentials' }).click();
    await status(page, product).getByText('Updated billing.').waitFor();
    await row(page, product, 'billing').getByRole('cell', { name: 'Manage', exact: true }).waitFor();
    expect(await listed(local, product, at, project)).toMatchObject([
      {
        name: 'billing',
        permissions: { can_publish: false, can_receive: false, can_manage: true },
        tags: ['production'],
        resources: ['orders-*'],
        source_ips: null,
        expires_at: (created as { expires_at?: string }).expires_at,
      },
    ]);
    expect(await stepsDone(page, product.list)).toEqual([1, 2, 3]);

    const outcomeOf = async (credentials: Credentials): Promise<string> => {
      const send =
        product.id === 'sqs'
          ? sqsClient(local, credentials).send(new ListQueuesCommand())
          : snsClient(local, credentials).send(new ListTopicsCommand());
      return outcome(send);
    };
    const old = { ...(created as Credentials), secret_key };
    expect(await outcomeOf(old)).toBe('ok');
    await more(page, product, 'billing', 'Rotate');
    const rotate = dialog(page, 'Rotate credentials');
    await rotate.getByText('Until the new one is used, the old one keeps working.').waitFor();
    expect(await rotate.getByLabel('The old key ends after').inputValue()).toBe('86400');
    await rotate.getByLabel('The old key ends after').selectOption('7 days');
    expect(await axe(page)).toEqual([]);
    await rotate.getByRole('button', { name: 'Rotate credentials' }).click();
    const secret = dialog(page, 'Save your credentials');
    await secret.getByText('The old key ends 7 days after the first use of the new one.').waitFor();
    const fresh = { ...old, ...(await shownKeys(page)) };
    await save(page);
    await status(page, product).getByText('Rotated billing. The old key ends 7 days after').waitFor();
    const rotation = page.getByRole('alertdialog', { name: 'Rotation in progress' });
    await more(page, product, 'billing', 'Rotate');
    await rotation.getByText('First used: not used yet').waitFor();
    for (const { access_key: key } of [old, fresh]) await rotation.getByText(key).waitFor();
    expect(await hasFocus(rotation.getByRole('button', { name: 'Close' }))).toBe(true);
    expect(await axe(page)).toEqual([]);
    await rotation.getByRole('button', { name: 'Cancel rotation' }).click();
    await status(page, product)
      .getByText('Canceled the rotation of billing. The next request with the new key is denied.')
      .waitFor();
    expect([await outcomeOf(old), await outcomeOf(fresh)]).toEqual(['ok', 'InvalidClientTokenId']);

    await more(page, product, 'billing', 'Revoke');
    const alert = page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
    await expect.poll(() => alert.innerText()).toMatch(/\b\d requests? in the last day\. Networks: 127/);
    await alert.getByRole('button', { name: 'Disable instead' }).click();
    const disable = dialog(page, 'Disable these credentials?');
    await disable.getByText('Loading').waitFor({ state: 'hidden' });
    await disable.getByLabel('Reason').fill('a test');
    await disable.getByLabel('Revoke automatically').selectOption('After 7 days');
    expect(await axe(page)).toEqual([]);
    await disable.getByRole('button', { name: 'Disable credentials' }).click();
    await status(page, product).getByText('Disabled billing. Its next request is denied.').waitFor();
    expect(await listed(local, product, at, project)).toMatchObject([
      { status: 'disabled', disabled_reason: 'a test', revoke_at: expect.any(String) },
    ]);
    expect(await outcomeOf(old)).toBe('InvalidClientTokenId');
    await more(page, product, 'billing', 'Enable');
    await status(page, product).getByText('Enabled billing. Its requests are allowed again.').waitFor();
    expect(await outcomeOf(old)).toBe('ok');

    await more(page, product, 'billing', 'Revoke');
    expect(await hasFocus(alert.getByRole('button', { name: 'Cancel' }))).toBe(true);
    await alert.getByText('billing').waitFor();
    await alert.getByText('Last used: just now.').waitFor();
    await alert.getByText('This is irreversible.').waitFor();
    expect(await alert.getByText('belong to the project, so they remain').count()).toBe(
      product.id === 'sns' ? 1 : 0,
    );
    expect(await axe(page)).toEqual([]);
    await alert.getByRole('button', { name: 'Revoke credentials' }).click();
    await status(page, product).getByText('Revoked billing.').waitFor();
    expect(await row(page, product, 'billing').count()).toBe(0);
    expect(await listed(local, product, at, project)).toEqual([]);
    expect(await stepsDone(page, product.list)).toEqual([1, 2, 3, 4]);
  });
});

it('no form is enabled before a project is selected', async () => {
  const product = PRODUCTS[0];
  const project = await newProject(local);
  const page = await open(browser, 'create', product, 'fr-par', project);
  await activate(page, product);
  const release = Promise.withResolvers<void>();
  await page.route('**/account/v3/projects*', async (route) => {
    await release.promise;
    await route.continue();
  });
  await page.reload();
  await page.waitForFunction(() => customElements.get('access-key-credentials'));
  const button = panel(page, product).getByRole('button', { name: 'Generate credentials' });
  expect(await button.isDisabled()).toBe(true);
  release.resolve();
  await button.click();
  await dialog(page, 'Generate credentials').waitFor();
});

it('no form is enabled until the product’s status in another region is known', async () => {
  const product = PRODUCTS[0];
  const project = await newProject(local);
  const page = await open(browser, 'create', product, 'fr-par', project);
  await activate(page, product);
  const button = panel(page, product).getByRole('button', { name: 'Generate credentials' });
  expect(await button.isEnabled()).toBe(true);
  const release = Promise.withResolvers<void>();
  await page.route('**/regions/nl-ams/sqs-info*', async (route) => {
    await release.promise;
    await route.continue();
  });
  await page.getByLabel('Region').first().selectOption('nl-ams');
  expect(await button.isDisabled()).toBe(true);
  release.resolve();
  await panel(page, product).getByText('is not active for this project').waitFor();
  expect(await button.isDisabled()).toBe(true);
});

it('a button is busy until the script of its action is here', async () => {
  const product = PRODUCTS[0];
  const page = await open(browser, 'create', product, 'fr-par', await newProject(local));
  const release = Promise.withResolvers<void>();
  await page.route(/\/access-key-credentials\.actions\.[^.]+\.js$/, async (route) => {
    await release.promise;
    await route.continue();
  });
  const button = panel(page, product).getByRole('button', { name: 'Activate Queues' });
  const asked = page.waitForRequest(/\/access-key-credentials\.actions\./);
  await button.click();
  await asked;
  expect(await button.getAttribute('aria-busy')).toBe('true');
  release.resolve();
  await status(page, product).getByText('is active in').waitFor();
});

it('the guide reports a menu script that fails to load', async () => {
  const product = PRODUCTS[0];
  const page = await open(browser, 'create', product, 'fr-par', await newProject(local));
  await activate(page, product);
  await generate(page, product, 'orders', ['Read']);
  await save(page);
  await page.route(/\/row-menu\.[^.]+\.js$/, (route) => route.abort());
  await panel(page, product).getByRole('button', { name: 'See more actions for orders' }).click();
  await panel(page, product).getByRole('alert').getByText('could not be loaded').waitFor();
  expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
});

it('a row’s menu works with the keyboard only, and stays next to its button when the page scrolls', async () => {
  const product = PRODUCTS[0];
  const project = await newProject(local);
  const page = await open(browser, 'create', product, 'fr-par', project);
  await activate(page, product);
  await generate(page, product, 'orders', ['Read']);
  await save(page);
  const button = panel(page, product).getByRole('button', { name: 'See more actions for orders' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => hasFocus(page.getByRole('menuitem', { name: 'Update credentials' }))).toBe(true);
  expect(await axe(page)).toEqual([]);
  for (const name of ['Rotate', 'Disable', 'Revoke', 'Update credentials']) {
    await page.keyboard.press('ArrowDown');
    expect(await hasFocus(page.getByRole('menuitem', { name }))).toBe(true);
  }
  for (const name of ['Rotate', 'Revoke']) {
    await page.keyboard.press('r');
    expect(await hasFocus(page.getByRole('menuitem', { name }))).toBe(true);
  }
  await page.keyboard.press('u');
  expect(await hasFocus(page.getByRole('menuitem', { name: 'Update credentials' }))).toBe(true);
  await page.keyboard.press('Escape');
  await expect.poll(() => hasFocus(button)).toBe(true);
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const alert = page.getByRole('alertdialog');
  await alert.waitFor();
  await page.keyboard.press('Escape');
  await alert.waitFor({ state: 'hidden' });
  await expect.poll(() => hasFocus(button)).toBe(true);

  // With room below it, where the menu opens.
  await button.evaluate((node) => node.scrollIntoView({ block: 'center', behavior: 'instant' }));
  await button.click();
  const menu = page.getByRole('menu');
  const gap = async () => {
    const [above, below] = await Promise.all([button.boundingBox(), menu.boundingBox()]);
    return Math.round((below?.y ?? 0) - (above?.y ?? 0) - (above?.height ?? 0));
  };
  await expect.poll(gap).toBe(4);
  const before = await button.boundingBox();
  await page.mouse.wheel(0, -40);
  await expect.poll(async () => (await button.boundingBox())?.y).toBe((before?.y ?? 0) + 40);
  await expect.poll(gap).toBe(4);
  await page.evaluate(() => document.querySelector('main')?.style.setProperty('padding-top', '30px'));
  await expect.poll(gap).toBe(4);
  expect(await menu.isVisible()).toBe(true);
});
