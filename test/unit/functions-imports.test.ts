/** The direction of imports among functions/, db/ and site/, and the files that comments of functions/ and db/ name. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const files = globSync(['functions/**/*.ts', 'db/**/*.ts'], { cwd: join(import.meta.dirname, '../..') }).map(
  (file) => file.split(sep).join('/'),
);
const textOf = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** Each import of another file: importer and imported file. */
const imports = files.flatMap((file) =>
  [...textOf(file).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
    ([, path = '']) =>
      [
        file,
        normalize(join(dirname(file), path))
          .split(sep)
          .join('/'),
      ] as const,
  ),
);

/** The folder of functions/ that a file is in; null for the files that assemble the Worker. */
const roomOf = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1] ?? null;

/** Room → the rooms that its files import. */
const rooms = new Map<string, Set<string>>();
for (const [file, imported] of imports) {
  const [from, to] = [roomOf(file), roomOf(imported)];
  if (from === null || !imported.startsWith('functions/') || from === to) continue;
  rooms.set(from, (rooms.get(from) ?? new Set()).add(to ?? imported));
}

describe('imports', () => {
  it('of db/ stay in db/', () => {
    expect(imports.filter(([file, to]) => file.startsWith('db/') && !to.startsWith('db/'))).toEqual([]);
  });

  it('of functions/ lead to functions/ and db/, never to site/ or test/', () => {
    expect(imports.filter(([, to]) => !/^(functions|db)\//.test(to))).toEqual([]);
  });

  it('of functions/shared/ stay in functions/shared/ and db/', () => {
    expect([...(rooms.get('shared') ?? [])]).toEqual([]);
  });

  it('between the rooms of functions/ have no cycle', () => {
    const cycles: string[] = [];
    const visit = (room: string, path: readonly string[]) => {
      if (path.includes(room)) cycles.push([...path.slice(path.indexOf(room)), room].join(' → '));
      else for (const next of rooms.get(room) ?? []) visit(next, [...path, room]);
    };
    for (const room of rooms.keys()) visit(room, []);
    expect(cycles).toEqual([]);
  });

  it('exist and are found', () => {
    expect(rooms.size).toBeGreaterThan(5);
    expect(imports.filter(([, to]) => !existsSync(join(import.meta.dirname, '../..', to)))).toEqual([]);
  });
});

it('comments name only files that exist', () => {
  const stale = files.flatMap((file) =>
    textOf(file)
      .split('\n')
      .filter((line) => /^\s*(\/?\*|\/\/)/.test(line))
      .flatMap((line) => line.match(/[\w./-]*[\w-]+\.ts\b/g) ?? [])
      .filter((name) => {
        const near = join(dirname(file), name).split(sep).join('/');
        return !files.some(
          (one) => one === near || one === name || (name.includes('/') && one.endsWith(`/${name}`)),
        );
      })
      .map((name) => `${file}: ${name}`),
  );
  expect(stale).toEqual([]);
});
