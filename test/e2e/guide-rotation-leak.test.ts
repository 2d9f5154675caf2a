/**
 * The live guides "Rotate credentials without downtime" and "Respond to a leaked credential", for each product on the real
 * stack. Steps complete from the state that the API returns: the new keys are used with real clients.
 */
import { readFileSync } from 'node:fs';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasFocus, PRODUCTS, save, shownKeys } from './access-key-form.ts';
import { inspect, region, stepsDone, useBrowser } from './browser.ts';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { pressAt } from './keyboard.ts';
import { api, useStack } from './local-stack.ts';
import { access, CUT, connectWith, endOf, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const REGION = 'fr-par';
const MNQ = `/mnq/v1beta1/regions/${REGION}`;

const url = () => local.stack.nats.get(REGION)?.url ?? '';
const steps = (page: Page) => expect.poll(() => stepsDone(page), { timeout: 20_000 });

/** Chooses credentials in the first step. */
async function choose(page: Page, product: string, name: string): Promise<void> {
  await page.getByLabel('Product').selectOption(product);
  await page.getByRole('radio', { name }).check();
}

/** Sends a signed request that lists queues or topics. Resolves to `ok` or the error code. */
function use(product: 'sqs' | 'sns', keys: Pick<Credentials, 'access_key' | 'secret_key'>): Promise<string> {
  const credentials = { id: '', region: REGION, project_id: '', ...keys };
  return outcome(
    product === 'sqs'
      ? sqsClient(local, credentials).send(new ListQueuesCommand({}))
      : snsClient(local, credentials).send(new ListTopicsCommand({})),
  );
}

/** Creates a NATS account in a project, with credentials. */
async function newNats(project: string, name: string) {
  const account = await api<{ id: string }>(local, 'POST', `${MNQ}/nats-accounts`, {
    project_id: project,
    name: 'Production',
  });
  return newCreds(local, REGION, account.id, name);
}

describe('the guide to rotate credentials', () => {
  it('rotates NATS credentials with the keyboard, and completes each step from their state', async () => {
    const project = await newProject(local);
    const creds = await newNats(project, 'orders');
    const old = await connectWith(url(), creds.content);
    const page = await browser.open(`/how-to/rotate-credentials/?region=${REGION}&project=${project}`);
    const [rotate, keys, finish] = ['Rotate', 'Both keys', 'Finish'].map((name) => region(page, name));
    if (!rotate || !keys || !finish) return expect.unreachable();
    await rotate.getByText('Choose credentials in the first step.').waitFor();
    const choice = page.getByRole('radio', { name: 'orders Production' });
    await pressAt(page, choice, 'Space');
    await rotate.getByText('orders, of the NATS account Production in Paris').waitFor();
    await steps(page).toEqual([1]);

    await pressAt(page, rotate.getByRole('button', { name: 'Rotate credentials' }));
    const dialog = page.getByRole('dialog', { name: 'Rotate credentials' });
    await pressAt(page, dialog.getByRole('button', { name: 'Rotate credentials' }));
    const download = page.getByRole('dialog').getByRole('button', { name: /^Download/ });
    const [file] = await Promise.all([page.waitForEvent('download'), pressAt(page, download)]);
    const content = readFileSync(await file.path(), 'utf8');
    await pressAt(page, page.getByRole('dialog').getByRole('button', { name: /^I have saved/ }));
    await rotate.getByText('Rotated orders. The old .creds file ends 1 day after').waitFor();
    await expect.poll(() => hasFocus(page.locator('#stage-rotate'))).toBe(true);
    await keys.getByText('First used: not used yet').waitFor();
    await finish.getByText('finishing now would cut your services off').waitFor();
    await steps(page).toEqual([1, 2]);
    expect(await inspect(page, { part: 'main' })).toEqual([]);

    const fresh = await connectWith(url(), content);
    await keys.getByText('The new key has been used for the first time.').waitFor();
    await keys.getByText('First used: just now').waitFor();
    await finish.getByText('The old .creds file was in use in the last 15 minutes.').waitFor();
    await steps(page).toEqual([1, 2, 4]);
    // The page of the credentials leads back to the same step.
    await rotate.getByRole('link', { name: 'orders' }).click();
    await page.getByRole('link', { name: 'rotate without downtime' }).click();
    await keys.getByText('First used: just now').waitFor();
    await steps(page).toEqual([1, 2, 4]);

    await finish.getByRole('button', { name: 'Finish or cancel the rotation' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Finish now' }).click();
    await finish
      .getByText(/^Finished the rotation of orders\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    await steps(page).toEqual([1, 2, 4, 5]);
    expect(await endOf(old)).toMatch(CUT);
    expect(fresh.isClosed()).toBe(false);
    await fresh.close();
    await page.reload();
    await rotate.getByText('Only the new key works.').waitFor();
    await steps(page).toEqual([1, 2, 5]);
  });

  it('rotates the keys of both other products, and finishes or cancels', async () => {
    const project = await newProject(local);
    await activate(local, REGION, project);
    const olds = { sqs: await newKeys('sqs', project), sns: await newKeys('sns', project) };
    const page = await browser.open(`/how-to/rotate-credentials/?region=${REGION}&project=${project}`);
    await page.getByText('There are no such credentials').waitFor();
    for (const { id, label } of PRODUCTS) {
      await choose(page, id, 'orders');
      await region(page, 'Rotate').getByText(`orders, for ${label} in Paris`).waitFor();
      await steps(page).toEqual([1]);
      await region(page, 'Rotate').getByRole('button', { name: 'Rotate credentials' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate credentials' }).click();
      const fresh = await shownKeys(page);
      await save(page);
      await region(page, 'Both keys').getByText(fresh.access_key).waitFor();
      await steps(page).toEqual([1, 2]);
      if (id === 'sqs') await expectOutageShown(page, olds.sqs.id);
      expect([await use(id, olds[id]), await use(id, fresh)]).toEqual(['ok', 'ok']);
      await steps(page).toEqual([1, 2, 4]);
      await region(page, 'Finish').getByRole('button', { name: 'Finish or cancel the rotation' }).click();
      // Cancels the last one.
      const end = id === 'sqs' ? 'Finish now' : 'Cancel rotation';
      await page.getByRole('alertdialog').getByRole('button', { name: end }).click();
      await steps(page).toEqual(id === 'sqs' ? [1, 2, 4, 5] : [1]);
      const denied = expect.stringMatching(/^InvalidClientTokenId/);
      expect([await use(id, olds[id]), await use(id, fresh)]).toEqual(
        id === 'sqs' ? [denied, 'ok'] : ['ok', denied],
      );
    }
    // A disabled set cannot be rotated, and can be enabled here.
    const [disabled] = [olds.sns.id];
    await api(local, 'POST', `${MNQ}/sns-credentials/${disabled}/disable`, {});
    await page.reload();
    await region(page, 'Rotate').getByText('Only enabled credentials can be rotated.').waitFor();
    await region(page, 'Rotate').getByRole('button', { name: 'Enable credentials' }).click();
    await region(page, 'Rotate').getByRole('button', { name: 'Rotate credentials' }).waitFor();
    expect(await use('sns', olds.sns)).toBe('ok');
  });
});

/** Expects that the guide shows why it cannot read the credentials, until it can. */
async function expectOutageShown(page: Page, id: string): Promise<void> {
  const path = `**/sqs-credentials/${id}`;
  await page.route(path, (route) => route.fulfill({ status: 503, json: { type: 'unavailable' } }));
  await region(page, 'Both keys').getByRole('button', { name: 'Check now' }).click();
  const problem = region(page, 'Rotate').getByText('Paris is unavailable right now.');
  await problem.waitFor();
  expect(await stepsDone(page)).toEqual([1, 2]);
  await page.unroute(path);
  await region(page, 'Both keys').getByRole('button', { name: 'Check now' }).click();
  await problem.waitFor({ state: 'hidden' });
  for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('503');
}

const newKeys = (product: 'sqs' | 'sns', projectId: string, name = 'orders') =>
  newCredentials(local, product, ALL, { projectId, name });

/** Makes the API respond as if a server had not confirmed the last change of an account, until `over` is true. */
async function simulatePending(page: Page, account: string): Promise<{ over: boolean }> {
  const pending = { over: false };
  await page.route(`**/nats-accounts/${account}`, async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    await route.fulfill({
      response,
      body: pending.over ? text : text.replace('"state":"enforced"', '"state":"pending"'),
    });
  });
  return pending;
}

describe('the guide for a leak', () => {
  it('finds NATS credentials by their file, and disables, replaces and revokes them', async () => {
    const project = await newProject(local);
    const creds = await newNats(project, 'orders');
    const attacker = await connectWith(url(), creds.content);
    // Another region and product are chosen at first.
    const page = await browser.open('/how-to/leaked-credentials/?region=nl-ams&product=sqs');
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await page.getByLabel('Key or .creds text').fill(creds.content);
    await page.getByRole('button', { name: 'Find credentials' }).click();
    await page.getByText('Found orders. Continue with the next step.').waitFor();
    expect(await page.getByLabel('Key or .creds text').inputValue()).toBe('');
    const seed = /SU[A-Z2-7]{56}/.exec(creds.content)?.[0] ?? expect.unreachable();
    expect(sent.filter((text) => text.includes(seed))).toEqual([]);
    const used = region(page, 'Use in the last day');
    await used.getByText('Samples of the last day').waitFor();
    await used.getByText('1 client is connected with these credentials now.').waitFor();
    await steps(page).toEqual([1, 3]);

    await region(page, 'Disable').getByRole('button', { name: 'Disable credentials' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable credentials' }).click();
    await region(page, 'Disable')
      .getByText(/^Disabled orders\. 1 connection cut, 1 of 1 server, \d+ ms\.$/)
      .waitFor();
    expect(await endOf(attacker)).toMatch(CUT);
    await used.getByText('No clients are connected with these credentials.').waitFor();
    await steps(page).toEqual([1, 2, 3]);
    expect(await inspect(page, { part: 'main' })).toEqual([]);

    const link = region(page, 'Replacement').getByRole('link', { name: /^Create credentials/ });
    expect(await link.getAttribute('href')).toContain(`account=${creds.account}#nats`);
    await newCreds(local, REGION, creds.account, 'orders 2');
    await region(page, 'Replacement').getByText('orders 2').waitFor();
    await steps(page).toEqual([1, 2, 3, 4]);

    const pending = await simulatePending(page, creds.account);
    await region(page, 'Revoke').getByRole('button', { name: 'Revoke credentials' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke credentials' }).click();
    await region(page, 'Revoke')
      .getByText(/^Revoked orders\./)
      .waitFor();
    await region(page, 'Revoke').getByText('Not all servers have confirmed the revocation yet.').waitFor();
    expect(await stepsDone(page)).toEqual([1, 2, 3, 4]);
    pending.over = true;
    await steps(page).toEqual([1, 2, 3, 4, 5]);
    expect(await access(url(), creds.content)).toBe('refused');
    await page.reload();
    await page.getByText('no longer exist, or you cannot read them').waitFor();
    await steps(page).toEqual([]);
    expect(browser.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
  });

  it('shows denied attempts with keys of the other products, found by their secret or by name', async () => {
    const project = await newProject(local);
    await activate(local, REGION, project);
    const page = await browser.open(`/how-to/leaked-credentials/?region=${REGION}&project=${project}`);
    for (const { id } of PRODUCTS) {
      const leaked = await newKeys(id, project, 'leaked');
      await newKeys(id, project, 'other');
      expect(await use(id, leaked)).toBe('ok');
      if (id === 'sqs') {
        await page.getByLabel('Key or .creds text').fill(`SECRET=${leaked.secret_key}`);
        await page.getByRole('button', { name: 'Find credentials' }).click();
      } else {
        await page.getByLabel('Product').selectOption(id);
        await page.getByRole('radio', { name: 'other' }).waitFor();
        await page.getByLabel('Name contains').fill('LEAK');
        await page.getByRole('radio', { name: 'other' }).waitFor({ state: 'detached' });
        await page.getByRole('radio', { name: 'leaked' }).check();
      }
      const used = region(page, 'Use in the last day');
      await used.getByText('1 request in the last day.').waitFor();
      await used.getByText('127.0.0.0/24').waitFor();
      await region(page, 'Disable').getByRole('button', { name: 'Disable credentials' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Disable credentials' }).click();
      await region(page, 'Disable').getByText('Disabled leaked. Its next request is denied.').waitFor();
      expect(await use(id, leaked)).toMatch(/^InvalidClientTokenId/);
      await used.getByText(/^1 request denied since/).waitFor();
      await steps(page).toEqual([1, 2, 3]);
      await newKeys(id, project, 'replacement');
      await steps(page).toEqual([1, 2, 3, 4]);
      await region(page, 'Revoke').getByRole('button', { name: 'Revoke credentials' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke credentials' }).click();
      await region(page, 'Revoke').getByText('Revoked leaked. Its next request is denied.').waitFor();
      await steps(page).toEqual([1, 2, 3, 4, 5]);
    }
    expect(browser.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
  });

  it('asks a visitor to sign in, and returns to the step', async () => {
    const page = await browser.open(`/how-to/leaked-credentials/?region=${REGION}`, { stranger: true });
    const link = region(page, 'By name').getByRole('link', { name: 'Sign in' });
    await link.waitFor();
    const back = new URL((await link.getAttribute('href')) ?? '', page.url()).searchParams.get('return');
    expect(back).toBe(`/how-to/leaked-credentials/?region=${REGION}#leak-find`);
    await page.getByLabel('Key or .creds text').fill('nothing');
    await page.getByRole('button', { name: 'Find credentials' }).click();
    await page.getByText('No key was found in this text.').waitFor();
    expect(await stepsDone(page)).toEqual([]);
  });
});
