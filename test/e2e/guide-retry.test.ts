/**
 * Retries after a lost response to a creation, in a real browser on the real stack: pressing the button again returns
 * the secret of the created resource, and creates nothing else (idempotent).
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { activate, dialog, listed, more, open, PRODUCTS, panel, save, shownKeys } from './access-key-form.ts';
import { region, useBrowser } from './browser.ts';
import { ALL, type Credentials, newProject, outcome, snsClient, sqsClient } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { access } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);

/**
 * Lets the next two creations reach the server but drops their responses, and delays later ones by 400 ms. Resolves
 * to the created IDs, in order.
 */
async function loseAnswers(page: Page, path: string, id = 'id'): Promise<string[]> {
  const ids: string[] = [];
  await page.route(`**/${path}`, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    if (ids.length === 2) {
      await sleep(400);
      return route.continue();
    }
    ids.push((await (await route.fetch()).json())[id]);
    return route.abort('connectionreset');
  });
  return ids;
}

/** Presses a dialog's button until a response arrives: the first two are lost, the third is double-clicked. */
async function retryUntilResponse(page: Page, title: string, button: string | RegExp): Promise<void> {
  const form = dialog(page, title);
  for (const _ of [1, 2]) {
    await form.getByRole('button', { name: button }).click();
    await form.getByRole('alert').getByText('Latchkey did not respond').waitFor();
    // After closing and reopening, the form still has the entered values and retries the same creation.
    await form.getByRole('button', { name: 'Cancel' }).click();
    // The list is reloaded: the creation can have succeeded.
    await page.waitForLoadState('networkidle');
    await page.getByRole('button', { name: button }).filter({ visible: true }).first().click();
  }
  await form.getByRole('button', { name: button }).dblclick();
  expect(browser.complaints.splice(0)).toEqual([
    expect.stringContaining('ERR_CONNECTION_RESET'),
    expect.stringContaining('ERR_CONNECTION_RESET'),
  ]);
}

describe('a retry after two lost responses', () => {
  it('creates a NATS account and its credentials once, and the creds connect', async () => {
    const project = await newProject(local);
    const page = await browser.open(`/how-to/create-credentials/?region=fr-par&project=${project}`);
    const accounts = region(page, 'NATS accounts');
    const credentials = region(page, 'Credentials');
    const accountIds = await loseAnswers(page, 'nats-accounts');
    await accounts.getByRole('button', { name: 'Create account' }).click();
    await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
    await retryUntilResponse(page, 'Create a NATS account', 'Create account');
    await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
    expect(new Set(accountIds)).toEqual(new Set([new URL(page.url()).searchParams.get('account')]));

    const ids = await loseAnswers(page, 'nats-credentials');
    await credentials.getByText('no credentials yet').waitFor();
    await credentials.getByRole('button', { name: 'Generate credentials' }).click();
    await dialog(page, 'Generate credentials').getByLabel('Name').fill('orders');
    await retryUntilResponse(page, 'Generate credentials', /^Generat/);
    const button = dialog(page, 'Save your credentials').getByRole('button', { name: /^Download/ });
    const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
    // Long enough for a second request, if there was one.
    await sleep(500);
    const at = '/mnq/v1beta1/regions/fr-par';
    const query = `?project_id=${project}`;
    expect(await api(local, 'GET', `${at}/nats-accounts${query}`)).toMatchObject({ total_count: 1 });
    expect(await api(local, 'GET', `${at}/nats-credentials${query}`)).toMatchObject({
      total_count: 1,
      nats_credentials: [{ id: ids[0], name: 'orders' }],
    });
    expect(ids[1]).toBe(ids[0]);
    const server = local.stack.nats.get('fr-par')?.url ?? '';
    expect(await access(server, readFileSync(await file.path(), 'utf8'))).toBe('yes');

    // The response ends the retries: the same name now creates another one.
    await save(page);
    await credentials.getByRole('button', { name: 'Generate credentials' }).click();
    await dialog(page, 'Generate credentials').getByLabel('Name').fill('orders');
    await dialog(page, 'Generate credentials')
      .getByRole('button', { name: /^Generat/ })
      .click();
    await dialog(page, 'Save your credentials').waitFor();
    expect(await api(local, 'GET', `${at}/nats-credentials${query}`)).toMatchObject({ total_count: 2 });
  });

  it('creates an API key once, with the original expiry', async () => {
    const page = await browser.open('/console/iam/#api-keys');
    const ids = await loseAnswers(page, 'api-keys', 'access_key');
    await page.getByRole('button', { name: 'Create API key' }).click();
    await dialog(page, 'Create an API key').getByLabel('Description').fill('orders');
    await retryUntilResponse(page, 'Create an API key', 'Create API key');
    const shown = dialog(page, 'Save your API key').getByRole('group', { name: 'Access key' });
    expect(ids).toEqual([await shown.locator('code').innerText(), ids[0]]);
    await sleep(500);
    const path = `/iam/v1alpha1/api-keys?organization_id=${local.owner.organization_id}`;
    const { api_keys: keys } = await api<{ api_keys: { description: string }[] }>(local, 'GET', path);
    expect(keys.filter(({ description }) => description === 'orders')).toHaveLength(1);
  });

  it.each(PRODUCTS)('creates $label credentials once, and the keys work', async (product) => {
    const project = await newProject(local);
    const page = await open(browser, 'create', product, 'nl-ams', project);
    await activate(page, product);
    const ids = await loseAnswers(page, `${product.id}-credentials`);
    await panel(page, product).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('orders');
    for (const box of ['Write', 'Read', 'Manage']) await form.getByRole('checkbox', { name: box }).check();
    for (const _ of [1, 2]) {
      await form.getByRole('button', { name: /^Generat/ }).click();
      await form.getByRole('alert').getByText('Latchkey did not respond').waitFor();
    }
    await form.getByRole('button', { name: /^Generat/ }).dblclick();
    await dialog(page, 'Save your credentials').waitFor();
    browser.complaints.splice(0, 2);
    const keys = await shownKeys(page);
    await save(page);
    await sleep(500);
    const all = await listed(local, product, 'nl-ams', project);
    expect(all).toMatchObject([{ id: ids[0], access_key: keys.access_key, permissions: ALL }]);
    expect(ids[1]).toBe(ids[0]);
    const works = (key: typeof keys) => {
      const credentials = { ...all[0], ...key } as Credentials;
      return outcome(
        product.id === 'sqs'
          ? sqsClient(local, credentials).send(new ListQueuesCommand())
          : snsClient(local, credentials).send(new ListTopicsCommand()),
      );
    };
    expect(await works(keys)).toBe('ok');

    const rotated = await loseAnswers(page, `${product.id}-credentials/*/rotate`, 'access_key');
    await more(page, product, 'orders', 'Rotate');
    const rotate = dialog(page, 'Rotate credentials');
    for (const _ of [1, 2]) {
      await rotate.getByRole('button', { name: /^Rotat/ }).click();
      await rotate.getByRole('alert').getByText('Latchkey did not respond').waitFor();
    }
    await rotate.getByRole('button', { name: /^Rotat/ }).dblclick();
    await dialog(page, 'Save your credentials').waitFor();
    browser.complaints.splice(0, 2);
    const rotatedKeys = await shownKeys(page);
    expect(rotated).toEqual([rotatedKeys.access_key, rotatedKeys.access_key]);
    expect([await works(keys), await works(rotatedKeys)]).toEqual(['ok', 'ok']);
  });
});
