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

/** What the table of an area has in a row: each text as it stands there. */
export interface Line {
  measure: string;
  value: string;
  baseline: string;
  ratio: string;
  aim: string;
}

/** The lines of an area's table. */
export function linesOf({ rows }: Run): Line[] {
  return rows.map(({ measure, unit, value, latency, baseline, ratio, aim }) => ({
    measure,
    value: withLatency(`${show(value.median)} ${unit}`, latency),
    baseline: baseline
      ? withLatency(`${baseline.of} ${show(baseline.value.median)}`.trim(), baseline.latency)
      : '',
    ratio: ratio && show(ratio.median) ? `× ${show(ratio.median)} (${showMiddle(ratio)})` : '',
    aim: aim ?? '',
  }));
}

function withLatency(text: string, latency: LatencySpread | undefined): string {
  return showLatency(latency).length > 3 ? `${text}, ${showLatency(latency)} ms` : text;
}
