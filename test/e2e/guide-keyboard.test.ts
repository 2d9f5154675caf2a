/**
 * Completes every form of the guides with the keyboard only, and checks the rules of every dialog: its name, its
 * focus, and what closes it. Other tests cover what the forms do.
 */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { dialog, hasFocus, listed, open, PRODUCTS, panel, row, status } from './access-key-form.ts';
import { region, useBrowser } from './browser.ts';
import { activate as activateByApi, newCredentials, newProject } from './gateway-clients.ts';
import { pressAt, tabTo } from './keyboard.ts';
import { api, useStack } from './local-stack.ts';
import { newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const REGION = 'nl-ams';

const button = (place: Locator | Page, name: string | RegExp) => place.getByRole('button', { name });
const alertNamed = (page: Page, name: string) => page.getByRole('alertdialog', { name });

describe('keyboard only:', () => {
  it('a NATS account and its credentials are created and deleted', async () => {
    const project = await newProject(local);
    const page = await browser.open(`/how-to/create-credentials/?region=fr-par&project=${project}`);
    const accounts = region(page, 'NATS accounts');
    const credentials = region(page, 'Credentials');
    await accounts.getByText('no NATS account').waitFor();
    await tabTo(page, page.getByRole('combobox', { name: 'Region' }).first());
    await page.keyboard.type('Amsterdam');
    await accounts.getByText('Amsterdam').waitFor();
    await pressAt(page, button(accounts, 'Create account'));
    await dialog(page, 'Create a NATS account').waitFor();
    await page.keyboard.type('Production');
    await page.keyboard.press('Enter');
    await expect.poll(() => hasFocus(page.getByRole('radio', { name: 'Production' }))).toBe(true);
    await credentials.getByText('no credentials yet').waitFor();
    await pressAt(page, button(credentials, 'Generate credentials'));
    await dialog(page, 'Generate credentials').waitFor();
    await page.keyboard.type('日本語 🔑');
    await page.keyboard.press('Enter');
    await pressAt(page, button(page, 'I have saved these credentials'));
    await page.getByText('You have not copied').waitFor();
    await page.keyboard.press('Enter');
    await credentials.getByText('Generated 日本語 🔑.').waitFor();
    await pressAt(page, button(credentials, 'Revoke 日本語 🔑'));
    await alertNamed(page, 'Revoke these credentials?').waitFor();
    await pressAt(page, button(page, 'Revoke credentials'));
    await credentials.getByText('1 of 1 server').waitFor();
    await expect.poll(() => hasFocus(credentials.getByRole('heading'))).toBe(true);

    // Only the guide to managing credentials offers to delete an account.
    await page.goto(page.url().replace('create-credentials', 'manage-credentials'));
    await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
    await pressAt(page, button(accounts, 'Delete account'));
    await pressAt(page, button(alertNamed(page, 'Delete this NATS account?'), 'Delete account'));
    await accounts.getByText(/^Deleted Production/).waitFor();
    const path = `/mnq/v1beta1/regions/${REGION}/nats-accounts?project_id=${project}`;
    expect(await api(local, 'GET', path)).toMatchObject({ total_count: 0 });
  });

  it.each(PRODUCTS)(
    '$label is activated, and its credentials are created, updated and revoked',
    async (product) => {
      const project = await newProject(local);
      const page = await open(browser, 'manage', product, REGION, project);
      const form = panel(page, product);
      await pressAt(page, button(form, /^Activate/));
      await status(page, product).getByText('is active in').waitFor();
      await pressAt(page, button(form, 'Generate credentials'));
      await dialog(page, 'Generate credentials').waitFor();
      await page.keyboard.type('orders');
      await pressAt(page, page.getByRole('checkbox', { name: 'Read' }), 'Space');
      await page.keyboard.press('Enter');
      await pressAt(page, button(page, 'I have saved these credentials'));
      await page.getByText('You have not copied').waitFor();
      await page.keyboard.press('Enter');
      await status(page, product).getByText('Generated orders.').waitFor();
      const more = button(form, 'See more actions for orders');
      await pressAt(page, more);
      await expect
        .poll(() => hasFocus(page.getByRole('menuitem', { name: 'Update credentials' })))
        .toBe(true);
      await page.keyboard.press('Enter');
      await dialog(page, 'Update credentials').waitFor();
      await pressAt(page, page.getByRole('checkbox', { name: 'Manage' }), 'Space');
      await page.keyboard.press('Enter');
      await status(page, product).getByText('Updated orders.').waitFor();
      await row(page, product, 'orders').getByText('Read, Manage').waitFor();

      await pressAt(page, more);
      await expect
        .poll(() => hasFocus(page.getByRole('menuitem', { name: 'Update credentials' })))
        .toBe(true);
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await alertNamed(page, 'Revoke these credentials?').waitFor();
      await pressAt(page, button(page, 'Revoke credentials'));
      await status(page, product).getByText('Revoked orders.').waitFor();
      expect(await listed(local, product, REGION, project)).toEqual([]);
      await pressAt(page, button(form, /^Deactivate/));
      await pressAt(page, button(page.getByRole('alertdialog'), /^Deactivate/));
      await status(page, product).getByText('is no longer active').waitFor();
    },
  );
});

/** Opens an alertdialog: Cancel has the focus, the backdrop does nothing, and Esc changes nothing. */
async function expectAlertRules(page: Page, name: string, opener: Locator, confirm: RegExp): Promise<void> {
  await opener.click();
  const alert = alertNamed(page, name);
  await alert.waitFor();
  expect(await hasFocus(button(alert, 'Cancel'))).toBe(true);
  await alert.getByText('This is irreversible').waitFor();
  await alert.getByText('Amsterdam').waitFor();
  expect(await button(alert, confirm).count()).toBe(1);
  await page.mouse.click(5, 400);
  expect(await alert.isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  await alert.waitFor({ state: 'hidden' });
  await expect.poll(() => hasFocus(opener)).toBe(true);
}

/** Submits a dialog's form without a name: the summary has the focus and links to the field. */
async function expectFormRules(page: Page, name: string, opener: Locator, error: string): Promise<void> {
  await opener.click();
  const form = dialog(page, name);
  await form.getByLabel('Name').fill(' ');
  await page.keyboard.press('Enter');
  const summary = form.getByRole('alert');
  expect(await hasFocus(summary)).toBe(true);
  expect(await form.getByText(error, { exact: true }).count()).toBe(2);
  await summary.getByRole('link', { name: error }).click();
  expect(await hasFocus(form.getByLabel('Name'))).toBe(true);
  expect(await form.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
  await page.keyboard.type('kept');
  await page.mouse.click(5, 400);
  expect(await form.isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'hidden' });
  await expect.poll(() => hasFocus(opener)).toBe(true);
}

/**
 * With a secret's dialog open: neither Esc nor the backdrop closes it, and leaving the page asks for confirmation.
 */
async function expectSecretRules(page: Page): Promise<void> {
  const secret = dialog(page, 'Save your credentials');
  await secret.waitFor();
  expect(await hasFocus(secret.getByRole('heading', { name: 'Save your credentials' }))).toBe(true);
  for (const _ of [1, 2, 3]) await page.keyboard.press('Escape');
  await page.mouse.click(5, 400);
  expect(await secret.isVisible()).toBe(true);
  const leaving = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  expect((await leaving).type()).toBe('beforeunload');
  await (await leaving).dismiss();
  for (const _ of [1, 2]) await button(secret, 'I have saved these credentials').click();
  await secret.waitFor({ state: 'hidden' });
}

describe('every dialog follows the rules for focus and closing:', () => {
  it('NATS', async () => {
    const { account } = await newCreds(local, REGION);
    const page = await browser.open(`/how-to/create-credentials/?region=${REGION}&account=${account}`);
    const accounts = region(page, 'NATS accounts');
    const credentials = region(page, 'Credentials');
    await credentials.getByText('Full access').waitFor();
    const create = button(accounts, 'Create account');
    await expectFormRules(page, 'Create a NATS account', create, 'Enter a name for the account');
    const generate = button(credentials, 'Generate credentials');
    await expectFormRules(page, 'Generate credentials', generate, 'Enter a name for the credentials');
    const revoke = button(credentials, /^Revoke/);
    await expectAlertRules(page, 'Revoke these credentials?', revoke, /^Revoke credentials$/);
    expect(await button(accounts, 'Delete account').count()).toBe(0);
    await generate.click();
    await button(dialog(page, 'Generate credentials'), /^Generat/).click();
    await expectSecretRules(page);
    await page.goto(page.url().replace('create-credentials', 'manage-credentials'));
    const remove = button(accounts, 'Delete account');
    await expectAlertRules(page, 'Delete this NATS account?', remove, /^Delete account$/);
  });

  it.each(PRODUCTS)('$label', async (product) => {
    const projectId = await newProject(local);
    await activateByApi(local, REGION, projectId, [product.id]);
    await newCredentials(local, product.id, { can_publish: true }, { region: REGION, projectId });
    const page = await open(browser, 'manage', product, REGION, projectId);
    const form = panel(page, product);
    const generate = button(form, 'Generate credentials');
    await expectFormRules(page, 'Generate credentials', generate, 'Enter a name for the credentials');
    const more = button(form, /^See more/);
    const item = async (name: string) => {
      await more.click();
      return page.getByRole('menuitem', { name });
    };
    const update = dialog(page, 'Update credentials');
    await (await item('Update credentials')).click();
    await update.getByLabel('Name').fill('');
    await update.getByRole('checkbox', { name: 'Write' }).uncheck();
    await page.keyboard.press('Enter');
    const summary = update.getByRole('alert');
    expect(await hasFocus(summary)).toBe(true);
    expect(await summary.getByRole('link').allInnerTexts()).toEqual([
      'Enter a name for the credentials',
      'Select at least one permission',
    ]);
    await page.keyboard.press('Escape');
    await expect.poll(() => hasFocus(more)).toBe(true);

    await (await item('Revoke')).click();
    const alert = alertNamed(page, 'Revoke these credentials?');
    expect(await hasFocus(button(alert, 'Cancel'))).toBe(true);
    await page.mouse.click(5, 400);
    await button(alert, 'Cancel').click();
    await expect.poll(() => hasFocus(more)).toBe(true);
    const deactivate = button(form, /^Deactivate/);
    await expectAlertRules(page, `Deactivate ${product.label}?`, deactivate, /^Deactivate/);
    await generate.click();
    await dialog(page, 'Generate credentials').getByRole('checkbox', { name: 'Read' }).check();
    await button(dialog(page, 'Generate credentials'), /^Generat/).click();
    await expectSecretRules(page);
  });
});
