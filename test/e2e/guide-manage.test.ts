/**
 * The guide "How to manage credentials" in a real browser on the real stack: it shows connected clients before a
 * revocation and closed connections after it, and a step completes only when the servers have confirmed.
 */
import { readFileSync } from 'node:fs';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signal } from '../stack/signal.ts';
import { axe, recordTraffic, region, stepsDone, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { access, bystander, type Creds, CUT, connectWith, endOf, newCreds } from './nats-client.ts';

// Longer than the default, so that a healthy server confirms in time on a busy machine.
const local = useStack({ vars: (own) => ({ ...own, NATS: { push_deadline_ms: 4_000 } }) });
const browser = useBrowser(local);
const REGION = 'fr-par';
const NAME = '日本語 🔑';

const url = () => local.stack.nats.get(REGION)?.url ?? '';
const open = (guide: string, account: string) =>
  browser.open(`/how-to/${guide}-credentials/?region=${REGION}&account=${account}`);
const rows = (page: Page) => region(page, 'Credentials').getByRole('row').filter({ hasText: NAME });
const status = (page: Page) => region(page, 'Credentials').getByRole('status');
const alert = (page: Page) => page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
const confirm = (page: Page) => alert(page).getByRole('button', { name: 'Revoke credentials' });
const hasFocus = (locator: Locator) => locator.evaluate((node) => node === document.activeElement);

const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });

