/** The console for a member of two organizations: each page shows the selected organization's data only. */
import { beforeAll, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { newOrganization } from '../stack/new-organization.ts';
import { region, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { newMember } from './members.ts';

const local = useStack();
const browser = useBrowser(local);
let second: Pick<Owner, 'organization_id' | 'project_id' | 'secret_key'>;

beforeAll(async () => {
  const identity = await local.stack.database('IDENTITY');
  const bound = ({ sql, params }: { sql: string; params: readonly unknown[] }) =>
    identity.prepare(sql).bind(...params);
  second = await newOrganization(
    {
      first: async (statement) => (await bound(statement).first()) ?? undefined,
      run: async (statements) => void (await identity.batch(statements.map(bound))),
    },
    { name: 'Second & Daughters', email: local.owner.email },
  );
});

/** Calls the API as the Owner of the second organization. */
const inSecond = <Answer>(path: string) =>
  api<Answer>({ stack: local.stack, owner: { ...local.owner, ...second } }, 'GET', path);

it('the console lists the members of the selected organization, and keeps the selection on the next page', async () => {
  const { email } = await newMember(local, 'Grace');
  const page = await browser.open('/console/iam/');
  const picker = page.getByLabel('Organization', { exact: true });
  await picker.selectOption(local.owner.organization_id);
  const grace = page.getByRole('row').filter({ hasText: email });
  await grace.waitFor();
  await picker.selectOption({ label: 'Second & Daughters' });
  await grace.waitFor({ state: 'detached' });
  await page.getByRole('row').filter({ hasText: '(you)' }).waitFor();
  expect(await grace.count()).toBe(0);

  await page.goto('/console/projects/');
  await page.getByText(second.project_id).waitFor();
  expect(await picker.inputValue()).toBe(second.organization_id);
  expect(await page.getByText(local.owner.project_id).count()).toBe(0);
});

it('the console creates a project in the selected organization', async () => {
  const page = await browser.open(`/console/projects/?organization=${second.organization_id}`);
  await page.getByText(second.project_id).waitFor();
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('dialog', { name: 'Create a project' }).getByLabel('Name').fill('attic');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('Created attic.').waitFor();
  const { projects } = await inSecond<{ projects: { name: string }[] }>(
    `/account/v3/projects?organization_id=${second.organization_id}`,
  );
  expect(projects.map(({ name }) => name)).toContain('attic');
});

it('the console groups projects by organization, and creates a NATS account in a project of the second', async () => {
  const page = await browser.open(`/console/nats/?region=nl-ams&project=${local.owner.project_id}`);
  const project = page.getByLabel('Project');
  await project.locator('optgroup').first().waitFor({ state: 'attached' });
  const groups = project.locator('optgroup');
  expect(await groups.evaluateAll((all) => all.map((each) => (each as HTMLOptGroupElement).label))).toContain(
    'Second & Daughters',
  );
  expect(await groups.count()).toBe(2);
  await project.selectOption(second.project_id);
  await page.getByText('Project of Second & Daughters', { exact: true }).waitFor();
  await region(page, 'NATS accounts')
    .getByRole('button', { name: /Create .*account/ })
    .first()
    .click();
  await page.getByRole('dialog').getByLabel('Name').fill('upstairs');
  await page.keyboard.press('Enter');
  await page.getByText('upstairs').first().waitFor();
  const { nats_accounts } = await inSecond<{ nats_accounts: { name: string; project_id: string }[] }>(
    `/mnq/v1beta1/regions/nl-ams/nats-accounts?project_id=${second.project_id}`,
  );
  expect(nats_accounts).toMatchObject([{ name: 'upstairs', project_id: second.project_id }]);
});
