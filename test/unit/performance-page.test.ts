/** The page about performance says what its saved runs say, and has a place for every area. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { linesOf, RUNS, show } from '../../site/src/build/performance.ts';

const page = readFileSync(
  new URL('../../site/src/content/docs/reference/performance.mdx', import.meta.url),
  'utf8',
);
/** The areas cannot be imported here: they come with servers. */
const folder = new URL('../bench/', import.meta.url);
const bench = globSync('*.ts', { cwd: folder })
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  .join();
const told = [...page.matchAll(/<PerformanceTable of="([\w-]+)" \/>/g)].map(([, area]) => area ?? '');

it('the page has a table for each area, and each was saved', () => {
  const areas = [...bench.matchAll(/^export const \w+: Area = \{\n {2}name: '([\w-]+)',$/gm)].map(
    ([, name]) => name,
  );
  expect(areas.length).toBe(9);
  expect(told.toSorted()).toEqual(areas.toSorted());
  expect(Object.keys(RUNS).sort()).toEqual(areas.toSorted());
});

it('a table has every row with its median, baseline and ratio as they were saved', () => {
  for (const [area, run] of Object.entries(RUNS)) {
    const lines = linesOf(run);
    expect(lines.length, area).toBe(run.rows.length);
    expect(lines.length, area).toBeGreaterThan(0);
    for (const [at, { measure, value, unit, baseline, ratio }] of run.rows.entries()) {
      const line = lines[at];
      expect(line?.measure).toBe(measure);
      expect(line?.value.text).toBe(`${show(value.median)}\u{a0}${unit}`);
      if (baseline)
        expect(line?.baseline.text).toBe(`${baseline.of}: ${show(baseline.value.median)}\u{a0}${unit}`);
      if (ratio?.median) expect(line?.ratio.text).toBe(`× ${show(ratio.median)}`);
    }
  }
});
