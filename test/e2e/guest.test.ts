/**
 * A guest tries the product in the guides with real clients until the session expires; then nothing works, and only
 * the audit trail remains. guide-walks.test.ts tests each step of the guides as a guest.
 */
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { regionBinding } from '../../functions/shared/regions.ts';
import { activate, generate, PRODUCTS, panel, save, shownKeys } from './access-key-form.ts';
import { axe, region, useBrowser } from './browser.ts';
import { outcome, sqsClient } from './gateway-clients.ts';
import { useStack } from './local-stack.ts';
import { access, CUT, connectWith, endOf } from './nats-client.ts';

const QUOTAS = { nats_accounts: 2, credentials: 3 };
const local = useStack({ vars: (own) => ({ ...own, GUESTS: { enabled: true, quotas: QUOTAS } }) });
const browser = useBrowser(local);
const GUIDE = '/how-to/create-credentials/';
const [QUEUES] = PRODUCTS;

const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });
const label = (page: Page) => page.getByRole('button', { name: /^Signed in as Guest, \d+ minutes? left/ });
const natsUrl = () => local.stack.nats.get('fr-par')?.url ?? '';

/** Opens a page and starts a guest session in its first form. */
async function startGuest(
  options: { colorScheme?: 'dark'; viewport?: { width: number; height: number } } = {},
) {
  const page = await browser.open(`${GUIDE}?region=fr-par`, { stranger: true, ...options });
  await region(page, 'NATS accounts').getByRole('button', { name: 'Try it without an account' }).click();
  await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();
  return page;
}

async function createAccount(page: Page, name: string): Promise<void> {
  await region(page, 'NATS accounts').getByRole('button', { name: 'Create account' }).first().click();
  await dialog(page, 'Create a NATS account').getByLabel('Name').fill(name);
  await dialog(page, 'Create a NATS account').getByRole('button', { name: 'Create account' }).click();
}

/** Generates NATS credentials in the page and returns the file. */
async function newCreds(page: Page, name: string): Promise<string> {
  await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
  await dialog(page, 'Generate credentials').getByLabel('Name').fill(name);
  await dialog(page, 'Generate credentials').getByRole('button', { name: 'Generate credentials' }).click();
  const secret = dialog(page, 'Save your credentials');
  await secret.getByRole('button', { name: `Show ${name}-nats-fr-par.creds` }).click();
  const content = await secret.locator('pre').first().innerText();
  await save(page);
  return content;
}

/** Returns the IDs of the page's guest. */
async function guestOf(page: Page): Promise<{ user: string; organization: string; project: string }> {
  return page.evaluate(async () => {
    const { id, organizations } = await (await fetch('/iam/v1alpha1/principal')).json();
    const { projects } = await (await fetch('/account/v3/projects')).json();
    return { user: id, organization: organizations[0].id, project: projects[0].id };
  });
}

/** Sets the guest's expiry to the past, in the database. */
async function expireGuest(organization: string): Promise<void> {
  const identity = await local.stack.database('IDENTITY');
  // Long enough ago that no request can be in flight.
  const past = Date.now() - 120_000;
  await identity.batch([
    identity.prepare('update organizations set expires_at = ? where id = ?').bind(past, organization),
    identity
      .prepare(
        'update sessions set expires_at = ? where user_id in (select user_id from memberships where organization_id = ?)',
      )
      .bind(past, organization),
  ]);
}

/**
 * Counts what a region still stores of a project that is in force or was entered by a person. Only zero counts, the
 * IDs of used accounts without names, which servers reject, and the audit trail remain.
 */
async function countsIn(name: string, project: string): Promise<Record<string, number>> {
  const database = await local.stack.database(regionBinding('REGION', name));
  const statement = `select
    (select count(*) from credentials where project_id = ?1) as credentials,
    (select count(*) from nats_accounts where project_id = ?1 and (deleted_at is null or name <> '')) as accounts,
    (select count(*) from services where project_id = ?1 and status = 'enabled') as services,
    (select count(*) from deactivations where project_id = ?1) as deactivations,
    (select count(*) from queues join services s using (prefix) where s.project_id = ?1) as queues,
    (select coalesce(sum(value), 0) from counts where scope = ?1) as counts`;
  const row = await database.prepare(statement).bind(project).first<Record<string, number>>();
  return Object.fromEntries(Object.entries(row ?? {}).filter(([, count]) => count > 0));
}

