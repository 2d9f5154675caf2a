/** The performance page matches the saved benchmark runs, and covers every area. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { boundOf, linesOf, milliseconds, misses, RUNS, show } from '../../site/src/build/performance.ts';
import { AREAS, aims, barGroupsOf, trendsOf } from '../../site/src/build/performance-charts.ts';
import { barChart } from '../../site/src/pictures/bars.ts';
import type { Box, Line, Text } from '../../site/src/pictures/drawing.ts';
import { revocationPath } from '../../site/src/pictures/revocation-path.ts';
import { trendChart } from '../../site/src/pictures/trends.ts';

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

it('the performance page has a chart and a table for each area, with saved results', () => {
  const areas = [...bench.matchAll(/^export const \w+: Area = \{\n {2}name: '([\w-]+)',$/gm)].map(
    ([, name]) => name,
  );
  expect(areas.length).toBe(10);
  expect(described.toSorted()).toEqual(areas.toSorted());
  expect([...page.matchAll(/<PerformanceChart of="([\w-]+)" \/>/g)].map(([, area]) => area)).toEqual(
    described,
  );
  expect(Object.keys(AREAS)).toEqual(described);
  for (const title of Object.values(AREAS)) expect(page).toContain(`\n## ${title}\n`);
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

const areas = Object.keys(AREAS);
const runOf = (area: string) =>
  RUNS[area] ?? { at: '', machine: { cpu: '', cpus: 0, node: '' }, rounds: 0, rows: [] };
const withTrends = areas.filter((area) => trendsOf(runOf(area)).length > 0);
const ARRANGEMENTS = ['wide', 'narrow'] as const;

it('growth and memory have lines, and the other areas have bars', () => {
  expect(withTrends).toEqual(['growth', 'memory']);
  for (const area of areas) expect([area, barGroupsOf(runOf(area)).length > 0]).toEqual([area, true]);
});

it.each(areas)('the bars of %s have every row with an aim, with its value', (area) => {
  const { rows } = runOf(area);
  const bars = barGroupsOf(runOf(area)).flatMap((group) => group.bars);
  const aimed = rows.filter(({ aim }) => aim !== undefined);
  expect(bars.filter((bar) => bar.aimed).length).toBe(aimed.length);
  expect(bars.filter(({ missed }) => missed).length).toBe(rows.filter(misses).length);
  const expected = aimed.map((row) =>
    boundOf(row.aim)?.of === 'value' ? row.value.median : row.ratio?.median,
  );
  const values = bars.filter((bar) => bar.aimed).map(({ value }) => value);
  expect(values.toSorted()).toEqual(expected.toSorted());
});

it.each(areas.filter((area) => !withTrends.includes(area)))(
  'the chart of %s draws its bars to scale',
  (area) => {
    const groups = barGroupsOf(runOf(area));
    const chart = barChart(area, 'Title', groups);
    const bars = groups.flatMap((group) => group.bars);
    for (const arrangement of ARRANGEMENTS) {
      const { shapes, width, height } = chart.draw(arrangement);
      const drawn = shapes.filter((shape): shape is Box => shape.kind === 'box');
      expect(drawn.length).toBe(bars.length);
      for (const { x, width: wide, y } of drawn) {
        expect(x + wide).toBeLessThanOrEqual(width);
        expect(y).toBeLessThan(height);
      }
      let first = 0;
      for (const group of groups) {
        const own = drawn.slice(first, first + group.bars.length);
        first += group.bars.length;
        const most = Math.max(...group.bars.map(({ value }) => value));
        const longest = Math.max(...own.map((box) => box.width));
        for (const [at, { value }] of group.bars.entries())
          expect(own[at]?.width).toBeCloseTo(Math.max(1, (value / (most || 1)) * longest), 3);
      }
      const written = shapes.filter((shape): shape is Text => shape.kind === 'text').map(({ text }) => text);
      expect(bars.filter(({ text }) => !written.includes(text))).toEqual([]);
    }
  },
);

it.each(areas.filter((area) => !withTrends.includes(area)))(
  'the description of the chart of %s has its bars',
  (area) => {
    const groups = barGroupsOf(runOf(area));
    const { title, description } = barChart(area, 'Title', groups);
    expect(title).toContain('Title');
    for (const { bars, aim } of groups) {
      if (aim) expect(description).toContain(aim.text);
      for (const { label, text, missed } of bars)
        expect(description).toContain(`${label} ${text}${missed ? ', missed' : ''}`);
    }
  },
);

it.each(withTrends)('the chart of %s has a line for each measure, with its values and its aim', (area) => {
  const trends = trendsOf(runOf(area));
  const chart = trendChart(area, 'Title', trends);
  const points = trends.reduce((sum, trend) => sum + trend.points.length, 0);
  // Each point beyond the first is a row; rows of a trend without a first point have another baseline.
  expect(points - trends.length).toBe(
    runOf(area).rows.filter(({ baseline }) => /^\d/.test(baseline?.of ?? '')).length,
  );
  for (const arrangement of ARRANGEMENTS) {
    const { shapes } = chart.draw(arrangement);
    expect(shapes.filter(({ kind }) => kind === 'box').length).toBe(points);
    const lines = shapes.filter((shape): shape is Line => shape.kind === 'line');
    expect(lines.filter(({ thickness }) => thickness === 2).length).toBe(trends.length);
    expect(lines.filter(({ dashed }) => dashed).length).toBe(
      trends.filter(({ most }) => most !== undefined).length,
    );
  }
  for (const { label, unit, points: own } of trends) {
    expect(chart.description).toContain(`${label}: `);
    for (const { x, value } of own)
      expect(chart.description).toContain(`${show(value)} ${unit} with ${x.toLocaleString('en')}`);
  }
});

it('the summary counts the aims', () => {
  const { all, met, missedIn } = aims();
  const lines = Object.values(RUNS).flatMap((run) => linesOf(run));
  expect(all).toBe(lines.filter(({ aim }) => aim).length);
  expect(all - met).toBe(lines.filter(({ missed }) => missed).length);
  expect(missedIn.length).toBeGreaterThan(0);
});

it('the picture of a revocation has the measured times', () => {
  const measures = ['NATS, DELETE to disconnect', 'NATS, DELETE to answer'];
  for (const measure of measures)
    for (const percentile of ['p50', 'p99'] as const)
      expect(revocationPath.description).toContain(`${show(milliseconds('denial', measure, percentile))} ms`);
  expect(() => milliseconds('denial', 'something else', 'p50')).toThrow('something else');
});
