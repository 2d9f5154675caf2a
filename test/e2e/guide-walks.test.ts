/**
 * Every step of both guides, for each product in two regions, as an Owner, a member with access to one project, and a
 * guest. Also checks the guides for a visitor who is not signed in and for a member without the required permission. For
 * other errors of the forms, see their own tests.
 */
import { readFileSync } from 'node:fs';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  activate,
  dialog,
  generate,
  listed,
  more,
  PRODUCTS,
  type Product,
  panel,
  row,
  save,
  shownKeys,
  status,
} from './access-key-form.ts';
import { recordTraffic, region, type SignIn, stepsDone, useBrowser } from './browser.ts';
import {
  activate as activateByApi,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { isReady, pressAt, tabTo } from './keyboard.ts';
import { api, useStack } from './local-stack.ts';
import { newMember } from './members.ts';
import { access, CUT, connectWith, endOf, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);

const REGIONS = [
  { at: 'fr-par', label: 'Paris', other: 'nl-ams' },
  { at: 'nl-ams', label: 'Amsterdam', other: 'fr-par' },
] as const;

/** The readers of the guides. `open` opens a guide as that reader, in a new project. */
const READERS: { reader: string; open: (path: string) => Promise<Page> }[] = [
  { reader: 'an Owner', open: async (path) => browser.open(`${path}&project=${await newProject(local)}`) },
  { reader: 'a member with a policy', open: openAsMember },
  { reader: 'a guest', open: openAsGuest },
];

let grace: Promise<SignIn & { id: string }> | undefined;

/** Opens the guide as the same member each time, with a policy that grants full access to a new project. */
async function openAsMember(path: string): Promise<Page> {
  grace ??= newMember(local, 'Grace');
  const { id, ...as } = await grace;
  const project = await newProject(local);
  await api(local, 'POST', '/iam/v1alpha1/policies', {
    organization_id: local.owner.organization_id,
    name: project,
    user_id: id,
    rules: [{ permission_set_names: ['MessagingAndQueuingFullAccess'], project_ids: [project] }],
  });
  return browser.open(`${path}&project=${project}`, { as });
}

async function openAsGuest(path: string): Promise<Page> {
  const page = await browser.open(path, { stranger: true });
  await region(page, 'NATS accounts').getByRole('button', { name: 'Try it without an account' }).click();
  return page;
}

const member = (permission_set_names: string[], project: string) =>
  newMember(local, 'Grace', [{ permission_set_names, project_ids: [project] }]);

const CASES = READERS.flatMap((reader) => REGIONS.map((place) => ({ ...reader, ...place })));
type Place = (typeof REGIONS)[number];

it.each(CASES)('$reader completes both guides for every product in $label', async ({ open, ...place }) => {
  const page = await open(`/how-to/create-credentials/?region=${place.other}`);
  const creds = await createForNats(page, place);
  const uses: (() => Promise<string>)[] = [];
  for (const product of PRODUCTS) uses.push(await createFor(product, page, place));
  const connection = await connectWith(natsUrl(place), creds);
  await page.goto(`/how-to/manage-credentials/${new URL(page.url()).search}`);
  await revokeForNats(page, place);
  expect(await endOf(connection)).toMatch(CUT);
  expect(await access(natsUrl(place), creds)).toBe('refused');
  for (const [index, product] of PRODUCTS.entries())
    await updateAndRevokeFor(product, page, uses[index] ?? expect.unreachable('no client for this product'));
});

const natsUrl = ({ at }: Place) => local.stack.nats.get(at)?.url ?? '';

/** Chooses another region in a form, then this one. */
async function choose(page: Page, list: number, form: Locator, { at, label, other }: Place): Promise<void> {
  const field = page.getByRole('combobox', { name: 'Region' }).nth(list);
  await field.selectOption(other);
  await form.getByText(label).first().waitFor({ state: 'hidden' });
  await field.selectOption({ label: `${label} (${at})` });
  await form.getByText(label).first().waitFor();
}

/** Follows the NATS section of the guide to create credentials. Resolves to the downloaded file. */
async function createForNats(page: Page, place: Place): Promise<string> {
  const accounts = region(page, 'NATS accounts');
  const credentials = region(page, 'Credentials');
  await accounts.getByText('no NATS account').waitFor();
  await choose(page, 0, accounts, place);
  await accounts.getByRole('button', { name: 'Create account' }).click();
  await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
  await page.keyboard.press('Enter');
  await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
  await credentials.getByText('no credentials yet').waitFor();
  expect(await stepsDone(page)).toEqual([1, 2]);
  const traffic = recordTraffic(page);
  await credentials.getByRole('button', { name: 'Generate credentials' }).click();
  await dialog(page, 'Generate credentials').getByLabel('Name').fill('orders');
  await page.keyboard.press('Enter');
  const button = dialog(page, 'Save your credentials').getByRole('button', { name: /^Download/ });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  await save(page);
  const creds = readFileSync(await file.path(), 'utf8');
  expectKeptByPage(creds, await traffic());
  const created = credentials.getByRole('row').filter({ hasText: 'orders' });
  await created.getByRole('cell', { name: 'Full access' }).waitFor();
  expect(await stepsDone(page)).toEqual([1, 2, 3, 5]);
  return creds;
}

/** Expects the JWT of a `.creds` file in the page's traffic, but no private key: neither the file's nor another. */
function expectKeptByPage(creds: string, traffic: string): void {
  const [jwt = '', seed = ''] = [/eyJ[\w.-]{100,}/.exec(creds)?.[0], /SU[A-Z2-7]{56}/.exec(creds)?.[0]];
  expect([jwt.length > 0, seed.length > 0]).toEqual([true, true]);
  expect(traffic).toContain(jwt);
  expect(traffic).not.toContain(seed);
  expect(traffic).not.toMatch(/SU[A-Z2-7]{56}|NKEY SEED/);
}

/** Follows the NATS section of the guide to manage credentials. */
async function revokeForNats(page: Page, { label }: Place): Promise<void> {
  const credentials = region(page, 'Credentials');
  await credentials.getByRole('button', { name: 'Revoke orders' }).click();
  const alert = page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
  await alert.getByText('1 client is connected').waitFor();
  await alert.getByText(label).waitFor();
  expect(await stepsDone(page)).toEqual([1, 2, 3]);
  await alert.getByRole('button', { name: 'Revoke credentials' }).click();
  await credentials.getByText(/^Revoked orders\. 1 connection cut, 1 of 1 server, \d+ ms\.$/).waitFor();
  expect(await stepsDone(page)).toEqual([1, 2, 3, 4]);
  expect(await credentials.getByRole('row').filter({ hasText: 'orders' }).count()).toBe(0);
}

/** Follows a product's section of the guide to create credentials. Resolves to a function that uses the keys. */
async function createFor(product: Product, page: Page, place: Place): Promise<() => Promise<string>> {
  // The script of the panel loads when the panel is near the viewport.
  await panel(page, product).scrollIntoViewIfNeeded();
  await panel(page, product).getByRole('button', { name: 'Activate' }).waitFor();
  await choose(page, product.list, panel(page, product), place);
  await activate(page, product);
  expect(await stepsDone(page, product.list)).toEqual([1]);
  await generate(page, product, 'orders', ['Manage']);
  const keys = await shownKeys(page);
  await save(page);
  await row(page, product, 'orders').getByRole('cell', { name: 'Manage', exact: true }).waitFor();
  await row(page, product, 'orders').getByText(keys.access_key).waitFor();
  expect(await stepsDone(page, product.list)).toEqual([1, 2, 4]);
  const use = requestWith(product, { ...keys, id: '', region: place.at, project_id: '' });
  expect(await use()).toBe('ok');
  return use;
}

/** Follows a product's section of the guide to manage credentials. */
async function updateAndRevokeFor(product: Product, page: Page, use: () => Promise<string>): Promise<void> {
  await panel(page, product).scrollIntoViewIfNeeded();
  await more(page, product, 'orders', 'Update credentials');
  const change = dialog(page, 'Update credentials');
  expect(await stepsDone(page, product.list)).toEqual([1, 2]);
  await change.getByRole('checkbox', { name: 'Manage' }).uncheck();
  await change.getByRole('checkbox', { name: 'Write' }).check();
  await change.getByRole('button', { name: 'Update credentials' }).click();
  await status(page, product).getByText('Updated orders.').waitFor();
  expect(await use()).toMatch(/^(AccessDenied|AuthorizationError)/);
  expect(await stepsDone(page, product.list)).toEqual([1, 2, 3]);

  await more(page, product, 'orders', 'Revoke');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke credentials' }).click();
  await status(page, product).getByText('Revoked orders.').waitFor();
  expect(await use()).toMatch(/^InvalidClientTokenId/);
  expect(await stepsDone(page, product.list)).toEqual([1, 2, 3, 4]);
}

/** Returns a function that sends a request requiring Manage with the AWS SDK, and resolves to its outcome. */
function requestWith({ id }: Product, keys: Parameters<typeof sqsClient>[1]): () => Promise<string> {
  const sqs = sqsClient(local, keys);
  const sns = snsClient(local, keys);
  return () =>
    outcome(
      id === 'sqs'
        ? sqs.send(new CreateQueueCommand({ QueueName: 'orders' }))
        : sns.send(new CreateTopicCommand({ Name: 'orders' })),
    );
}

describe('a visitor who is not signed in', () => {
  it.each([
    { guide: 'create', step: 'generate', followed: 1, back: 'nl-ams' },
    { guide: 'manage', step: 'find', followed: 0, back: 'fr-par' },
  ])('signs in from a form of the guide to $guide credentials, and returns to its step', async (walk) => {
    const { guide, step, followed, back } = walk;
    const path = `/how-to/${guide}-credentials/`;
    const page = await browser.open('/healthz', { stranger: true });
    const forms = [
      { heading: 'Credentials', id: `nats-${step}` },
      ...PRODUCTS.map((one) => ({ heading: `Credentials for ${one.label}`, id: `${one.step}-${step}` })),
    ];
    for (const { at } of REGIONS) {
      await page.goto(`${path}?region=${at}`);
      for (const [list, { heading, id }] of forms.entries()) {
        const form = region(page, heading);
        await form.scrollIntoViewIfNeeded();
        const link = form.getByRole('link', { name: 'Sign in' });
        await link.waitFor();
        const address = new URL((await link.getAttribute('href')) ?? '', page.url());
        expect(address.searchParams.get('return')).toBe(`${path}?region=${at}#${id}`);
        expect(await form.getByRole('button', { name: 'Generate credentials' }).isDisabled()).toBe(true);
        const fields = page.getByRole('combobox', { name: 'Region' });
        expect(await fields.nth(list).inputValue()).toBe(at);
      }
    }
    const { heading = '', id = '' } = forms[followed] ?? {};
    // Sign in with the keyboard only.
    await page.goto(`${path}?region=${back}#${id}`);
    await pressAt(page, region(page, heading).getByRole('link', { name: 'Sign in' }));
    await tabTo(page, page.getByLabel('Email address'));
    await page.keyboard.type(local.owner.email);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(local.owner.password);
    await isReady(page.getByRole('main').getByRole('button', { name: 'Sign in' }));
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === path && url.hash === `#${id}`);
    await page.locator(`#${id}`).getByRole('link', { name: 'Sign in' }).waitFor({ state: 'hidden' });
    expect(new URL(page.url()).searchParams.get('region')).toBe(back);
  });
});

