/** Reads the sources of the pages, for tests that run their code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../stack/project.ts';

const DOCS = join(root, 'site/src/content/docs');

/** Returns the source of a page: `how-to/connect-queues`. */
export function sourceOf(page: string): string {
  return readFileSync(join(DOCS, `${page}.mdx`), 'utf8');
}

/** Returns the labels of a page's tabs, in order. */
export function tabsOf(page: string): string[] {
  return [...sourceOf(page).matchAll(/<TabItem label="([^"]+)">/g)].map(([, label = '']) => label);
}

/** Returns the code of a page or of one tab in these languages, without indentation. */
export function codeOf(page: string, languages: string, tab?: string): string[] {
  const source = sourceOf(page);
  const text = tab
    ? (new RegExp(`<TabItem label="${tab}">([\\s\\S]*?)</TabItem>`).exec(source)?.[1] ?? '')
    : source;
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`(?:${languages})\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'));
  return [...blocks].map(([, indent = '', code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}
