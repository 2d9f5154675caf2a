/** The performance page matches the saved benchmark runs, and covers every area. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { linesOf, misses, RUNS, show } from '../../site/src/build/performance.ts';

const page = readFileSync(
  new URL('../../site/src/content/docs/reference/performance.mdx', import.meta.url),
  'utf8',
);
/** The areas cannot be imported here, because they start servers. */
const folder = new URL('../bench/', import.meta.url);
const bench = globSync('*.ts', { cwd: folder })
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  .join();
const described = [...page.matchAll(/<PerformanceTable of="([\w-]+)" \/>/g)].map(([, area]) => area ?? '');

it('the performance page has a table for each area, with saved results', () => {
  const areas = [...bench.matchAll(/^export const \w+: Area = \{\n {2}name: '([\w-]+)',$/gm)].map(
    ([, name]) => name,
  );
  expect(areas.length).toBe(9);
  expect(described.toSorted()).toEqual(areas.toSorted());
  expect(Object.keys(RUNS).sort()).toEqual(areas.toSorted());
});

it('the performance page states for each area whether its results miss a target', () => {
  for (const section of page.split(/^## /m).filter((text) => text.includes('<PerformanceTable'))) {
    const [, area = ''] = /<PerformanceTable of="([\w-]+)"/.exec(section) ?? [];
    const missed = RUNS[area]?.rows.filter(misses).map(({ measure }) => measure) ?? [];
    expect(/\bmiss(es|ed)?\b/.test(section), `${area} misses: ${missed}`).toBe(missed.length > 0);
  }
});

it.each([
  ['≤ 2', { ratio: 2 }, false],
  ['≤ 2', { ratio: 2.1 }, true],
  ['≥ 0.8', { ratio: 0.79 }, true],
  ['> 1', { ratio: 1 }, true],
  ['> 1', { ratio: null }, false],
  ['≤ 1.2, the same counts', { ratio: 1.3 }, true],
  ['≤ 100 ms', { value: 99, ratio: 400 }, false],
  ['≤ 100 ms', { value: 101, ratio: 0.1 }, true],
  ['none', { value: 0 }, false],
  ['none', { value: 1 }, true],
  ['no growth', { value: 9, ratio: 1.02 }, false],
  ['no growth', { value: 9, ratio: 1.2 }, true],
])('target %j with value %j is missed: %j', (aim, found, missed) => {
  const { value = 5, ratio = null } = found as { value?: number; ratio?: number | null };
  const spread = (median: number | null) => ({ median, lower: median, upper: median });
  expect(misses({ aim, value: spread(value), ratio: spread(ratio) })).toBe(missed);
});

it('a table shows the saved median, baseline and ratio of every row', () => {
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