describe('a member without the required permission', () => {
  const guide = (name: string, at: string, project: string, account = '') =>
    `/how-to/${name}-credentials/?region=${at}&project=${project}&account=${account}`;
  const onlyDenials = () => {
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('403');
  };
  const SETS = { sqs: 'QueuesFullAccess', sns: 'TopicsAndEventsFullAccess' };

  it.each(REGIONS)('sees the missing permission set in each form, in $label', async ({ at }) => {
    const { project_id: projectId } = local.owner;
    const { account, content } = await newCreds(local, at);
    const as = await member(['MessagingAndQueuingReadOnly'], projectId);
    const page = await browser.open(guide('create', at, projectId, account), { as });
    await expectDenied(page, 'Credentials', 'NATSFullAccess', []);
    for (const product of PRODUCTS) {
      await panel(page, product).scrollIntoViewIfNeeded();
      await panel(page, product).getByRole('button', { name: 'Activate' }).click();
      await panel(page, product).getByText(`A policy with ${SETS[product.id]} grants it`).waitFor();
    }

    await activateByApi(local, at, projectId);
    const keys = { region: at, projectId };
    for (const { id } of PRODUCTS) await newCredentials(local, id, { can_publish: true }, keys);
    await page.goto(guide('manage', at, projectId, account));
    await region(page, 'Credentials')
      .getByRole('button', { name: /^Revoke/ })
      .click();
    await expectDialogDenied(page, 'Revoke credentials', 'NATSFullAccess');
    expect(await access(local.stack.nats.get(at)?.url ?? '', content)).toBe('yes');
    for (const product of PRODUCTS) {
      await expectDenied(page, `Credentials for ${product.label}`, SETS[product.id], ['Write']);
      const [{ access_key = '' } = {}, ...others] = await listed(local, product, at, projectId);
      for (const [action, button] of [
        ['Update credentials', 'Update credentials'],
        ['Revoke', 'Revoke credentials'],
      ] as const) {
        await row(page, product, access_key).getByRole('button').click();
        await page.getByRole('menuitem', { name: action }).click();
        await expectDialogDenied(page, button, SETS[product.id]);
      }
      expect(others).toEqual([]);
      expect(await listed(local, product, at, projectId)).toMatchObject([{ access_key }]);
    }
    onlyDenials();
  });

  /** Expects that generating fails: the summary names the permission set, no field is invalid, and input is kept. */
  async function expectDenied(page: Page, heading: string, set: string, boxes: string[]): Promise<void> {
    await region(page, heading).scrollIntoViewIfNeeded();
    await region(page, heading).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill('kept');
    for (const box of boxes) await form.getByRole('checkbox', { name: box }).check();
    await form.getByRole('button', { name: /^Generat/ }).click();
    await form.getByRole('alert').getByText(`A policy with ${set} grants it`).waitFor();
    expect(await form.locator('[aria-invalid]').count()).toBe(0);
    expect(await form.getByLabel('Name').inputValue()).toBe('kept');
    await form.getByRole('button', { name: 'Cancel' }).click();
  }

  /** Expects that the open dialog's action fails and names the permission set, then closes the dialog. */
  async function expectDialogDenied(page: Page, button: string, set: string): Promise<void> {
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('alert').getByText(`A policy with ${set} grants it`).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  }

  it('sees the permission set that the form of another product requires, and with no permissions sees that no project is accessible', async () => {
    const { project_id: project } = local.owner;
    const as = await member(['QueuesReadOnly'], project);
    const page = await browser.open(guide('create', 'fr-par', project), { as });
    await region(page, 'NATS accounts').getByText('A policy with NATSReadOnly grants it').waitFor();
    const edsger = await newMember(local, 'Edsger');
    const denied = await browser.open(guide('create', 'nl-ams', project), { as: edsger });
    await region(denied, 'NATS accounts').getByText('you have no access to a project').waitFor();
    // She is signed in: the drop-down list must not ask her to.
    expect(await denied.getByLabel('Project').first().innerText()).toBe('None');
    onlyDenials();
  });
});
