/**
 * Completes the forms of the console, invitations and passwords with the keyboard only. Other tests cover what the
 * forms do; guide-keyboard.test.ts covers the guides.
 */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { dialog, hasFocus } from './access-key-form.ts';
import { useBrowser } from './browser.ts';
import { newProject } from './gateway-clients.ts';
import { isReady, pressAt, tabTo } from './keyboard.ts';
import { api, useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const expectStatus = (page: Page, text: string | RegExp) =>
  page.getByRole('status').getByText(text).waitFor();

/** Types into the field with this label. */
async function typeAt(page: Page, label: string, text: string): Promise<void> {
  await tabTo(page, page.getByLabel(label, { exact: true }).filter({ visible: true }));
  await page.keyboard.type(text);
}

/** Submits a page's form from one of its fields. */
async function send(page: Page, name: string): Promise<void> {
  await isReady(button(page, name));
  await page.keyboard.press('Enter');
}

/** Opens a dialog with its button and expects the focus in its first field. */
async function opened(page: Page, name: string, title: string): Promise<void> {
  await pressAt(page, button(page, name));
  await dialog(page, title).waitFor();
}

/** Returns the link in an email that the stack printed, after `seen` earlier ones to the same address. */
async function linkTo(email: string, seen = 0): Promise<string> {
  const mails = () => local.logged.filter((line) => line.startsWith(`Email to ${email}`)).slice(seen);
  await expect.poll(mails).not.toEqual([]);
  return /https?:\S+#\S+/.exec(mails().join())?.[0] ?? '';
}

it('keyboard only: a person is invited, joins, changes their password and resets it', async () => {
  const email = 'grace@example.com';
  const page = await browser.open('/console/iam/');
  await opened(page, 'Invite member', 'Invite a member');
  await page.keyboard.type(email);
  await page.keyboard.press('Enter');
  await pressAt(page, button(page, 'Copy Invitation link'));
  await pressAt(page, button(page, 'I have shared this link'));
  await expectStatus(page, `Invited ${email}.`);

  const [first, second, third] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const theirs = await browser.open(await linkTo(email), { stranger: true });
  await typeAt(theirs, 'Your name', 'Grace');
  await typeAt(theirs, 'Password', first);
  await send(theirs, 'Join');
  await theirs.getByRole('button', { name: 'Signed in as Grace' }).waitFor();
  // She has no policy yet, and the console has requested her projects.
  await theirs.getByText('you have no access to a project').first().waitFor();
  await theirs.waitForLoadState('networkidle');
  expect(browser.complaints.splice(0).every((text) => text.includes('403'))).toBe(true);

  await theirs.goto('/account/security/');
  await typeAt(theirs, 'Current password', first);
  await typeAt(theirs, 'New password', second);
  await send(theirs, 'Change the password');
  await expectStatus(theirs, 'Your password has been changed');

  await theirs.goto('/reset-password/');
  await typeAt(theirs, 'Email address', email);
  await send(theirs, 'Send link');
  await expect.poll(() => hasFocus(theirs.getByRole('heading', { name: 'Check your email' }))).toBe(true);
  await theirs.goto(await linkTo(email, 1));
  await typeAt(theirs, 'New password', third);
  await send(theirs, 'Save password');
  const changed = theirs.getByRole('heading', { name: 'Your password has been changed' });
  await expect.poll(() => hasFocus(changed)).toBe(true);
  await pressAt(theirs, theirs.getByRole('main').getByRole('link', { name: 'Sign in' }));
  await typeAt(theirs, 'Email address', email);
  await typeAt(theirs, 'Password', third);
  await isReady(theirs.getByRole('main').getByRole('button', { name: 'Sign in' }));
  await theirs.keyboard.press('Enter');
  await theirs.getByRole('button', { name: 'Signed in as Grace' }).waitFor();
});

it('keyboard only: an application gets an API key and a policy, and the key is looked up and revoked', async () => {
  // With two projects, none is preselected.
  await newProject(local);
  const page = await browser.open('/console/iam/');
  /** Moves from a tab, or from its content, to the next tab. */
  const nextTab = async (from: string) => {
    const tab = page.getByRole('tab', { name: from });
    await tabTo(page, tab, from === 'Members' ? 'Tab' : 'Shift+Tab');
    await page.keyboard.press('ArrowRight');
  };
  await nextTab('Members');
  await opened(page, 'Create application', 'Create an application');
  await page.keyboard.type('orders-service');
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Created orders-service.');

  await nextTab('Applications');
  await opened(page, 'Create API key', 'Create an API key');
  await page.keyboard.type('orders, in production');
  await typeAt(page, 'For', 'orders-service');
  await pressAt(page, dialog(page, 'Create an API key').getByRole('button', { name: 'Create API key' }));
  const shown = dialog(page, 'Save your API key').getByRole('group', { name: 'Access key' });
  const accessKey = await shown.locator('code').innerText();
  await pressAt(page, button(page, 'Copy Secret key'));
  await pressAt(page, button(page, 'I have saved this API key'));
  await page.getByRole('row').filter({ hasText: accessKey }).getByText('orders-service').waitFor();

  await nextTab('API keys');
  await opened(page, 'Create policy', 'Create a policy');
  await page.keyboard.type('Orders');
  await typeAt(page, 'Applies to', 'orders-service');
  const rule = (number: number) => page.getByRole('group', { name: `Rule ${number}` });
  await pressAt(page, rule(1).getByRole('checkbox', { name: 'default' }), 'Space');
  await pressAt(page, rule(1).getByLabel('QueuesFullAccess'), 'Space');
  await pressAt(page, button(page, 'Add rule'));
  await tabTo(page, rule(2).getByRole('radio', { name: 'In chosen projects' }), 'Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await pressAt(page, rule(2).getByLabel('AuditTrailReadOnly'), 'Space');
  await pressAt(page, button(page, 'Save policy'));
  await expectStatus(page, 'Saved Orders.');
  await page.getByRole('row').filter({ hasText: '2 permission sets in 2 rules' }).waitFor();

  await tabTo(page, button(page, 'Look up a key'), 'Shift+Tab');
  await opened(page, 'Look up a key', 'Look up a key');
  await page.keyboard.type(accessKey);
  await pressAt(page, button(page, 'Look up'));
  await page.getByText('is known').waitFor();
  await pressAt(page, button(page, /^Revoke/));
  const alert = page.getByRole('alertdialog');
  await pressAt(page, alert.getByRole('button', { name: 'Revoke' }));
  await expectStatus(page, /^Revoked /);
  await pressAt(page, button(page, 'Close'));
  await expect(api(local, 'GET', `/iam/v1alpha1/api-keys/${accessKey}`)).rejects.toThrow(
    'responded with 404',
  );
});

it('keyboard only: a project is created, and its menu is opened and closed', async () => {
  const page = await browser.open('/console/projects/');
  await opened(page, 'Create project', 'Create a project');
  await page.keyboard.type('keyboard');
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Created keyboard.');
  const menu = button(page, 'See more actions for keyboard');
  await pressAt(page, menu);
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => hasFocus(page.getByRole('menuitem', { name: 'Rename' }))).toBe(true);
  await page.keyboard.press('Escape');
  await expect.poll(() => hasFocus(menu)).toBe(true);
});
