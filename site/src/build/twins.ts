/**
 * What language models read: after the build, writes a Markdown twin beside each page (`/concepts.md` of `/concepts/`),
 * made from what the page shows, and `llms.txt`, which lists those of the navigation. What a page shows is not decided here.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { AstroIntegration } from 'astro';
import { isConsole } from './console-route.ts';
import { type Page, readPage } from './page-markdown.ts';

/** The parts of `llms.txt`, by the first folder of their pages' addresses; what has another belongs to the first. */
const PARTS: Record<string, string> = {
  '': 'Start here',
  'how-to': 'How-to guides',
  reference: 'Reference',
  operate: 'Operate',
  decisions: 'Decisions',
};

/** The address of a page's twin: `/concepts/` → `/concepts.md`. */
export function twinOf(path: string): string {
  return path === '/' ? '/index.md' : path.replace(/\/$/, '.md');
}

/** Whether a page has a twin: one with navigation beside it, or the first. The others, and the console's, are forms. */
export function hasTwin(path: string, hasNavigation: boolean): boolean {
  return (hasNavigation && !isConsole(path.slice(1))) || path === '/';
}

/** Writes the twins and `llms.txt` into the built site. */
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
