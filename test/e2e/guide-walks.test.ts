/**
 * Both guides, each step of them, for each product in two regions, as an Owner and as a member who was granted one
 * project walk them; and what they are to somebody who is not signed in or lacks a permission. What forms do when things
 * go wrong is for their own tests.
 */
import { readFileSync } from 'node:fs';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { region, type SignIn, stepsDone, useBrowser } from './browser.ts';
import {
  activate as activateByApi,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { isReady, pressAt, tabTo } from './keyboard.ts';
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
} from './keyed-form.ts';
import { api, useStack } from './local-stack.ts';
import { newMember } from './members.ts';
import { access, CUT, connectWith, endOf, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);

const REGIONS = [
  { at: 'fr-par', label: 'Paris', other: 'nl-ams' },
  { at: 'nl-ams', label: 'Amsterdam', other: 'fr-par' },
] as const;

/** The people who walk: what they sign in with, given the project that they are to work in. */
const WALKERS: { who: string; signIn: (project: string) => Promise<SignIn> }[] = [
  { who: 'an Owner', signIn: async () => local.owner },
  { who: 'a member with a policy', signIn: granted },
];

let grace: Promise<SignIn & { id: string }> | undefined;

/** One member for all walks, granted the full set in one project after the other. */
async function granted(project: string): Promise<SignIn> {
  grace ??= newMember(local, 'Grace');
  const { id, ...signIn } = await grace;
  await api(local, 'POST', '/iam/v1alpha1/policies', {
    organization_id: local.owner.organization_id,
    name: project,
    user_id: id,
    rules: [{ permission_set_names: ['MessagingAndQueuingFullAccess'], project_ids: [project] }],
  });
  return signIn;
}

const member = (permission_set_names: string[], project: string) =>
  newMember(local, 'Grace', [{ permission_set_names, project_ids: [project] }]);

const CASES = WALKERS.flatMap((walker) => REGIONS.map((place) => ({ ...walker, ...place })));

