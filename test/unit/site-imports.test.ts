/** The folders of site/src: which can import which, and how their files are named. */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';

const source = join(root, 'site/src');

const PAGE_DATA = ['build', 'samples', 'pictures'];
const EVERY_FORM = ['workspace', 'guest', 'ui', 'api', ...PAGE_DATA];

/** What each folder can import, apart from itself. The folders that are not listed can import everything. */
const IMPORTS: Record<string, readonly string[]> = {
  api: [],
  build: [],
  samples: [],
  pictures: ['build'],
  ui: ['api', 'build'],
  guest: ['ui', 'api'],
  workspace: ['guest', 'ui', 'api'],
  guide: ['ui', 'api', ...PAGE_DATA],
  shell: ['guest', 'ui', 'api', 'build'],
  credentials: ['guide', ...EVERY_FORM],
  account: ['credentials', 'guide', ...EVERY_FORM],
  console: ['credentials', 'guide', ...EVERY_FORM],
  landing: ['credentials', 'guide', ...EVERY_FORM],
  reference: ['credentials', 'guide', ...EVERY_FORM],
};
const UNRESTRICTED = ['assets', 'content', 'overrides', 'pages', 'styles'];

const files = globSync('**/*.{ts,astro,mdx}', { cwd: source }).map((file) => {
  const text = readFileSync(join(source, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|src=)\s*['"](\.{1,2}\/[^'"]+)['"]/g)];
  const imports = specifiers.map(([, path = '']) =>
    relative(source, resolve(source, dirname(file), path.replace(/[?#].*$/, ''))),
  );
  return { file, text, imports };
});

const roomOf = (path: string) => path.split('/')[0] ?? '';

describe('the folders of the site', () => {
  it('are all listed here', () => {
    const folders = new Set(files.map(({ file }) => file).filter((file) => file.includes('/')));
    const unknown = [...folders]
      .map(roomOf)
      .filter((room) => !(room in IMPORTS) && !UNRESTRICTED.includes(room));
    expect(unknown).toEqual([]);
  });

  it('import only from the folders below them', () => {
    const wrong = files.flatMap(({ file, imports }) =>
      imports.filter((path) => !isAllowed(roomOf(file), path)).map((path) => `${file} → ${path}`),
    );
    expect(wrong).toEqual([]);
    expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(500);
  });

  it('keep the product out of ui', () => {
    const outside = files
      .filter(({ file }) => roomOf(file) === 'ui')
      .flatMap(({ file, imports }) =>
        imports.filter((path) => path.startsWith('..')).map((path) => `${file} → ${path}`),
      );
    expect(outside).toEqual([]);
  });
});

function isAllowed(room: string, path: string): boolean {
  const allowed = IMPORTS[room];
  // Files outside site/src are the Worker's. Files at its top, such as performance.json, are data.
  if (!allowed || path.startsWith('..') || !path.includes('/')) return true;
  return roomOf(path) === room || allowed.includes(roomOf(path));
}

describe('the files of the site', () => {
  it('that define an element are named after it', () => {
    const elements = files.flatMap(({ file, text }) =>
      [...text.matchAll(/customElements\.define\('([^']+)'/g)].map(([, tag]) => [
        basename(file),
        `${tag}.ts`,
      ]),
    );
    expect(elements.filter(([file, name]) => file !== name)).toEqual([]);
    expect(elements.length).toBeGreaterThan(20);
  });

  it('are no barrels, except what loads together later', () => {
    const barrels = files.filter(
      ({ file, text }) => file.endsWith('.ts') && !file.endsWith('.lazy.ts') && isBarrel(text),
    );
    expect(barrels.map(({ file }) => file)).toEqual([]);
  });
});

function isBarrel(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim();
  return code !== '' && code.split(/;\s*/).every((line) => line === '' || /^export .* from /s.test(line));
}
