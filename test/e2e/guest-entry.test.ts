/**
 * Starting a guest session with a wrong clock, and with several forms that offer it. guest.test.ts tests what guests
 * do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { region, useBrowser } from './browser.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);
const GUIDE = '/how-to/create-credentials/?region=fr-par';
const TRY = 'Try it without an account';

it.each([
  { name: 'with a Date in the response', dated: true, label: /^Signed in as Guest, (29|30) minutes left/ },
  { name: 'without a Date in the response', dated: false, label: /^Signed in as Guest, \d+ minutes? left/ },
])('a guest whose clock is ahead of the server’s, $name, gets a session', async ({ dated, label }) => {
  const page = await browser.open(GUIDE, { stranger: true });
  await page.clock.install({ time: Date.now() + 2 * 3600_000 });
  let requests = 0;
  await page.route('**/auth/get-session', async (route) => {
    requests++;
    const response = await route.fetch();
    const headers = { ...response.headers(), ...(dated && { date: new Date().toUTCString() }) };
    await route.fulfill({ response, headers });
  });
  await page.reload();
  await region(page, 'NATS accounts').getByRole('button', { name: TRY }).click();
  await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();
  await page.getByRole('button', { name: label }).waitFor();
  await sleep(1000);
  expect(requests).toBeLessThan(5);
});

it('two forms that offer a guest session create one guest', async () => {
  const page = await browser.open(GUIDE, { stranger: true });
  await page.getByRole('button', { name: TRY }).nth(1).waitFor();
  let created = 0;
  await page.route('**/auth/guest', async (route) => {
    if (route.request().method() === 'POST') created++;
    await sleep(300);
    await route.continue();
  });
  await page.getByRole('button', { name: TRY }).first().click();
  await page.getByRole('button', { name: TRY }).nth(1).click();
  await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();
  expect(created).toBe(1);
});

it('the first page offers a guest session and leads to the guide, whose pages recognize the guest', async () => {
  const page = await browser.open('/', { stranger: true });
  await page.getByRole('button', { name: 'Try it now' }).click();
  await page.waitForURL(/\/how-to\/create-credentials\/.*#nats$/);
  await region(page, 'NATS accounts').getByText('no NATS account in this region yet').waitFor();

  await page.goto('/account/security/');
  await page.getByText('A guest has one session and no password.').waitFor();
  expect(await page.getByRole('button', { name: 'Change the password' }).isVisible()).toBe(false);

  // A guest has no Owner to ask.
  await page.goto('/console/iam/');
  await page.getByText('Guests cannot use this.').first().waitFor();
  expect(await page.getByRole('main').innerText()).not.toContain('ask an Owner');
  expect(browser.complaints.splice(0).every((text) => text.includes('403'))).toBe(true);

  // Signing out deletes everything, so it asks for confirmation.
  await page.getByRole('button', { name: /^Signed in as Guest/ }).click();
  expect(await page.getByRole('button', { name: 'Sign out' }).isVisible()).toBe(false);
  await page.getByText('End now').click();
  await Promise.all([
    page.waitForEvent('load'),
    page.getByRole('button', { name: 'Delete and sign out' }).click(),
  ]);
  await page.goto('/');
  await page.getByRole('button', { name: 'Try it now' }).waitFor();
});
