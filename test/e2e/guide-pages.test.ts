/** Every page of the site: accessibility and width in both themes, on desktop and phone; scripts; security headers. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { save } from './access-key-form.ts';
import { inspect, region, useBrowser } from './browser.ts';
import { useStack } from './local-stack.ts';
import { newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const dist = join(root, 'site/dist');
const PAGES = globSync('**/*.html', { cwd: dist })
  .map((file) => `/${file.replace(/index\.html$/, '').replace(/\.html$/, '/')}`)
  .sort();
/** The first page of each folder. The header and navigation are the same on all pages of a folder. */
const FIRST_IN_FOLDER = PAGES.filter((path, at) => dirname(path) !== dirname(PAGES[at - 1] ?? ''));

/** Batches of four pages: a slow page does not use up the timeout of the others. */
const BATCHES = Array.from({ length: Math.ceil(PAGES.length / 4) }, (_, at) => {
  const paths = PAGES.slice(4 * at, 4 * at + 4);
  return { paths, from: paths[0] };
});

it.each(BATCHES)('axe finds no violations on pages from $from', { timeout: 300_000 }, async ({ paths }) => {
  // Two pages at a time: each keeps one core busy.
  const lanes = [0, 1].map(async (lane) => {
    const page = await browser.open('/healthz', { stranger: true });
    const found: string[] = [];
    for (const path of paths.filter((_, at) => at % 2 === lane)) {
      await page.goto(path);
      const complaints = await inspect(page, { part: FIRST_IN_FOLDER.includes(path) ? 'body' : 'main' });
      found.push(...complaints.map((complaint) => `${path} ${complaint}`));
    }
    return found;
  });
  expect((await Promise.all(lanes)).flat()).toEqual([]);
});

it('the batches cover every page', () => {
  expect(BATCHES.flatMap(({ paths }) => paths)).toEqual(PAGES);
  expect(PAGES.length).toBeGreaterThan(30);
  expect(FIRST_IN_FOLDER.length).toBeGreaterThan(6);
});

