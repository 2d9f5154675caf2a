/** Formats figures as rows of medians and spread, for the terminal and for the performance page. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LatencySpread,
  type Row,
  type Run,
  show,
  showLatency,
  showMiddle,
} from '../../site/src/build/performance.ts';
import { root } from '../stack/project.ts';
import type { Figure, Latency } from './area.ts';
import { ratios, spreadOf } from './rounds.ts';

function latencyOf(latency: Latency | undefined): { latency?: LatencySpread } {
  return latency ? { latency: { p50: spreadOf(latency.p50), p99: spreadOf(latency.p99) } } : {};
}

/** A figure of an area, as printed and saved. */
export function rowOf(area: string, { measure, unit, values, latency, baseline, aim }: Figure): Row {
  return {
    area,
    measure,
    unit,
    value: spreadOf(values),
    ...latencyOf(latency),
    ...(baseline && {
      baseline: { of: baseline.of, value: spreadOf(baseline.values), ...latencyOf(baseline.latency) },
      ratio: spreadOf(ratios(values, baseline.values)),
    }),
    ...(aim !== undefined && { aim }),
  };
}

const LATENCY = 'p50 / p99 ms';

/** Formats the rows as a plain-text table. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ area, measure, unit, value, latency, baseline, ratio, aim }) => [
    area,
    measure,
    `${show(value.median)} ${unit}`,
    showMiddle(value),
    showLatency(latency),
    baseline ? `${baseline.of} ${show(baseline.value.median)}` : '',
    showLatency(baseline?.latency),
    ratio && show(ratio.median) ? `× ${show(ratio.median)}` : '',
    ratio ? showMiddle(ratio) : '',
    aim ?? '',
  ]);
  const lines = [
    ['area', 'measure', 'median', 'IQR', LATENCY, 'baseline', LATENCY, 'ratio', 'IQR', 'aim'],
    ...cells,
  ];
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Saves the rows for the page, replacing those of the same areas. */
export function saveForPage(run: Run): string {
  const file = join(root, 'site/src/performance.json');
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Run>) : {};
  for (const [area, rows] of Map.groupBy(run.rows, ({ area }) => area)) before[area] = { ...run, rows };
  writeFileSync(file, `${JSON.stringify(before, null, 1)}\n`);
  return file;
}
