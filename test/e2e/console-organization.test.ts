/**
 * The console's pages for an organization in a real browser on the real stack: projects, members, applications, API keys,
 * policies and the audit trail. Each test checks the effect of its clicks in the API or in the next request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { run } from './access-key-form.ts';
import { region, useBrowser } from './browser.ts';
import { activate, newCredentials, newProject } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { newMember } from './members.ts';

const local = useStack();
const browser = useBrowser(local);

const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true });
const confirmation = (page: Page) => page.getByRole('alertdialog');
const row = (page: Page, name: string | RegExp) => page.getByRole('row').filter({ hasText: name });
const waitForStatus = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor();

/** Chooses an item of a row's menu. */
async function choose(page: Page, name: string, item: string): Promise<void> {
  await page.getByRole('button', { name: `See more actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

/** Copies the invitation link, and closes its dialog. */
async function shareLink(page: Page): Promise<void> {
  await dialog(page, 'Share this link').getByRole('button', { name: 'Copy Invitation link' }).click();
  await page.getByRole('button', { name: 'I have shared this link' }).click();
}

describe('projects', () => {
  it('are created, renamed and deleted', async () => {
    const page = await browser.open('/console/projects/');
    await page.getByRole('button', { name: 'Create project' }).click();
    await dialog(page, 'Create a project').getByLabel('Name').fill('staging');
    await dialog(page, 'Create a project').getByLabel('Description').fill('Before production');
    await page.keyboard.press('Enter');
    await waitForStatus(page, 'Created staging.');
    await row(page, 'Before production').waitFor();
    await choose(page, 'staging', 'Rename');
    await dialog(page, 'Rename project').getByLabel('Name').fill('testing');
    await page.keyboard.press('Enter');
    await waitForStatus(page, 'Saved testing.');
    await choose(page, 'testing', 'Delete');
    await confirmation(page).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await confirmation(page).getByRole('button', { name: 'Delete project' }).click();
    await waitForStatus(page, 'Deleted testing.');
    expect(await row(page, 'testing').count()).toBe(0);
  });

  it('cannot be deleted while a region has resources of the project, and the error names them', async () => {
    const project_id = await newProject(local);
    await api(local, 'POST', '/mnq/v1beta1/regions/nl-ams/nats-accounts', { project_id });
    const page = await browser.open('/console/projects/');
    await choose(page, project_id, 'Delete');
    await confirmation(page).getByRole('button', { name: 'Delete project' }).click();
    await confirmation(page).getByRole('alert').getByText('still has NATS accounts in nl-ams').waitFor();
    expect(browser.complaints.splice(0).every((text) => text.includes('412'))).toBe(true);
  });
});

describe('members', () => {
  it('are invited with a working link, made Owner and member again, and removed', async () => {
    const page = await browser.open('/console/iam/');
    await page.getByRole('button', { name: 'Invite member' }).click();
    await dialog(page, 'Invite a member').getByLabel('Email address').fill('grace@example.com');
    await page.keyboard.press('Enter');
    const shown = dialog(page, 'Share this link');
    await shown.getByRole('button', { name: 'Copy Invitation link' }).click();
    await shown.getByRole('status').getByText('Copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'I have shared this link' }).click();
    await waitForStatus(page, 'Invited grace@example.com.');
    await expect.poll(() => page.content()).not.toContain(new URL(link).hash);

    const invited = await browser.open(link, { stranger: true });
    await invited.getByLabel('Name').fill('Grace');
    await invited.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await invited
      .getByRole('main')
      .getByRole('button', { name: /join|accept/i })
      .click();
    await invited.waitForURL((url) => url.pathname === '/console/');
    await invited.getByText('Welcome to Latchkey.').waitFor();
    await invited.waitForLoadState('networkidle');
    // A new member has no policy yet.
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('403');

    await page.reload();
    await choose(page, 'Grace', 'Make Owner');
    await confirmation(page).getByRole('button', { name: 'Make Owner' }).click();
    await waitForStatus(page, 'Grace is an Owner now.');
    await choose(page, 'Grace', 'Make member');
    await confirmation(page).getByRole('button', { name: 'Make member' }).click();
    await waitForStatus(page, 'Grace is a member now.');
    await choose(page, 'Grace', 'Remove');
    await confirmation(page).getByRole('button', { name: 'Remove member' }).click();
    await waitForStatus(page, 'Removed Grace.');
  });

  it('get the invitation link only by email when the inviter is not an Owner', async () => {
    const { organization_id } = local.owner;
    const manager = await newMember(local, 'Hedy', [
      { permission_set_names: ['IAMManager'], organization_id },
    ]);
    local.logged.splice(0);
    const page = await browser.open('/console/iam/', { as: manager });
    await page.getByRole('button', { name: 'Invite member' }).click();
    await dialog(page, 'Invite a member').getByLabel('Email address').fill('edsger@example.com');
    await page.keyboard.press('Enter');
    await waitForStatus(page, 'Invited edsger@example.com. An email with the link is on its way.');
    await choose(page, 'edsger@example.com', 'New invitation link');
    await expect.poll(() => local.logged.length).toBe(2);
    expect(await dialog(page, 'Share this link').count()).toBe(0);
    expect(local.logged.splice(0)).toEqual(
      Array(2).fill(expect.stringContaining('Email to edsger@example.com: Your invitation')),
    );
  });

  it('can get a new invitation link, and the last Owner cannot be removed', async () => {
    const page = await browser.open('/console/iam/#members');
    await page.getByRole('button', { name: 'Invite member' }).click();
    await dialog(page, 'Invite a member').getByLabel('Email address').fill('ada@example.com');
    await page.keyboard.press('Enter');
    await shareLink(page);
    await choose(page, 'ada@example.com', 'New invitation link');
    await shareLink(page);
    const self = row(page, '(you)');
    await self.waitFor();
    expect(await self.getByRole('button').count()).toBe(0);
  });
});

it('an application gets an API key, whose displayed command works, and which can be deleted', async () => {
  const page = await browser.open('/console/iam/#applications');
  await page.getByRole('button', { name: 'Create application' }).click();
  await dialog(page, 'Create an application').getByLabel('Name').fill('orders-service');
  await page.keyboard.press('Enter');
  await waitForStatus(page, 'Created orders-service.');
  await page.getByRole('tab', { name: 'API keys' }).click();
  await page.getByRole('button', { name: 'Create API key' }).click();
  const form = dialog(page, 'Create an API key');
  await form.getByLabel('Description').fill('orders, in production');
  await form.getByLabel('For').selectOption({ label: 'orders-service' });
  await form.getByRole('button', { name: 'Create API key' }).click();
  const secret = dialog(page, 'Save your API key');
  await secret.waitFor();
  await page.keyboard.press('Escape');
  expect(await secret.isVisible()).toBe(true);
  const button = secret.getByRole('button', { name: 'Download latchkey.env' });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  const content = await file.createReadStream().then(async (stream) => (await stream.toArray()).join(''));
  await secret.getByText('Test it from where').click();
  const command = await secret.getByRole('group', { name: 'With curl' }).locator('pre').textContent();
  const printed = await run(local, command ?? '', [{ name: 'latchkey.env', content }]);
  expect(JSON.parse(printed)).toMatchObject({ type: 'application', name: 'orders-service' });
  await secret.getByRole('button', { name: 'I have saved this API key' }).click();

  const [, accessKey = '', secretKey = ''] =
    /ACCESS_KEY=(\S+)\nLATCHKEY_SECRET_KEY=(\S+)/.exec(content) ?? [];
  await expect.poll(() => page.content()).not.toContain(secretKey);
  await row(page, accessKey).getByText('orders-service').waitFor();
  await choose(page, accessKey, 'Delete');
  await confirmation(page).getByRole('button', { name: 'Delete API key' }).click();
  await waitForStatus(page, `Deleted ${accessKey}.`);
  const refused = await fetch(`${local.stack.origin}/iam/v1alpha1/principal`, {
    headers: { 'X-Auth-Token': secretKey },
  });
  expect(refused.status).toBe(401);
});

describe('policies', () => {
  it('take effect on the next request after they are saved, edited or deleted', async () => {
    const name = `Linus-${crypto.randomUUID().slice(0, 8)}`;
    const linus = await newMember(local, name);
    const page = await browser.open('/console/iam/#policies');
    await page.getByRole('button', { name: 'Create policy' }).click();
    const form = page.getByRole('dialog', { name: /^(Create a|Edit) policy$/ });
    await dialog(page, 'Create a policy').waitFor();
    await form.getByLabel('Name', { exact: true }).fill('Linus works with queues');
    // Owners have every permission, so the form does not list them.
    const grantees = form.getByLabel('Applies to').locator('option');
    expect(
      await grantees.evaluateAll((options) => options.map(({ textContent }) => textContent)),
    ).not.toContain(local.owner.email);
    const save = await form.getByRole('button', { name: 'Save policy' }).boundingBox();
    expect(save?.y).toBeLessThan(900);
    await form.getByLabel('Applies to').selectOption({ label: name });
    await form.getByRole('button', { name: 'Save policy' }).click();
    await form.getByRole('alert').getByText('Rule 1: select at least one permission set').waitFor();
    expect(await form.getByLabel('IAMManager').isDisabled()).toBe(true);
    await form.getByLabel('QueuesFullAccess').check();
    await form.getByRole('checkbox', { name: 'default' }).check();
    await form.getByRole('button', { name: 'Save policy' }).click();
    await waitForStatus(page, 'Saved Linus works with queues.');

    const theirs = await browser.open('/console/queues/?region=fr-par', { as: linus });
    await region(theirs, 'Queues').getByRole('button', { name: 'Activate Queues' }).click();
    await region(theirs, 'Queues').getByText('has no queues in this region yet').waitFor();

    await choose(page, 'Linus works with queues', 'Edit');
    await dialog(page, 'Edit policy').waitFor();
    expect(await form.getByLabel('QueuesFullAccess').isChecked()).toBe(true);
    await form.getByRole('button', { name: 'Add rule' }).click();
    await form.getByRole('group', { name: 'Rule 2' }).getByRole('radio', { name: 'In the whole' }).check();
    await form.getByRole('group', { name: 'Rule 2' }).getByLabel('AuditTrailReadOnly').check();
    await form.getByRole('button', { name: 'Save policy' }).click();
    await row(page, '2 permission sets in 2 rules').waitFor();
    await theirs.goto('/console/audit/');
    await row(theirs, 'Linus works with queues').first().waitFor();

    await choose(page, 'Linus works with queues', 'Delete');
    await confirmation(page).getByRole('button', { name: 'Delete policy' }).click();
    await waitForStatus(page, 'Deleted Linus works with queues.');
    await theirs.goto('/console/queues/?region=fr-par');
    await region(theirs, 'Queues')
      .getByText('A policy with MessagingAndQueuingFullAccess in a project')
      .waitFor();
    browser.complaints.splice(0);
  });

  const newPolicy = (name: string, set: string, more: object = { no_principal: true }) =>
    api<{ id: string }>(local, 'POST', '/iam/v1alpha1/policies', {
      name,
      organization_id: local.owner.organization_id,
      rules: [{ permission_set_names: [set], project_ids: [local.owner.project_id] }],
      ...more,
    });

  it('keep their principal when the list of members fails to load', async () => {
    const { id: user_id } = await newMember(local, 'Margaret');
    const { id } = await newPolicy('Margaret’s', 'NATSFullAccess', { user_id });
    const page = await browser.open('/console/iam/#policies');
    await row(page, 'Margaret’s').waitFor();
    await page.route('**/iam/v1alpha1/users?*', (route) => route.abort());
    await choose(page, 'Margaret’s', 'Edit');
    const form = dialog(page, 'Edit policy');
    await form.getByLabel('Name', { exact: true }).fill('Renamed');
    await form.getByRole('button', { name: 'Save policy' }).click();
    await waitForStatus(page, 'Saved Renamed.');
    expect(await api(local, 'GET', `/iam/v1alpha1/policies/${id}`)).toMatchObject({ user_id });
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('ERR_FAILED');
    local.logged.splice(0);
  });

  it('are edited one at a time: a slow response does not overwrite the rules of another policy', async () => {
    const { id } = await newPolicy('Slow', 'NATSFullAccess');
    await newPolicy('Quick', 'QueuesFullAccess');
    const page = await browser.open('/console/iam/#policies');
    const released = Promise.withResolvers<void>();
    await page.route(`**/iam/v1alpha1/rules?policy_id=${id}*`, async (route) => {
      await released.promise;
      await route.continue();
    });
    const requested = page.waitForRequest(`**/iam/v1alpha1/rules?policy_id=${id}*`);
    await choose(page, 'Slow', 'Edit');
    await requested;
    await choose(page, 'Quick', 'Edit');
    await sleep(500);
    released.resolve();
    await sleep(500);
    const form = dialog(page, 'Edit policy');
    expect(await form.getByLabel('Name', { exact: true }).inputValue()).toBe('Slow');
    expect(await form.getByLabel('NATSFullAccess').isChecked()).toBe(true);
    expect(await form.getByLabel('QueuesFullAccess').isChecked()).toBe(false);
  });

  it('are suggested by permission set to members without access', async () => {
    const rules = [{ permission_set_names: ['NATSReadOnly'], project_ids: [local.owner.project_id] }];
    const page = await browser.open('/console/iam/', { as: await newMember(local, 'Barbara', rules) });
    await page.getByText('A policy with IAMReadOnly grants it').waitFor();
    await page.goto('/console/audit/');
    await page.getByText('A policy with AuditTrailReadOnly grants it').waitFor();
    await page.goto('/console/queues/');
    await region(page, 'Queues').getByText('A policy with QueuesReadOnly grants it').waitFor();
    expect(browser.complaints.splice(0).every((text) => text.includes('403'))).toBe(true);
  });
});

it('an Owner limits the duration of credentials, and others can only see it', async () => {
  const { organization_id } = local.owner;
  const manager = await newMember(local, 'Radia', [
    { permission_set_names: ['IAMManager'], organization_id },
  ]);
  const settings = `/iam/v1alpha1/organizations/${organization_id}/security-settings`;
  await api(local, 'PATCH', settings, { max_credentials_duration: 5400 });
  const page = await browser.open('/console/iam/#settings');
  const panel = region(page, 'Security settings');
  await panel.getByText('Longest duration of new credentials: 90 minutes').waitFor();
  await panel.getByRole('button', { name: 'Change' }).click();
  const form = dialog(page, 'Limit the duration of credentials');
  const select = form.getByLabel('Longest duration of new credentials');
  expect(await select.locator('option:checked').textContent()).toBe('90 minutes');
  await select.selectOption({ label: '30 days' });
  await form.getByRole('button', { name: 'Save' }).click();
  await waitForStatus(page, 'New credentials must expire within 30 days.');
  await panel.getByText('Longest duration of new credentials: 30 days').waitFor();
  expect(await api(local, 'GET', settings)).toEqual({ max_credentials_duration: 30 * 86_400 });

  const other = await browser.open('/console/iam/#settings', { as: manager });
  await region(other, 'Security settings')
    .getByText('Longest duration of new credentials: 30 days')
    .waitFor();
  expect(await other.getByRole('button', { name: 'Change' }).count()).toBe(0);

  await panel.getByRole('button', { name: 'Change' }).click();
  await select.selectOption({ label: 'No limit' });
  await form.getByRole('button', { name: 'Save' }).click();
  await waitForStatus(page, 'New credentials no longer need an expiry.');
  expect(await api(local, 'GET', settings)).toEqual({ max_credentials_duration: 0 });
});

describe('the audit trail', () => {
  it('lists the changes of all regions and the organization, newest first, and keeps its filters', async () => {
    const project_id = await newProject(local);
    const post = (where: string, name: string) =>
      api(local, 'POST', `/mnq/v1beta1/regions/${where}/nats-accounts`, { project_id, name });
    await post('fr-par', 'first');
    await post('nl-ams', 'second');
    await api(local, 'POST', '/iam/v1alpha1/applications', {
      organization_id: local.owner.organization_id,
      name: 'third',
    });
    const page = await browser.open('/console/audit/');
    const changes = () => page.getByRole('rowheader').allTextContents();
    const firstNames = async () =>
      (await changes()).slice(0, 3).map((text) => /first|second|third/.exec(text)?.[0]);
    await expect.poll(firstNames).toEqual(['third', 'second', 'first']);
    await page.getByLabel('Where', { exact: true }).selectOption('nl-ams');
    await page.getByLabel('What').selectOption('nats_accounts');
    await expect.poll(async () => (await changes())[0]).toContain('second');
    expect(await row(page, 'third').count()).toBe(0);
    await page.reload();
    await expect.poll(() => page.getByLabel('Where', { exact: true }).inputValue()).toBe('nl-ams');
    await expect.poll(async () => (await changes())[0]).toContain('second');
    await page.getByText('Details').first().click();
    await page.locator('dl.facts:visible').getByText('second', { exact: true }).waitFor();
    // An update shows the old and the new value.
    await api(local, 'PATCH', `/account/v3/projects/${project_id}`, { name: 'renamed' });
    await page.goto('/console/audit/?resource_type=projects&action=update');
    await page.getByText('Details').first().click();
    await page.getByText(`${project_id} → renamed`).waitFor();
    expect(await page.locator('dl.facts:visible').innerText()).not.toContain('{');
    await activate(local, 'fr-par', project_id, ['sqs']);
    const { id } = await newCredentials(local, 'sqs', { can_publish: true }, { projectId: project_id });
    const permissions = { can_publish: true, can_receive: true, can_manage: false };
    await api(local, 'PATCH', `/mnq/v1beta1/regions/fr-par/sqs-credentials/${id}`, { permissions });
    await page.goto('/console/audit/?resource_type=sqs_credentials&action=update');
    await page.getByText('Details').first().click();
    await page.getByText('Write → Write, Read', { exact: true }).waitFor();
  });

  it('is exported with the filters of the page', async () => {
    const page = await browser.open('/console/audit/?where=global&resource_type=applications&action=create');
    await row(page, 'Created application').first().waitFor();
    await page.getByText('Export', { exact: true }).click();
    const item = page.getByRole('button', { name: 'Organization, as NDJSON' });
    const [file] = await Promise.all([page.waitForEvent('download'), item.click()]);
    const text = await file.createReadStream().then(async (stream) => (await stream.toArray()).join(''));
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.length).toBeGreaterThan(0);
    for (const event of events)
      expect(event).toMatchObject({ action: 'create', resource: { type: 'applications' } });
  });

  it('offers no export to members without read access, and stays on the page when the session has ended', async () => {
    const denied = await browser.open('/console/audit/', { as: await newMember(local, 'Barbara') });
    await denied.getByText('A policy with AuditTrailReadOnly grants it').waitFor();
    expect(await denied.getByRole('button', { name: 'Export' }).isVisible()).toBe(false);

    const page = await browser.open('/console/audit/');
    const button = page.getByRole('button', { name: 'Export' });
    const item = page.getByRole('button', { name: 'Organization, as NDJSON' });
    await button.click();
    await page.keyboard.press('Escape');
    await item.waitFor({ state: 'hidden' });
    await button.click();
    await page.context().clearCookies();
    await item.click();
    await page.getByRole('alert').getByText('Your session has ended.').waitFor();
    expect(await item.isVisible()).toBe(false);
    expect(new URL(page.url()).pathname).toBe('/console/audit/');
    expect(browser.complaints.splice(0).every((text) => /40[13]/.test(text))).toBe(true);
  });

  it('shows earlier changes without gaps, even on a double click', async () => {
    const organization_id = local.owner.organization_id;
    const create = (name: string) =>
      api(local, 'POST', '/iam/v1alpha1/applications', { organization_id, name });
    const names = Array.from({ length: 51 }, (_, index) => `application ${index}`);
    await Promise.all(names.map(create));
    const page = await browser.open('/console/audit/');
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(50);
    await page.route('**/audit-trail/**', async (route) => {
      await sleep(300);
      await route.continue();
    });
    await page.getByRole('button', { name: 'Show earlier changes' }).dblclick();
    await expect.poll(() => page.getByRole('rowheader').count()).toBeGreaterThan(50);
    const shown = (await page.getByRole('rowheader').allInnerTexts()).join();
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown))).toEqual([]);
    await page.unrouteAll({ behavior: 'wait' });
  });
});

it('lists of projects and applications show more than one hundred options', async () => {
  const { organization_id } = local.owner;
  const last = 'many-100';
  for (let at = 0; at <= 100; at++) {
    const name = `many-${at}`;
    await api(local, 'POST', '/account/v3/projects', { organization_id, name });
    await api(local, 'POST', '/iam/v1alpha1/applications', { organization_id, name });
  }
  const page = await browser.open('/console/iam/#api-keys');
  await page.getByRole('button', { name: 'Create API key' }).click();
  const form = dialog(page, 'Create an API key');
  for (const field of ['For', 'Default project'])
    await form.getByLabel(field).getByRole('option', { name: last }).waitFor({ state: 'attached' });
  await page.goto('/how-to/create-credentials/');
  const project = page.getByLabel('Project').first();
  await project.selectOption({ label: last });
  await page.reload();
  await expect
    .poll(() => project.evaluate((node) => (node as HTMLSelectElement).selectedOptions[0]?.text))
    .toBe(last);
});
