/** "Was this page helpful?" in a real browser: readers respond, the Owner reads it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { axe, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { newMember } from './members.ts';

const local = useStack();
const browser = useBrowser(local);

async function said(): Promise<object[]> {
  const { feedback } = await api<{ feedback: object[] }>(local, 'GET', '/feedback');
  return feedback;
}

it.each(['light', 'dark'] as const)(
  'a signed-out reader sends feedback once, and the Owner reads it (%s)',
  async (colorScheme) => {
    const page = await browser.open('/concepts/', { stranger: true, colorScheme });
    const before = (await said()).length;
    const question = page.getByRole('group', { name: 'Was this page helpful?' });
    await question.getByRole('button', { name: 'No' }).click();
    await page.getByLabel('What is missing or wrong? (optional)').fill('What is a stream?');
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Send' }).dblclick();
    await page.getByText('Thank you. It was sent.').waitFor();
    await page.goto('/get-started/');
    const all = await said();
    expect(all[0]).toMatchObject({ page: '/concepts/', helpful: false, remark: 'What is a stream?' });
    expect(all).toHaveLength(before + 1);
  },
);

it('feedback without a remark is sent when the reader leaves the page', async () => {
  const page = await browser.open('/get-started/', { stranger: true });
  await page
    .getByRole('group', { name: 'Was this page helpful?' })
    .getByRole('button', { name: 'Yes' })
    .click();
  await page.getByLabel('(optional)').waitFor();
  await page.goto('/concepts/');
  await expect
    .poll(async () => (await said())[0])
    .toMatchObject({ page: '/get-started/', helpful: true, remark: '' });
});

it('two clicks before the script has loaded send the feedback once', async () => {
  const page = await browser.open('/get-started/', { stranger: true });
  const before = (await said()).length;
  const here = Promise.withResolvers<void>();
  await page.route(/\/page-feedback\.[^.]+\.js$/, async (route) => {
    await here.promise;
    await route.continue();
  });
  await page
    .getByRole('group', { name: 'Was this page helpful?' })
    .getByRole('button', { name: 'Yes' })
    .dblclick();
  here.resolve();
  await page.getByLabel('(optional)').waitFor();
  await page.goto('/concepts/');
  await expect.poll(async () => (await said()).length).toBeGreaterThan(before);
  // Long enough for a second request, if there was one.
  await sleep(300);
  expect(await said()).toHaveLength(before + 1);
});

it('the page reports that the feedback script failed to load', async () => {
  const page = await browser.open('/get-started/', { stranger: true });
  await page.route(/\/page-feedback\.[^.]+\.js$/, (route) => route.abort());
  const question = page.getByRole('group', { name: 'Was this page helpful?' });
  await question.getByRole('button', { name: 'No' }).click();
  await page.getByText('could not be loaded').waitFor();
  expect(browser.complaints.splice(0).join()).toContain('ERR_FAILED');
});

it('feedback that could not be sent stays in the field, and a retry sends it', async () => {
  const page = await browser.open('/concepts/', { stranger: true });
  await page
    .getByRole('group', { name: 'Was this page helpful?' })
    .getByRole('button', { name: 'No' })
    .click();
  await page.route('**/feedback', (route) => route.abort());
  await page.getByLabel('(optional)').fill('Too short');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Check your connection').waitFor();
  expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
  await page.unroute('**/feedback');
  expect(await page.getByLabel('(optional)').inputValue()).toBe('Too short');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Thank you. It was sent.').waitFor();
  expect((await said())[0]).toMatchObject({ remark: 'Too short' });
});

it.each(['/sign-in/', '/invitation/', '/console/', '/account/security/', '/'])(
  '%s asks for no feedback',
  async (path) => {
    const page = await browser.open(path, { stranger: true });
    expect(await page.getByText('Was this page helpful?').count()).toBe(0);
  },
);

it('the console shows the feedback to the Owner', async () => {
  const said = { page: '/concepts/', helpful: false, remark: '<b>bold</b> words' };
  const headers = { Origin: local.stack.origin, 'Content-Type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(said) };
  expect((await fetch(`${local.stack.origin}/feedback`, init)).status).toBe(204);
  const page = await browser.open('/console/feedback/');
  const row = page.getByRole('row').filter({ hasText: said.remark }).first();
  expect(await row.getByRole('link', { name: '/concepts/' }).getAttribute('href')).toBe('/concepts/');
  await row.getByText('No', { exact: true }).waitFor();
  expect(await axe(page)).toEqual([]);
});

it('the console links the feedback only for Owners of the operator’s organization', async () => {
  const link = (page: Page) =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Feedback' });
  const owner = await browser.open('/console/');
  await link(owner).waitFor();
  const member = await browser.open('/console/feedback/', { as: await newMember(local, 'Grace') });
  await member.getByText('Only Owners of the organization that runs this deployment can read').waitFor();
  expect(await link(member).count()).toBe(0);
  expect(browser.complaints.splice(0).every((text) => text.includes('403'))).toBe(true);
});
