/**
 * What the benchmark measured, for the page about performance: performance.json as `npm run bench -- --save` writes it,
 * and how its numbers are spelled. Nothing here judges them.
 */
import saved from '../performance.json' with { type: 'json' };

/** The middle of some numbers, and the ends of the middle half. Null where nothing was measured. */
export interface Spread {
  median: number | null;
  lower: number | null;
  upper: number | null;
}

/** Latencies in milliseconds. */
export type LatencySpread = Record<'p50' | 'p99', Spread>;

/** One measure, beside what it is compared with in the same run. */
export interface Row {
  area: string;
  measure: string;
  unit: string;
  value: Spread;
  latency?: LatencySpread;
  baseline?: { of: string; value: Spread; latency?: LatencySpread };
  /** The value over the baseline, round by round. */
  ratio?: Spread;
  aim?: string;
}

/** When and where an area was measured last. */
export interface Run {
  /** RFC 3339. */
  at: string;
  machine: { cpu: string; cpus: number; node: string };
  rounds: number;
  rows: Row[];
}

/** The runs that are on the page, by their area. */
export const RUNS: Readonly<Record<string, Run>> = saved as Record<string, Run>;

/** Three digits that matter; nothing for what was not measured. */
export function show(number: number | null): string {
  if (number === null || Number.isNaN(number)) return '';
  return number >= 1000 ? String(Math.round(number)) : String(Number(number.toPrecision(3)));
}

/** `p50 / p99`, or nothing. */
export function showLatency(latency: LatencySpread | undefined): string {
  return latency ? `${show(latency.p50.median)} / ${show(latency.p99.median)}` : '';
}

/** `lower – upper`, or nothing. */
export function showMiddle({ lower, upper }: Spread): string {
  return lower === null || Number.isNaN(lower) ? '' : `${show(lower)} – ${show(upper)}`;
}

/** A cell of a table: a figure, and in small what belongs to it: the latencies, or the middle half. */
export interface Cell {
  text: string;
  detail: string;
}

/** What the table of an area has in a row. */
export interface Line {
  measure: string;
  value: Cell;
  baseline: Cell;
  ratio: Cell;
  aim: string;
}

/** The lines of an area's table. */
export function linesOf({ rows }: Run): Line[] {
  return rows.map(({ measure, unit, value, latency, baseline, ratio, aim }) => ({
    measure,
    value: { text: withUnit(value, unit), detail: inMilliseconds(latency) },
    baseline: { text: baselineText(baseline, unit), detail: inMilliseconds(baseline?.latency) },
    ratio: ratioCell(ratio),
    aim: aim ?? '',
  }));
}

/** What was measured once in a run has no spread to tell. */
function ratioCell(ratio: Spread | undefined): Cell {
  if (!ratio || !show(ratio.median)) return { text: '', detail: '' };
  return {
    text: `× ${show(ratio.median)}`,
    detail: ratio.lower === ratio.upper ? '' : showMiddle(ratio),
  };
}

/** A median and its unit, on one line. */
function withUnit({ median }: Spread, unit: string): string {
  return `${show(median)}\u{a0}${unit}`;
}

function inMilliseconds(latency: LatencySpread | undefined): string {
  return showLatency(latency).length > 3 ? `${showLatency(latency)} ms` : '';
}

function baselineText(baseline: Row['baseline'], unit: string): string {
  if (!baseline) return '';
  const { of, value } = baseline;
  return value.median === null ? of : `${of}: ${withUnit(value, unit)}`;
}
