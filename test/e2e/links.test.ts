/**
 * Every link of every page, of `llms.txt` and of the Markdown versions leads to an existing page, heading or file.
 * Reads the built site, and requests the URLs that the Worker serves.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const dist = join(root, 'site/dist');
const ORIGIN = 'https://site.invalid';

/** Path → HTML of every page. */
const pages = new Map(
  globSync('**/*.html', { cwd: dist }).map((file) => [
    `/${file.replace(/index\.html$/, '').replace(/404\.html$/, '404/')}`,
    readFileSync(join(dist, file), 'utf8'),
  ]),
);
const twins = globSync('**/*.md', { cwd: dist }).map((file) => `/${file}`);

const anchors = new Map(
  [...pages].map(([path, html]) => [
    path,
    new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)),
  ]),
);

/** The URLs that a page links to, without other sites. */
function linksOf(path: string, html: string): URL[] {
  const text = html.replaceAll(/<(script|style|template)\b[\s\S]*?<\/\1>/g, '');
  const found = [...text.matchAll(/<(?:a|link)\b[^>]*?\shref="([^"]*)"/g)];
  return found
    .map(([, href = '']) => new URL(href.replaceAll('&amp;', '&'), ORIGIN + path))
    .filter(({ origin }) => origin === ORIGIN);
}

/** Returns what is wrong with a link; undefined if it works. `served` are the URLs that the Worker serves. */
function problemOf({ pathname, hash }: URL, served: ReadonlySet<string>): string | undefined {
  if (!pages.has(pathname)) return served.has(pathname) ? undefined : 'no such page';
  const anchor = decodeURIComponent(hash.slice(1));
  return anchor === '' || anchors.get(pathname)?.has(anchor) ? undefined : 'no such heading';
}

let served: Set<string>;

beforeAll(async () => {
  const others = new Set(
    [...pages].flatMap(([path, html]) =>
      linksOf(path, html)
        .map(({ pathname }) => pathname)
        .filter((pathname) => !pages.has(pathname)),
    ),
  );
  const responses = await Promise.all(
    [...others].map(async (path) => {
      const { ok } = await fetch(local.stack.origin + path, { redirect: 'manual' });
      return ok ? [path] : [];
    }),
  );
  served = new Set(responses.flat());
});

describe('links', () => {
  it('are found in the pages', () => {
    const all = [...pages].flatMap(([path, html]) => linksOf(path, html));
    expect(all.length).toBeGreaterThan(500);
    expect(all.filter(({ hash }) => hash.length > 1).length).toBeGreaterThan(50);
  });

  it('have an address from the first paint on', () => {
    const without = [...pages].flatMap(([path, html]) => {
      const text = html.replaceAll(/<(script|style|template)\b[\s\S]*?<\/\1>/g, '');
      return [...text.matchAll(/<a\b(?![^>]*\shref=)[^>]*>/g)].map(([link]) => `${path}: ${link}`);
    });
    expect(without).toEqual([]);
  });

  it('of pages lead to existing pages and headings', () => {
    const broken = [...pages].flatMap(([path, html]) =>
      linksOf(path, html).flatMap((link) => {
        const problem = problemOf(link, served);
        return problem ? `${path} → ${link.pathname}${link.hash}: ${problem}` : [];
      }),
    );
    expect([...new Set(broken)]).toEqual([]);
  });

  it('of Markdown versions lead to existing pages and headings', () => {
    const broken = twins.flatMap((path) => {
      const text = readFileSync(join(dist, path), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
      return [...text.matchAll(/\]\((\/[^)\s]*)\)/g)].flatMap(([, href = '']) => {
        const problem = problemOf(new URL(href, ORIGIN), served);
        return problem ? `${path} → ${href}: ${problem}` : [];
      });
    });
    expect(broken).toEqual([]);
  });

  it('of llms.txt lead to the Markdown version of every page in the navigation', async () => {
    const list = await fetch(`${local.stack.origin}/llms.txt`);
    expect(list.headers.get('Content-Type')).toMatch(/^text\/plain/);
    const listed = [...(await list.text()).matchAll(/\]\((\/[^)]+\.md)\): \S/g)].map(([, path = '']) => path);
    const menu =
      /id="starlight__sidebar"[\s\S]*?class="main-frame/.exec(pages.get('/concepts/') ?? '')?.[0] ?? '';
    // On a phone, the navigation contains the console too, which is not a text to read.
    const navigation = new Set(linksOf('/concepts/', menu).map(({ pathname }) => pathname));
    expect(navigation.delete('/console/')).toBe(true);
    expect(listed.length).toBeGreaterThan(20);
    expect(listed.sort()).toEqual([...navigation].map((path) => path.replace(/\/$/, '.md')).sort());
    for (const path of listed) {
      const twin = await fetch(local.stack.origin + path);
      expect([twin.status, twin.headers.get('Content-Type')], path).toEqual([
        200,
        expect.stringMatching(/^text\/markdown/),
      ]);
      expect(await twin.text(), path).toMatch(/^# \S/);
    }
  });
});

it('every page in the search is in the navigation', () => {
  const navigation = linksOf('/', pages.get('/concepts/') ?? '').map(({ pathname }) => pathname);
  // The search excludes pages with their own links: forms, and the 404 page.
  const found = [...pages].filter(([, html]) => html.includes('data-pagefind-body')).map(([path]) => path);
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter((path) => !navigation.includes(path))).toEqual([]);
});
