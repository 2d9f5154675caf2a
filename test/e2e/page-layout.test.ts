/** The layout of pages: anchors, long names, printing, no scripts, phones and keyboard scrolling. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { region, useBrowser } from './browser.ts';
import { ALL, activate, newCredentials, newProject } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);
const REGION = 'fr-par';
const AT = `/mnq/v1beta1/regions/${REGION}`;
const LONG = 'w'.repeat(64);
let project: string;
let longAccount: string;

beforeAll(async () => {
  project = await newProject(local);
  await activate(local, REGION, project);
  for (const service of ['sqs', 'sns'] as const)
    for (let count = 0; count < 4; count++) await newCredentials(local, service, ALL, { projectId: project });
  for (let count = 0; count < 12; count++) await newAccount(`account-${10 + count}`);
  longAccount = await newAccount(LONG);
});

const newAccount = async (name: string) =>
  (await api<{ id: string }>(local, 'POST', `${AT}/nats-accounts`, { project_id: project, name })).id;

const at = (path: string, hash = '') => `${path}?region=${REGION}&project=${project}${hash}`;
const topOf = async (page: Page, id: string) => (await page.locator(`[id="${id}"]`).boundingBox())?.y ?? -1;

describe('a URL with a heading’s anchor', () => {
  it.each([
    ['create', 'queues'],
    ['create', 'topics-and-events'],
    ['manage', 'queues'],
    ['manage', 'topics-and-events'],
  ])('lands, in the guide to %s credentials, at #%s, whatever loads above it', async (guide, id) => {
    const page = await browser.open(at(`/how-to/${guide}-credentials/`, `#${id}`));
    const label = id === 'queues' ? 'Queues' : 'Topics and Events';
    await region(page, `Credentials for ${label}`).getByRole('row').nth(4).waitFor();
    await region(page, 'NATS accounts').getByRole('radio').first().waitFor();
    await page.waitForLoadState('networkidle');
    expect(await topOf(page, id)).toBeGreaterThan(60);
    expect(await topOf(page, id)).toBeLessThan(140);
  });

  it('does not focus a tab that it names', async () => {
    const page = await browser.open(at('/console/queues/', '#credentials'));
    await region(page, 'Credentials for Queues').getByRole('row').nth(1).waitFor();
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('body');
    await page.getByRole('tab', { name: 'Credentials', selected: true }).focus();
    await page.keyboard.press('Home');
    await region(page, 'Queues').waitFor();
    await page.keyboard.press('End');
    await region(page, 'Credentials for Queues').waitFor();
  });
});

describe('a list of credentials', () => {
  it.each([
    { path: '/how-to/create-credentials/', hash: '#queues', width: 1280 },
    { path: '/how-to/manage-credentials/', hash: '#queues', width: 1024 },
    { path: '/console/queues/', hash: '#credentials', width: 1024 },
    { path: '/console/queues/', hash: '#credentials', width: 375 },
  ])('has room for names and fits at $width in $path', async ({ path, hash, width }) => {
    const page = await browser.open(at(path, hash), { viewport: { width, height: 900 } });
    const list = region(page, 'Credentials for Queues');
    await list.getByRole('rowheader').nth(3).waitFor();
    // As wide as its columns can get.
    const { name, over } = await list.evaluate((panel) => {
      for (const time of panel.querySelectorAll('td time')) time.textContent = '12 minutes ago';
      const table = panel.querySelector('table') as HTMLElement;
      const cell = panel.querySelector('tbody th') as HTMLElement;
      const room = (table.parentElement as HTMLElement).clientWidth;
      return { name: cell.offsetWidth, over: table.scrollWidth - room };
    });
    expect(over).toBeLessThanOrEqual(0);
    expect(name).toBeGreaterThanOrEqual(136);
  });
});

describe('a long list of NATS accounts', () => {
  it('shows the overview of the selected one without scrolling', async () => {
    const page = await browser.open(at('/how-to/create-credentials/'));
    const accounts = region(page, 'NATS accounts');
    await accounts.scrollIntoViewIfNeeded();
    await accounts.getByRole('radio', { name: 'account-10' }).check();
    const overview = await accounts.getByText('Endpoint').boundingBox();
    expect(overview?.y).toBeGreaterThan(60);
    expect(overview?.y).toBeLessThan(900);
  });

  it('links to their pages from a table in the console, also with long names', async () => {
    const page = await browser.open(at('/console/nats/'), { viewport: { width: 375, height: 900 } });
    await region(page, 'NATS accounts').getByRole('link', { name: LONG }).click();
    await page.waitForURL((url) => url.searchParams.get('id') === longAccount);
    await page.getByRole('heading', { name: LONG }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  });
});

describe('in print', () => {
  it('a guide has its text, without forms and the signed-in user', async () => {
    const page = await browser.open(at('/how-to/create-credentials/'));
    await region(page, 'NATS accounts').getByRole('radio').first().waitFor();
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('banner').innerText()).toBe('Latchkey');
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'Queues', exact: true }).isVisible()).toBe(true);
  });

  it('tabs show the name of the visible language', async () => {
    const page = await browser.open('/how-to/connect-topics/', { stranger: true });
    await page.getByRole('tab', { name: 'Go' }).click();
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('tab').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching('Go')]),
    );
    expect(await page.getByRole('tab', { name: 'Python' }).isVisible()).toBe(false);
  });
});

describe('without scripts', () => {
  it('the console explains its requirement, and shows no loading state', async () => {
    const page = await browser.open('/healthz', { stranger: true, javaScriptEnabled: false });
    for (const path of ['/console/', '/console/iam/', '/console/nats/', '/account/security/']) {
      await page.goto(path);
      expect([path, await page.getByRole('link', { name: 'the API' }).isVisible()]).toEqual([path, true]);
      expect([path, await page.locator('.skeleton').first().isVisible()]).toEqual([path, false]);
      await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor();
    }
  });

  it.each(['light', 'dark'] as const)('pages are %s when the system is', async (colorScheme) => {
    const page = await browser.open('/concepts/', { stranger: true, javaScriptEnabled: false, colorScheme });
    const [red = 0] = await page
      .locator('body')
      .evaluate((body) => getComputedStyle(body).backgroundColor.match(/\d+/g)?.map(Number) ?? []);
    expect(red > 128).toBe(colorScheme === 'light');
  });
});

it('nothing moves for readers who prefer reduced motion', async () => {
  const page = await browser.open('/healthz', { reducedMotion: 'reduce' });
  // These requests never finish.
  await page.route('**/nats-accounts?*', () => undefined);
  await page.goto(at('/how-to/create-credentials/'));
  await page.waitForRequest('**/nats-accounts?*').catch(() => undefined);
  expect(await page.locator('.skeleton').first().isVisible()).toBe(true);
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
});