it('axe finds no violations in the lists and dialogs of a guide', async () => {
  const { account } = await newCreds(local, 'fr-par');
  const page = await browser.open(`/how-to/create-credentials/?region=fr-par&account=${account}`);
  const credentials = region(page, 'Credentials');
  await credentials.getByText('Full access').waitFor();
  expect(await inspect(page)).toEqual([]);
  await credentials.getByRole('button', { name: 'Generate credentials' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('orders');
  expect(await inspect(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Save your credentials' }).waitFor();
  expect(await inspect(page)).toEqual([]);
  await save(page);
  await credentials.getByRole('button', { name: 'Revoke orders' }).click();
  await page.getByText('No clients are connected').waitFor();
  expect(await inspect(page)).toEqual([]);
});

/** Returns these scripts and everything that they import, directly or not. `imports` matches the imports to follow. */
function closure(entries: string[], imports: RegExp): Set<string> {
  const files = new Set<string>();
  const add = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(join(dist, '_astro', file), 'utf8');
    for (const [, imported] of text.matchAll(imports)) if (imported) add(imported);
  };
  entries.forEach(add);
  return files;
}
const STATIC_IMPORTS = /(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g;
const ALL_IMPORTS = /(?:from|import)[\s(]*["'`]\.\/([^"'`]+\.js)["'`]/g;

/** Returns the scripts in a page's HTML: ours, and Starlight's. */
function scriptsOf(path: string): { ours: string[]; theirs: string[] } {
  const html = readFileSync(join(dist, path === '/404/' ? '404.html' : join(path, 'index.html')), 'utf8');
  const files = [...html.matchAll(/src="\/_astro\/([^"]+\.js)"/g)].map(([, file = '']) => file);
  // Starlight's components are capitalized, ours are not. `page` is Astro's prefetch, `ec` the code blocks.
  const isTheirs = (file: string) => /^(?:[A-Z]\w*\.astro_|page\.|ec\.)/.test(file);
  return { ours: files.filter((file) => !isTheirs(file)), theirs: files.filter(isTheirs) };
}

/** The guides with forms. */
const FORMS = /(create|manage|rotate|leaked)-credentials/;
/** Scripts that forms load without interaction: for a visitor, for a member, and for a member with credentials. */
const LOADED_BY_FORMS = {
  stranger: globSync('guest-offer.*.js', { cwd: join(dist, '_astro') }),
  member: globSync('rows.*.js', { cwd: join(dist, '_astro') }),
  rows: globSync('credential-row.lazy.*.js', { cwd: join(dist, '_astro') }),
};
const FORM_PAGES = PAGES.filter((path) => FORMS.test(path));

describe('before the first interaction', () => {
  it.each([
    ['a visitor', 10_000, LOADED_BY_FORMS.stranger, PAGES],
    ['a member', 10_000, LOADED_BY_FORMS.member, FORM_PAGES],
    ['a member with credentials', 14_000, [...LOADED_BY_FORMS.member, ...LOADED_BY_FORMS.rows], FORM_PAGES],
  ])('every page loads few of our scripts for %s: at most %i bytes', (_who, limit, lazy, paths) => {
    expect(lazy.length).toBeGreaterThan(0);
    expect(paths.length).toBeGreaterThan(1);
    const sizes = paths.map((path) => {
      const files = [...closure([...scriptsOf(path).ours, ...lazy], STATIC_IMPORTS)];
      const texts = files.map((file) => readFileSync(join(dist, '_astro', file)));
      return { path, size: texts.reduce((sum, text) => sum + gzipSync(text).length, 0) };
    });
    expect(sizes.filter(({ size }) => size > limit)).toEqual([]);
    // Every page has the session menu: a smaller size means that the test counted nothing.
    expect(sizes.filter(({ size }) => size < 500)).toEqual([]);
  });

  it.each(
    [false, true].flatMap((stranger) =>
      [
        '/how-to/create-credentials/',
        '/how-to/manage-credentials/',
        '/how-to/rotate-credentials/',
        '/sign-in/',
        '/account/security/',
      ].map((path) => ({ path, stranger })),
    ),
  )('$path requests only scripts that were counted (visitor: $stranger)', async ({ path, stranger }) => {
    const page = await browser.open('/reference/limits/', { stranger });
    const requested = new Set<string>();
    page.on('request', (request) => {
      const file = /\/_astro\/([^/]+\.js)$/.exec(request.url())?.[1];
      if (file) requested.add(file);
    });
    await page.goto(path, { waitUntil: 'networkidle' });
    const { ours, theirs } = scriptsOf(path);
    const { member, rows } = LOADED_BY_FORMS;
    const lazy = stranger ? LOADED_BY_FORMS.stranger : [...member, ...rows];
    const known = new Set([...closure([...ours, ...lazy], STATIC_IMPORTS), ...closure(theirs, ALL_IMPORTS)]);
    expect([...requested].filter((file) => !known.has(file))).toEqual([]);
    expect(requested.size).toBeGreaterThan(2);
  });
});

// Every test here also fails when a page violates the policy (see browser.ts).
describe('the Content-Security-Policy', () => {
  const directives = (header: string | null) =>
    new Map((header ?? '').split('; ').map((text) => [text.split(' ')[0] ?? '', text.split(' ').slice(1)]));

  it('of every page allows only scripts of the build, and no framing', async () => {
    for (const path of [...PAGES, '/nowhere/', '/healthz', '/openapi.json']) {
      const { headers } = await fetch(local.stack.origin + path);
      if (!headers.get('Content-Type')?.startsWith('text/html')) {
        expect([path, headers.get('X-Content-Type-Options')]).toEqual([path, 'nosniff']);
        continue;
      }
      const policy = directives(headers.get('Content-Security-Policy'));
      const scripts = policy.get('script-src') ?? [];
      const strict = scripts.every((one) => /^'(self|wasm-unsafe-eval|sha256-[\w+/]{43}=)'$/.test(one));
      expect([path, strict && scripts.length > 2]).toEqual([path, true]);
      expect([path, policy.get('frame-ancestors'), policy.get('object-src'), policy.get('base-uri')]).toEqual(
        [path, ["'none'"], ["'none'"], ["'none'"]],
      );
      expect(policy.get('default-src')).toEqual(["'self'"]);
    }
  });

  it('blocks an injected script and a frame, and the page reports both', async () => {
    const page = await browser.open('/how-to/create-credentials/', { stranger: true });
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "slipped in"';
      document.head.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'document.title = "slipped in"');
      image.src = 'data:image/png;base64,';
      const frame = document.createElement('iframe');
      frame.src = '/sign-in/';
      document.body.append(image, frame);
    });
    await expect.poll(() => browser.complaints.join()).toMatch(/script-src-elem inline/);
    await expect.poll(() => browser.complaints.join()).toMatch(/script-src-attr inline/);
    await expect.poll(() => browser.complaints.join()).toMatch(/frame-ancestors/);
    expect(await page.title()).not.toBe('slipped in');
    browser.complaints.splice(0);
  });

  it('allows the search', async () => {
    const page = await browser.open('/', { stranger: true });
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('revoke');
    await page
      .getByRole('dialog')
      .getByRole('link', { name: /credentials/i })
      .first()
      .waitFor();
  });
});
