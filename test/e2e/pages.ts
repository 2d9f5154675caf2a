/** The sources of the pages, as tests that run what pages show read them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../stack/project.ts';

const DOCS = join(root, 'site/src/content/docs');

/** The source of a page: `how-to/connect-queues`. */
export function sourceOf(page: string): string {
  return readFileSync(join(DOCS, `${page}.mdx`), 'utf8');
}

/** The labels of the tabs of a page, in its order. */
export function tabsOf(page: string): string[] {
  return [...sourceOf(page).matchAll(/<TabItem label="([^"]+)">/g)].map(([, label = '']) => label);
}

/** The code of a page in these languages, of all of it or of one tab, without its indentation. */
export function codeOf(page: string, languages: string, tab?: string): string[] {
  const source = sourceOf(page);
  const text = tab
    ? (new RegExp(`<TabItem label="${tab}">([\\s\\S]*?)</TabItem>`).exec(source)?.[1] ?? '')
    : source;
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`(?:${languages})\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'));
  return [...blocks].map(([, indent = '', code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}