describe.each(CASES)('$who in $label', ({ signIn, at, label, other }) => {
  /** A guide with another region chosen than the one to walk in. */
  async function open(anchor: string): Promise<{ page: Page; project: string }> {
    const project = await newProject(local);
    const as = await signIn(project);
    const path = `/how-to/create-credentials/?region=${other}&project=${project}#${anchor}`;
    return { page: await browser.open(path, { as }), project };
  }
  const choose = (page: Page, list: number) =>
    page
      .getByRole('combobox', { name: 'Region' })
      .nth(list)
      .selectOption({ label: `${label} (${at})` });
  const manage = (page: Page, anchor: string) =>
    page.goto(`/how-to/manage-credentials/${new URL(page.url()).search}#${anchor}`);

  it('creates and revokes credentials for NATS, and a client is let in and cut off', async () => {
    const { page } = await open('nats');
    const accounts = region(page, 'NATS accounts');
    const credentials = region(page, 'Credentials');
    await accounts.getByText('no NATS account').waitFor();
    await choose(page, 0);
    await accounts.getByText(label).waitFor();
    await accounts.getByRole('button', { name: 'Create account' }).click();
    await dialog(page, 'Create a NATS account').getByLabel('Name').fill('Production');
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: 'Production', checked: true }).waitFor();
    await credentials.getByText('no credentials yet').waitFor();
    expect(await stepsDone(page)).toEqual([1, 2]);
    await credentials.getByRole('button', { name: 'Generate credentials' }).click();
    await dialog(page, 'Generate credentials').getByLabel('Name').fill('orders');
    await page.keyboard.press('Enter');
    const button = dialog(page, 'Save your credentials').getByRole('button', { name: /^Download/ });
    const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
    await save(page);
    const made = credentials.getByRole('row').filter({ hasText: 'orders' });
    await made.getByRole('cell', { name: 'Full access' }).waitFor();
    expect(await stepsDone(page)).toEqual([1, 2, 3, 5]);

    const url = local.stack.nats.get(at)?.url ?? '';
    const content = readFileSync(await file.path(), 'utf8');
    const connection = await connectWith(url, content);
    await manage(page, 'revoke-nats-credentials');
    await made.getByRole('button', { name: 'Revoke orders' }).click();
    const alert = page.getByRole('alertdialog', { name: 'Revoke these credentials?' });
    await alert.getByText('1 client is connected').waitFor();
    await alert.getByText(label).waitFor();
    expect(await stepsDone(page)).toEqual([1, 2, 3]);
    await alert.getByRole('button', { name: 'Revoke credentials' }).click();
    await credentials.getByText(/^Revoked orders\. 1 connection cut, 1 of 1 server, \d+ ms\.$/).waitFor();
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(url, content)).toBe('refused');
    expect(await stepsDone(page)).toEqual([1, 2, 3, 4]);
    expect(await made.count()).toBe(0);
  });

  it.each(PRODUCTS)(
    'creates, updates and revokes credentials for $label, and the AWS SDK is let in and denied',
    async (product) => {
      const { page, project } = await open(product.step);
      await panel(page, product).getByRole('button', { name: 'Activate' }).waitFor();
      await choose(page, product.list);
      await panel(page, product).getByText(label).waitFor();
      await activate(page, product);
      expect(await stepsDone(page, product.list)).toEqual([1]);
      await generate(page, product, 'orders', ['Manage']);
      const keys = await shownKeys(page);
      await save(page);
      await row(page, product, 'orders').getByRole('cell', { name: 'Manage', exact: true }).waitFor();
      await row(page, product, 'orders').getByText(keys.access_key).waitFor();
      expect(await stepsDone(page, product.list)).toEqual([1, 2, 4]);
      const use = user(product, { ...keys, id: '', region: at, project_id: project });
      expect(await use()).toBe('ok');

      await manage(page, product.step);
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
    },
  );
});

/** Something that the AWS SDK does with keys, and that needs Manage. */
function user({ id }: Product, keys: Parameters<typeof sqsClient>[1]): () => Promise<string> {
  const sqs = sqsClient(local, keys);
  const sns = snsClient(local, keys);
  return () =>
    outcome(
      id === 'sqs'
        ? sqs.send(new CreateQueueCommand({ QueueName: 'orders' }))
        : sns.send(new CreateTopicCommand({ Name: 'orders' })),
    );
}

describe('somebody who is not signed in', () => {
  it.each([
    { guide: 'create', step: 'generate', followed: 1 },
    { guide: 'manage', step: 'find', followed: 0 },
  ])('finds the forms of the guide to $guide credentials, and comes back to the step', async (at) => {
    const { guide, step, followed } = at;
    const path = `/how-to/${guide}-credentials/`;
    const page = await browser.open(`${path}?region=nl-ams`, { stranger: true });
    const forms = [
      { heading: 'Credentials', id: `nats-${step}` },
      ...PRODUCTS.map((one) => ({ heading: `Credentials for ${one.label}`, id: `${one.step}-${step}` })),
    ];
    for (const [list, { heading, id }] of forms.entries()) {
      const form = region(page, heading);
      await form.scrollIntoViewIfNeeded();
      const link = form.getByRole('link', { name: 'Sign in' });
      await link.waitFor();
      const address = new URL((await link.getAttribute('href')) ?? '', page.url());
      expect(address.searchParams.get('return')).toBe(`${path}?region=nl-ams#${id}`);
      expect(await form.getByRole('button', { name: 'Generate credentials' }).isDisabled()).toBe(true);
      const fields = page.getByRole('combobox', { name: 'Region' });
      expect(await fields.nth(list).inputValue()).toBe('nl-ams');
    }
    const { heading = '', id = '' } = forms[followed] ?? {};
    // By the keyboard alone, as whoever was led here may want to.
    await page.goto(`${path}?region=nl-ams#${id}`);
    await pressAt(page, region(page, heading).getByRole('link', { name: 'Sign in' }));
    await tabTo(page, page.getByLabel('E-mail address'));
    await page.keyboard.type(local.owner.email);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(local.owner.password);
    await isReady(page.getByRole('main').getByRole('button', { name: 'Sign in' }));
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === path && url.hash === `#${id}`);
    await page.locator(`#${id}`).getByRole('link', { name: 'Sign in' }).waitFor({ state: 'hidden' });
    expect(new URL(page.url()).searchParams.get('region')).toBe('nl-ams');
  });
});