it.each([
  { path: '/reference/errors/', widths: [1280, 375, 320], longest: 99 },
  { path: '/how-to/connect-queues/', widths: [1280], longest: 99 },
  // The longest has no room beside its cause.
  { path: '/how-to/connect-queues/', widths: [375], longest: 20 },
])('no error code is broken within a word in $path, at $widths', async ({ path, widths, longest }) => {
  for (const width of widths) {
    const viewport = { width, height: 900 };
    const page = await browser.open(path, { stranger: true, viewport });
    const codes = page.locator('dt code, td:first-child code');
    await codes.filter({ hasText: /^AWS\.SimpleQueueService\.NonExistentQueue$/ }).waitFor();
    const broken = await codes.evaluateAll((nodes) =>
      nodes.flatMap((code) => {
        const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
        const words: string[] = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const range = document.createRange();
          range.selectNodeContents(node);
          const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
          if (lines.size > 1) words.push(node.textContent ?? '');
        }
        return words;
      }),
    );
    expect([width, broken.filter(({ length }) => length <= longest)]).toEqual([width, []]);
  }
});

describe('on a phone', () => {
  const viewport = { width: 375, height: 900 };

  it('a line of code that wraps is indented', async () => {
    const page = await browser.open('/how-to/create-credentials/', { stranger: true, viewport });
    const code = page.getByRole('tabpanel', { name: 'curl' }).first();
    const lines = await code.locator('.code-line').evaluateAll((nodes) =>
      nodes.map((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        const rects = [...range.getClientRects()];
        const [first] = rects;
        const below = rects.filter(({ top }) => top > (first?.bottom ?? 0));
        return below.every(({ left }) => left > (first?.left ?? 0) + 8) ? below.length : -1;
      }),
    );
    expect(lines.some((count) => count > 0)).toBe(true);
    expect(lines.filter((count) => count < 0)).toEqual([]);
    expect(await code.evaluate((node) => node.scrollWidth - node.clientWidth)).toBe(0);
  });

  it('all tabs of a page are visible', async () => {
    const page = await browser.open('/how-to/connect-topics/', { stranger: true, viewport });
    const tabs = await page.getByRole('tab').all();
    expect(tabs.length).toBe(5);
    for (const tab of tabs) {
      const box = await tab.boundingBox();
      expect((box?.x ?? 999) + (box?.width ?? 0)).toBeLessThanOrEqual(375);
      expect(box?.height).toBeLessThan(60);
    }
  });

  it('all tabs of the console are in sight, also at 320 pixels', async () => {
    for (const width of [375, 320]) {
      const page = await browser.open('/console/iam/', { viewport: { width, height: 900 } });
      const tabs = await page.getByRole('tab').all();
      expect(tabs.length).toBe(5);
      for (const tab of tabs) {
        const box = await tab.boundingBox();
        expect(box?.x).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 999) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('a policy names all of a long project', async () => {
    await api(local, 'PATCH', `/account/v3/projects/${project}`, { name: LONG });
    const page = await browser.open('/console/iam/#policies', { viewport });
    await page.getByRole('button', { name: 'Create policy' }).click();
    const label = page.getByRole('dialog').getByText(LONG, { exact: true });
    await label.scrollIntoViewIfNeeded();
    const box = await label.boundingBox();
    expect((box?.x ?? 999) + (box?.width ?? 0)).toBeLessThanOrEqual(375);
    expect(await label.evaluate((node) => node.scrollWidth - node.clientWidth)).toBeLessThanOrEqual(0);
  });

  it('a table that is wider than its column can be scrolled with the keyboard', async () => {
    const page = await browser.open('/concepts/', { stranger: true, viewport });
    const table = page.getByRole('table').first();
    await expect.poll(() => table.getAttribute('tabindex')).toBe('0');
    await page.setViewportSize({ width: 1280, height: 900 });
    await expect.poll(() => table.getAttribute('tabindex')).toBeNull();
  });
});

it('a notice in the console covers nothing below it', async () => {
  const page = await browser.open('/healthz', { stranger: true, viewport: { width: 375, height: 900 } });
  await page.addInitScript(() => {
    new PerformanceObserver((list) => {
      const moved = document.documentElement.dataset;
      for (const entry of list.getEntries())
        moved.moved = `${Number(moved.moved ?? 0) + (entry as unknown as { value: number }).value}`;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto('/console/');
  await page.getByRole('button', { name: 'Try it without an account' }).waitFor();
  expect(Number((await page.locator('html').getAttribute('data-moved')) ?? 0)).toBeLessThan(0.05);
});