/** Returns the tables of identity that still contain one of the IDs. */
async function tracesOf(ids: readonly string[]): Promise<string[]> {
  const identity = await local.stack.database('IDENTITY');
  const { results: tables } = await identity
    .prepare("select name from sqlite_master where type = 'table' and name not glob '_cf_*'")
    .all<{ name: string }>();
  const found: string[] = [];
  for (const { name } of tables) {
    const { results } = await identity.prepare(`select * from "${name}"`).all();
    if (results.some((row) => ids.some((id) => JSON.stringify(row).includes(id)))) found.push(name);
  }
  return found;
}

describe('a guest', () => {
  it('uses NATS and Queues with real clients until the session expires', async () => {
    const page = await startGuest();
    await label(page).waitFor();
    await page.getByText('everything you create is deleted in 30 minutes').first().waitFor();
    expect(await page.getByLabel('Project').first().locator('option:checked').innerText()).toBe('sandbox');
    expect(await axe(page)).toEqual([]);
    await createAccount(page, 'Trial');
    await region(page, 'Credentials').getByText('no credentials yet').waitFor();
    const content = await newCreds(page, 'orders');
    const connection = await connectWith(natsUrl(), content);
    await panel(page, QUEUES).scrollIntoViewIfNeeded();
    await activate(page, QUEUES);
    await generate(page, QUEUES, 'jobs', ['Write', 'Manage']);
    const keys = await shownKeys(page);
    await save(page);
    const client = sqsClient(local, { ...keys, id: '', project_id: '', region: 'fr-par' });
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'jobs' }));
    const send = () => outcome(client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })));
    expect(await send()).toBe('ok');
    const { organization, project, user } = await guestOf(page);

    await expireGuest(organization);
    await local.stack.schedule();
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(natsUrl(), content)).toBe('refused');
    expect(await send()).toBe('InvalidClientTokenId');
    // Moves time on, so that no request to the engine can be in flight.
    await (await local.stack.database(regionBinding('REGION', 'fr-par')))
      .prepare('update deactivations set since = since - 60000')
      .run();
    await local.stack.schedule();
    expect(await countsIn('fr-par', project)).toEqual({});
    expect(await tracesOf([organization, project, user])).toEqual(['audit_events']);

    await page.reload();
    await region(page, 'NATS accounts').getByRole('button', { name: 'Try it without an account' }).waitFor();
    expect(await label(page).count()).toBe(0);
  });

  it('sees a readable error when a quota is reached', async () => {
    const page = await startGuest();
    for (const name of ['One', 'Two']) {
      await createAccount(page, name);
      await page.getByRole('radio', { name, checked: true }).waitFor();
    }
    await createAccount(page, 'Three');
    await dialog(page, 'Create a NATS account')
      .getByText('The quota is reached: 2 of 2 NATS accounts')
      .waitFor();
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('403')]);
  });

  it('sees in the forms that the session has expired, and can start another', async () => {
    const page = await browser.open(`${GUIDE}?region=fr-par`, { stranger: true, colorScheme: 'dark' });
    await page.clock.install();
    await page.reload();
    await region(page, 'NATS accounts').getByRole('button', { name: 'Try it without an account' }).click();
    await label(page).waitFor();
    await createAccount(page, 'Trial');
    await page.getByRole('radio', { name: 'Trial', checked: true }).waitFor();
    // The rest is real time: most of the last minute, for slow machines.
    await page.clock.fastForward('29:02');
    await page.getByRole('button', { name: 'Signed in as Guest, 1 minute left' }).waitFor();
    await expireGuest((await guestOf(page)).organization);
    await page.clock.fastForward('01:00');
    await page.getByText('Your sandbox has expired.').first().waitFor();
    expect(await axe(page)).toEqual([]);
    await region(page, 'NATS accounts').getByRole('button', { name: 'Try it without an account' }).click();
    await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();
  });

  it('is only asked to sign in when the operator disables guest sessions', async () => {
    const page = await browser.open('/', { stranger: true });
    await page.route('**/auth/guest', (route) => route.fulfill({ json: { enabled: false, minutes: 30 } }));
    const refusal = page.waitForResponse('**/auth/guest');
    await page.goto(`${GUIDE}?region=fr-par`);
    await refusal;
    await region(page, 'NATS accounts').getByRole('link', { name: 'Sign in' }).waitFor();
    expect(await page.getByRole('button', { name: 'Try it without an account' }).count()).toBe(0);
  });
});
