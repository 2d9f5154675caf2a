/**
 * The forms of Queues and of Topics and Events in both guides, in a real browser on the real stack: their texts,
 * secrets and confirmations. guide-walks.test.ts tests the keys.
 */
import { setTimeout as sleep } from 'node:timers/promises';
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
import { newProject } from './gateway-clients.ts';
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
    await panel(page, product).getByText('no credentials').waitFor();
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
    expect(await listed(local, product, at, project)).toMatchObject([{ name: 'orders', access_key }]);
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
    await change.getByRole('button', { name: 'Update credentials' }).click();
    await status(page, product).getByText('Updated billing.').waitFor();
    await row(page, product, 'billing').getByRole('cell', { name: 'Manage', exact: true }).waitFor();
    expect(await listed(local, product, at, project)).toMatchObject([
      { name: 'billing', permissions: { can_publish: false, can_receive: false, can_manage: true } },
    ]);
    expect(await stepsDone(page, product.list)).toEqual([1, 2, 3]);

    await more(page, product, 'billing', 'Revoke');
    const alert = page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
    expect(await hasFocus(alert.getByRole('button', { name: 'Cancel' }))).toBe(true);
    await alert.getByText('billing').waitFor();
    await alert.getByText('Last used: never.').waitFor();
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
  await page.keyboard.press('ArrowDown');
  expect(await hasFocus(page.getByRole('menuitem', { name: 'Revoke' }))).toBe(true);
  await page.keyboard.press('ArrowDown');
  expect(await hasFocus(page.getByRole('menuitem', { name: 'Update credentials' }))).toBe(true);
  await page.keyboard.press('r');
  expect(await hasFocus(page.getByRole('menuitem', { name: 'Revoke' }))).toBe(true);
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
