/**
 * Writes a Markdown version of each page after the build (`/concepts.md` for `/concepts/`), and `llms.txt`, which lists the
 * pages in the navigation. For language models.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { AstroIntegration } from 'astro';
import { isConsole } from './console-route.ts';
import { type Page, readPage } from './page-markdown.ts';

/** The sections of `llms.txt`, by the first folder of a page's path. Other pages are in the first section. */
const PARTS: Record<string, string> = {
  '': 'Start here',
  'how-to': 'How-to guides',
  reference: 'Reference',
  operate: 'Operate',
  decisions: 'Decisions',
};

/** Returns the path of a page's Markdown version: `/concepts/` → `/concepts.md`. */
export function twinOf(path: string): string {
  return path === '/' ? '/index.md' : path.replace(/\/$/, '.md');
}

/**
 * Returns whether a page has a Markdown version. Pages without navigation are forms, apart from the landing page. The
 * console has none.
 */
export function hasTwin(path: string, hasNavigation: boolean): boolean {
  return (hasNavigation && !isConsole(path.slice(1))) || path === '/';
}

export function markdownTwins(): AstroIntegration {
  return {
    name: 'markdown-twins',
    hooks: {
      'astro:build:done': async ({ dir, logger }) => {
        const pages = await readPages(dir);
        for (const { path, markdown } of pages) {
          await writeFile(new URL(`.${twinOf(path)}`, dir), markdown);
        }
        await writeFile(new URL('llms.txt', dir), listOf(pages));
        logger.info(`Wrote Markdown versions of ${pages.length} pages`);
      },
    },
  };
}

async function readPages(dir: URL): Promise<Page[]> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('index.html'));
  const pages = files.sort().map(async (name) => {
    const path = `/${name.replace(/index\.html$/, '')}`;
    return readPage(path, await readFile(new URL(name, dir), 'utf8'));
  });
  return (await Promise.all(pages)).filter(({ path, links }) => hasTwin(path, links.length > 0));
}

function listOf(pages: readonly Page[]): string {
  const home = pages.find(({ path }) => path === '/');
  const order = pages.find(({ links }) => links.length > 0)?.links ?? [];
  const rest = order.flatMap((link) => pages.find(({ path }) => path === link) ?? []);
  const folderOf = ({ path }: Page) => {
    const folder = path.split('/')[1] ?? '';
    return folder in PARTS ? folder : '';
  };
  const parts = Object.entries(PARTS).map(([folder, label]) => {
    const members = rest.filter((page) => folderOf(page) === folder);
    const lines = members.map(
      ({ path, title, description }) => `- [${title}](${twinOf(path)}): ${description}`,
    );
    return `## ${label}\n\n${lines.join('\n')}\n`;
  });
  return ['# Latchkey\n', `> ${home?.description}\n`, ...parts].join('\n');
}