/** Selects an action in the menu of the only row. */
async function more(page: Page, item: string): Promise<void> {
  await rows(page)
    .getByRole('button', { name: `See more actions for ${NAME}` })
    .click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** Opens the dialog to revoke the credentials in the first row. */
async function openRevokeDialog(page: Page): Promise<void> {
  await rows(page)
    .first()
    .getByRole('button', { name: `Revoke ${NAME}` })
    .click();
  await alert(page).waitFor();
}

async function idsOf(account: string): Promise<string[]> {
  const path = `/mnq/v1beta1/regions/${REGION}/nats-credentials?nats_account_id=${account}`;
  const list = await api<{ nats_credentials: { id: string }[] }>(local, 'GET', path);
  return list.nats_credentials.map(({ id }) => id);
}

describe('revoking credentials in the guide', () => {
  it('lists connected clients, disconnects them, and shows the closed connections and the time', async () => {
    const { account, ...sibling } = await newCreds(local, REGION);
    const revoked = await newCreds(local, REGION, account);
    const other = await bystander(url(), sibling.content);
    const clients = [await connectWith(url(), revoked.content), await connectWith(url(), revoked.content)];

    const page = await open('manage', account);
    await openRevokeDialog(page);
    expect(await hasFocus(alert(page).getByRole('button', { name: 'Cancel' }))).toBe(true);
    await alert(page).getByText('no longer be able to access the service').waitFor();
    await alert(page).getByText('2 clients are connected with these credentials now.').waitFor();
    const listed = alert(page).getByRole('list', { name: 'Connected clients' }).getByRole('listitem');
    expect(await listed.count()).toBe(2);
    expect(await listed.first().textContent()).toMatch(/127\.0\.0\.1:\d+.*last active just now/);
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await idsOf(account)).toHaveLength(2);
    expect(await stepsDone(page)).toEqual([1, 2, 3]);

    await openRevokeDialog(page);
    await confirm(page).click();
    await status(page)
      .getByText(/^Revoked .+\. 2 connections cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    for (const client of clients) expect(await endOf(client)).toMatch(CUT);
    expect(await access(url(), revoked.content)).toBe('refused');
    expect(await idsOf(account)).toEqual([sibling.id]);
    expect(await rows(page).count()).toBe(1);
    expect(await stepsDone(page)).toEqual([1, 2, 3, 4]);
    // Querying the servers has updated the other credentials' last use.
    await page.reload();
    await rows(page).getByText('just now').nth(1).waitFor();
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
  });

  it('reports no connected clients, unknown clients, and a concurrent revocation (race)', async () => {
    const creds = await newCreds(local, REGION);
    const page = await open('manage', creds.account);
    await openRevokeDialog(page);
    await alert(page).getByText('No clients are connected with these credentials.').waitFor();
    await alert(page).getByRole('button', { name: 'Cancel' }).click();
    await page.route('**/connections', (route) =>
      route.fulfill({ status: 503, json: { type: 'unavailable' } }),
    );
    await openRevokeDialog(page);
    await alert(page).getByText('Connected clients could not be listed').waitFor();
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('503')]);
    await api(local, 'DELETE', `/mnq/v1beta1/regions/${REGION}/nats-credentials/${creds.id}`);
    await confirm(page).click();
    await status(page).getByText('was already revoked.').waitFor();
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('404')]);
  });

  it('rotates, disables and enables credentials, and connected clients are cut and let in again', async () => {
    const creds = await newCreds(local, REGION);
    const client = await connectWith(url(), creds.content);
    const page = await open('manage', creds.account);
    await rows(page).waitFor();
    const traffic = recordTraffic(page);
    await more(page, 'Rotate');
    await dialog(page, 'Rotate credentials').getByText('until it reconnects').waitFor();
    await dialog(page, 'Rotate credentials').getByRole('button', { name: 'Rotate credentials' }).click();
    const secret = dialog(page, 'Save your credentials');
    await secret.getByText('The old .creds file ends 1 day after the first use').waitFor();
    await secret.getByText('This page created the private key.').waitFor();
    const download = secret.getByRole('button', { name: /^Download/ });
    const [file] = await Promise.all([page.waitForEvent('download'), download.click()]);
    const content = readFileSync(await file.path(), 'utf8');
    await secret.getByRole('button', { name: /^I have saved/ }).click();
    await status(page).getByText(`Rotated ${NAME}.`).waitFor();
    expect(await traffic()).toContain(/eyJ[\w.-]{100,}/.exec(content)?.[0]);
    expect(await traffic()).not.toMatch(/SU[A-Z2-7]{56}|NKEY SEED/);
    expect([await access(url(), creds.content), await access(url(), content)]).toEqual(['yes', 'yes']);

    await more(page, 'Rotate');
    const rotation = page.getByRole('alertdialog', { name: 'Rotation in progress' });
    await rotation.getByText('New .creds file').waitFor();
    expect(await axe(page)).toEqual([]);
    await rotation.getByRole('button', { name: 'Finish now' }).click();
    await status(page)
      .getByText(/^Finished the rotation of .+\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await endOf(client)).toMatch(CUT);
    expect([await access(url(), creds.content), await access(url(), content)]).toEqual(['refused', 'yes']);
    expect(await hasFocus(rows(page).getByRole('button', { name: 'See more' }))).toBe(true);

    const other = await connectWith(url(), content);
    await more(page, 'Disable');
    const disable = dialog(page, 'Disable these credentials?');
    await disable.getByText('1 client is connected with these credentials now.').waitFor();
    await disable.getByText('Samples of the last day').waitFor();
    expect(await axe(page)).toEqual([]);
    await disable.getByRole('button', { name: 'Disable credentials' }).click();
    await status(page)
      .getByText(/^Disabled .+\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await endOf(other)).toMatch(CUT);
    expect(await access(url(), content)).toBe('refused');
    await more(page, 'Enable');
    await status(page)
      .getByText(/^Enabled .+\. Its clients can connect again\. 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await access(url(), content)).toBe('yes');
    expect(await stepsDone(page)).toEqual([1, 2, 3]);
  });

  it('reports that a server lists only the first 256 connections of an account', async () => {
    const { account, content } = await newCreds(local, REGION);
    const clients: NatsConnection[] = [];
    // Not all concurrently: signing keeps this process busy, and a server waits two seconds for a signature.
    while (clients.length < 257) {
      clients.push(...(await Promise.all(Array.from({ length: 16 }, () => connectWith(url(), content)))));
    }
    const page = await open('manage', account);
    await openRevokeDialog(page);
    await alert(page)
      .getByText(/256 clients are connected .* of which 5 are shown\. There may be more/)
      .waitFor();
    await alert(page).getByRole('button', { name: 'Cancel' }).click();
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe('a revocation that a server has not confirmed', () => {
  it('stays in the list until confirmed, and only then completes the step', async () => {
    const creds = await newCreds(local, REGION);
    await access(url(), creds.content);
    const page = await open('manage', creds.account);
    await rows(page).waitFor();
    // Never responds, so the dialog keeps loading the connected clients.
    await page.route('**/connections', () => undefined);
    await withFrozenServer(async () => {
      await openRevokeDialog(page);
      await alert(page).getByText('Loading connected clients').waitFor();
      await confirm(page).click();
      await rows(page).getByText('Revoked, no server confirmed').waitFor();
      await expect.poll(() => rows(page).getByRole('button').count()).toBe(0);
      expect(await stepsDone(page)).toEqual([1, 2, 3]);
    });
    await status(page).getByText('Every server has confirmed the revocation').waitFor();
    await expect.poll(() => rows(page).count()).toBe(0);
    expect(await stepsDone(page)).toEqual([1, 2, 3, 4]);
    expect(await access(url(), creds.content)).toBe('refused');
    // The Worker logs that no server was reachable, as expected.
    local.logged.splice(0);
  });

  it('shows how many servers have confirmed, and after a reload that one is pending', async () => {
    const creds = await newCreds(local, REGION);
    const page = await open('manage', creds.account);
    const pending = await simulatePending(page, creds);
    const notice = region(page, 'Credentials').getByText('is pending: not all servers have confirmed it yet');
    await more(page, 'Disable');
    await dialog(page, 'Disable these credentials?')
      .getByRole('button', { name: 'Disable credentials' })
      .click();
    await status(page).getByText('0 connections cut, 1 of 2 servers confirmed so far.').waitFor();
    await rows(page).getByText('Disabled').waitFor();
    await notice.waitFor();
    await more(page, 'Enable');
    await status(page).getByText('can connect again. 1 of 1 server').waitFor();
    await openRevokeDialog(page);
    await confirm(page).click();
    await rows(page).getByText('Revoked, 1 of 2 servers confirmed').waitFor();
    await status(page).getByText('0 connections cut, 1 of 2 servers confirmed so far.').waitFor();
    expect(await axe(page)).toEqual([]);
    await page.reload();
    await notice.waitFor();
    pending.over = true;
    await notice.waitFor({ state: 'hidden' });
  });

  async function withFrozenServer(work: () => Promise<void>): Promise<void> {
    const pid = local.stack.nats.get(REGION)?.pid();
    signal(pid, 'SIGSTOP');
    await work().finally(() => signal(pid, 'SIGCONT'));
  }

  /** Makes the API respond as if one of two servers had not confirmed, until `over` is called. */
  async function simulatePending(page: Page, { id, account }: Creds): Promise<{ over: boolean }> {
    const pending = { over: false };
    await page.route(new RegExp(`/nats-credentials/${id}(/disable)?$`), async (route) => {
      const response = await route.fetch();
      const headers = {
        ...response.headers(),
        'latchkey-enforcement': 'pending; acknowledged=1; servers=2',
        'latchkey-receipt': 'connections=0; duration_ms=2000',
      };
      await route.fulfill({ response, headers });
    });
    await page.route(/\/nats-accounts/, async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      const pendingText = pending.over ? text : text.replaceAll('"state":"enforced"', '"state":"pending"');
      await route.fulfill({ response, body: text.includes(account) ? pendingText : text });
    });
    return pending;
  }
});