describe('somebody without the permission', () => {
  const at = 'fr-par';
  const guide = (name: string, anchor: string, account = '') =>
    `/how-to/${name}-credentials/?region=${at}&project=${local.owner.project_id}&account=${account}#${anchor}`;
  const onlyDenials = () => {
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('403');
  };

  it('is told which permission set is missing, also by the form that they have filled in', async () => {
    const { account, content } = await newCreds(local, at);
    const as = await member(['MessagingAndQueuingReadOnly'], local.owner.project_id);
    const page = await browser.open(guide('create', 'nats', account), { as });
    await refuses(page, 'Credentials', 'NATSFullAccess', []);
    await page.goto(guide('manage', 'nats', account));
    await region(page, 'Credentials')
      .getByRole('button', { name: /^Revoke/ })
      .click();
    const alert = page.getByRole('alertdialog');
    await alert.getByRole('button', { name: 'Revoke credentials' }).click();
    await alert.getByRole('alert').getByText('A policy with NATSFullAccess grants it').waitFor();
    expect(await access(local.stack.nats.get(at)?.url ?? '', content)).toBe('yes');
    onlyDenials();
  });

  it.each([
    [PRODUCTS[0], 'QueuesFullAccess'],
    [PRODUCTS[1], 'TopicsAndEventsFullAccess'],
  ] as const)('is told so by each form of $label', async (product, set) => {
    const project = await newProject(local);
    const as = await member(['MessagingAndQueuingReadOnly'], project);
    const path = `/how-to/manage-credentials/?region=${at}&project=${project}#${product.step}`;
    const page = await browser.open(path, { as });
    await panel(page, product).getByRole('button', { name: 'Activate' }).click();
    await panel(page, product).getByText(`A policy with ${set} grants it`).waitFor();

    await activateByApi(local, at, project, [product.id]);
    const { access_key } = await newCredentials(
      local,
      product.id,
      { can_publish: true },
      { projectId: project },
    );
    await page.reload();
    await refuses(page, `Credentials for ${product.label}`, set, ['Write']);
    for (const [action, button] of [
      ['Update credentials', 'Update credentials'],
      ['Revoke', 'Revoke credentials'],
    ] as const) {
      await row(page, product, access_key).getByRole('button').click();
      await page.getByRole('menuitem', { name: action }).click();
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('alert').getByText(`A policy with ${set} grants it`).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
    }
    expect(await listed(local, product, at, project)).toMatchObject([{ access_key }]);
    onlyDenials();
  });

  /** Has credentials generated in vain. What is missing stands in the summary, at no field, and what was typed stays. */
  async function refuses(page: Page, heading: string, set: string, boxes: string[]): Promise<void> {
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

  it('is told by the form of another product what opens it, and without any that no project is open', async () => {
    const as = await member(['QueuesReadOnly'], local.owner.project_id);
    const page = await browser.open(guide('create', 'nats'), { as });
    await region(page, 'NATS accounts').getByText('A policy with NATSReadOnly grants it').waitFor();
    const nobody = await browser.open(guide('create', 'nats'), { as: await newMember(local, 'Edsger') });
    await region(nobody, 'NATS accounts').getByText('no project is open to you').waitFor();
    onlyDenials();
  });
});
