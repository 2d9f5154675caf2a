/** The phone header of pages without a sidebar, and so without a menu: it links to both parts of the site. */
import { expect, it } from 'vitest';
import { inspect, useBrowser } from './browser.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);

it('the header links from the first page to guides and console', async () => {
  const page = await browser.open('/', { stranger: true, viewport: { width: 375, height: 700 } });
  const links = page.getByRole('banner').getByRole('navigation', { name: 'Parts of this site' });
  const heading = page.getByRole('heading', { level: 1 });
  const top = async () => (await heading.boundingBox())?.y ?? 0;
  const header = await page.getByRole('banner').boundingBox();
  expect((header?.y ?? 0) + (header?.height ?? 0)).toBeLessThan(await top());
  expect(await inspect(page, { widths: [375, 320] })).toEqual([]);
  await links.getByRole('link', { name: 'Guides' }).click();
  await page.waitForURL('**/how-to/create-credentials/');
  await page.goBack();
  await links.getByRole('link', { name: 'Console' }).click();
  await page.waitForURL('**/console/');
});

it('the header moves no part of the page while it loads', async () => {
  const page = await browser.open('/404', { viewport: { width: 375, height: 700 } });
  await page.addInitScript(() => {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) document.documentElement.dataset.moved = entry.entryType;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  // Browsers log an error for the 404 page.
  browser.complaints.splice(0);
  await page.goto('/', { waitUntil: 'networkidle' });
  expect(await page.locator('html').getAttribute('data-moved')).toBeNull();
});
