/** Texts that people read are plain, American English: no phrase below is in a page, a form, a message or the README. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root } from '../stack/project.ts';

/** Only phrases that have no good use in these texts. */
const PHRASES = [
  'all the same',
  'anew',
  'beside',
  'by nobody',
  'for ever',
  'for so long',
  'may do',
  'may not do',
  'so long as',
  'what and what not',
  'whoever',
  '(?:is|are|was|were|be) told',
  '(?:is|are|was|were|be) answered',
  '(?:an?|the|of|its|your|their) answer is',
  'that is so',
  'e-mails?',
  'e-mailed',
  'behaviour',
  'colours?',
  '(?:author|initial|normal|organ|recogn|serial)is(?:e|ed|es|ing|ation|ations)',
];
const BANNED = new RegExp(`(?<![\\w-])(?:${PHRASES.join('|')})(?![\\w-])`, 'gi');

const filesIn = (...patterns: string[]) => globSync(patterns, { cwd: root }).toSorted();

const contentOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** Returns the prose of a Markdown page with its front matter, without code. */
function proseOf(path: string): string[] {
  return contentOf(path)
    .replaceAll(/^ *```.*?^ *```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .split(/\n\s*\n/);
}

/** Returns the string literals and templates of a script; comments and names are not texts. */
function literalsIn(script: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) found.push(node.getText());
    else ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('script.ts', script, ts.ScriptTarget.Latest, true));
  return found;
}

/** Returns the texts of an Astro component: its markup without styles and comments, and the strings of its script. */
function textsOfComponent(path: string): string[] {
  const [, script = '', markup = ''] = /^---\n(.*?)^---\n(.*)$/ms.exec(contentOf(path)) ?? [];
  const shown = markup
    .replaceAll(/<(style|script)\b.*?<\/\1>/gs, '')
    .replaceAll(/\{\/\*.*?\*\/\}|<!--.*?-->/gs, '');
  return [...literalsIn(script), ...shown.split(/\n\s*\n/)];
}

/** Returns each banned phrase with its file, to show all of them at once. */
function bannedIn(files: string[], textsOf: (path: string) => string[]): string[] {
  expect(files).not.toEqual([]);
  return files.flatMap((path) =>
    textsOf(path).flatMap((text) =>
      [...text.replaceAll(/\s+/g, ' ').matchAll(BANNED)].map(([phrase]) => `${path}: ${phrase}`),
    ),
  );
}

it('documentation has no banned phrase', () => {
  expect(bannedIn(filesIn('site/src/content/**/*.{md,mdx}', '*.md'), proseOf)).toEqual([]);
});

it('the markup of pages has no banned phrase', () => {
  expect(bannedIn(filesIn('site/src/**/*.astro'), textsOfComponent)).toEqual([]);
});

it.each(['site/src', 'functions', 'db', 'test/stack'])('messages in %s have no banned phrase', (folder) => {
  const files = filesIn(`${folder}/**/*.{ts,mjs}`).filter((path) => !path.endsWith('.d.ts'));
  expect(bannedIn(files, (path) => literalsIn(contentOf(path)))).toEqual([]);
});
