/** Every page of the site, in both themes, on a desk and on a phone: axe finds nothing and nothing is wider than it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { inspect, region, useBrowser } from './browser.ts';
import { useStack } from './local-stack.ts';
import { newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const dist = join(root, 'site/dist');
const PAGES = globSync('**/*.html', { cwd: dist })
  .map((file) => `/${file.replace(/index\.html$/, '').replace(/\.html$/, '/')}`)
  .sort();
/** The pages in portions that are looked at within a test's time on a slow machine. */
const PORTIONS = Array.from({ length: Math.ceil(PAGES.length / 8) }, (_, at) =>
  PAGES.slice(8 * at, 8 * at + 8),
);

describe.each(['light', 'dark'] as const)('no page has anything that axe finds (%s)', (colorScheme) => {
  it.each(PORTIONS.map((paths) => ({ paths, from: paths[0] })))('from $from on', async ({ paths }) => {
    const half = Math.ceil(paths.length / 2);
    // Two at a time: looking at a page keeps one core busy.
    const lanes = [paths.slice(0, half), paths.slice(half)].map(async (own) => {
      const page = await browser.open('/', { stranger: true, colorScheme });
      const found: string[] = [];
      for (const path of own) {
        await page.goto(path);
        await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
        found.push(...(await inspect(page)).map((complaint) => `${path} ${complaint}`));
      }
      return found;
    });
    expect((await Promise.all(lanes)).flat()).toEqual([]);
  });

  it('looks at them all', () => {
    expect(PORTIONS.flat()).toEqual(PAGES);
    expect(PAGES.length).toBeGreaterThan(30);
  });
});

it.each([
  ['light', 1280],
  ['dark', 375],
] as const)('a guide in use has nothing that axe finds, in its lists and dialogs (%s, %i)', async (...at) => {
  const [colorScheme, width] = at;
  const { account } = await newCreds(local, 'fr-par');
  const guide = `/how-to/create-credentials/?region=fr-par&account=${account}`;
  const page = await browser.open(guide, { colorScheme, reducedMotion: 'reduce' });
  const credentials = region(page, 'Credentials');
  await credentials.getByText('Full access').waitFor();
  expect(await inspect(page, [width])).toEqual([]);
  await credentials.getByRole('button', { name: 'Generate credentials' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('orders');
  expect(await inspect(page, [width])).toEqual([]);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Save your credentials' }).waitFor();
  expect(await inspect(page, [width])).toEqual([]);
  await page.getByRole('button', { name: 'I have saved' }).click();
  await credentials.getByRole('button', { name: 'Revoke orders' }).click();
  await page.getByText('Nobody is connected').waitFor();
  expect(await inspect(page, [width])).toEqual([]);
});

describe('before the first interaction', () => {
  /** The files of a page's own scripts, with all that they import at once. */
  function scriptsOf(path: string): Set<string> {
    const html = readFileSync(join(dist, path, 'index.html'), 'utf8');
    const files = new Set<string>();
    const add = (file: string) => {
      if (files.has(file)) return;
      files.add(file);
      const text = readFileSync(join(dist, '_astro', file), 'utf8');
      for (const [, imported] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
        if (imported) add(imported);
    };
    const OURS =
      /src="\/_astro\/((?:code-samples|nats-credentials|keyed-credentials|live-proof|session-menu|sign-in-form|reset-password|accept-invitation|account-security)[^"]*\.js)"/g;
    for (const [, file] of html.matchAll(OURS)) if (file) add(file);
    return files;
  }

  it.each([
    '/how-to/create-credentials/',
    '/how-to/manage-credentials/',
    '/sign-in/',
    '/reset-password/',
    '/invitation/',
    '/account/security/',
  ])('%s loads at most 10 kB of our scripts', (path) => {
    const files = scriptsOf(path);
    expect(files.size).toBeGreaterThan(2);
    const sizes = [...files].map((file) => gzipSync(readFileSync(join(dist, '_astro', file))).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(10_000);
  });
});
