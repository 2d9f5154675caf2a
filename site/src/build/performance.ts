/** The benchmark results for the performance page: performance.json, which `npm run bench -- --save` writes. */
import saved from '../performance.json' with { type: 'json' };

/** The median and the quartiles of several measurements. Null if nothing was measured. */
export interface Spread {
  median: number | null;
  lower: number | null;
  upper: number | null;
}

/** Latencies in milliseconds. */
export type LatencySpread = Record<'p50' | 'p99', Spread>;

/** A measurement and its baseline from the same run. */
export interface Row {
  area: string;
  measure: string;
  unit: string;
  value: Spread;
  latency?: LatencySpread;
  baseline?: { of: string; value: Spread; latency?: LatencySpread };
  /** The value divided by the baseline, for each round. */
  ratio?: Spread;
  aim?: string;
}

export interface Run {
  /** RFC 3339. */
  at: string;
  machine: { cpu: string; cpus: number; node: string };
  rounds: number;
  rows: Row[];
}

/** The runs on the page, by area. */
export const RUNS: Readonly<Record<string, Run>> = saved as Record<string, Run>;

/** Formats a number with three significant digits; empty if it is null. */
export function show(number: number | null): string {
  if (number === null || Number.isNaN(number)) return '';
  return number >= 1000 ? String(Math.round(number)) : String(Number(number.toPrecision(3)));
}

/** Returns `p50 / p99`, or an empty string. */
export function showLatency(latency: LatencySpread | undefined): string {
  return latency ? `${show(latency.p50.median)} / ${show(latency.p99.median)}` : '';
}

/** Returns `lower – upper`, or an empty string. */
export function showMiddle({ lower, upper }: Spread): string {
  return lower === null || Number.isNaN(lower) ? '' : `${show(lower)} – ${show(upper)}`;
}

/** A table cell: a number, and in small print its latencies or quartiles. */
export interface Cell {
  text: string;
  detail: string;
}

/** A row of an area's table. */
export interface Line {
  measure: string;
  value: Cell;
  baseline: Cell;
  ratio: Cell;
  aim: string;
  missed: boolean;
}

/** An aim as a number. */
export interface Bound {
  sign: '≤' | '≥' | '>';
  bound: number;
  /** Whether it limits the value or its ratio to the baseline. */
  of: 'value' | 'ratio';
}

/**
 * Parses an aim. `≤ 2`, `≥ 0.8` and `> 1` limit the ratio; with a unit (`≤ 100 ms`) they limit the value. `none` is a value
 * of 0, and `no growth` a ratio of at most 1.05.
 */
export function boundOf(aim: string | undefined): Bound | undefined {
  const spelled = aim === 'none' ? '≤ 0 of them' : aim === 'no growth' ? '≤ 1.05' : (aim ?? '');
  const [, sign, bound, unit] = /^([≤≥>]) ([\d.]+)( \w+)?/.exec(spelled) ?? [];
  return sign
    ? { sign: sign as Bound['sign'], bound: Number(bound), of: unit ? 'value' : 'ratio' }
    : undefined;
}

/** Returns whether a row misses its aim. Rows without a measurement do not. */
export function misses({ aim, value, ratio }: Pick<Row, 'aim' | 'value' | 'ratio'>): boolean {
  const limit = boundOf(aim);
  const found = (limit?.of === 'value' ? value : ratio)?.median;
  if (!limit || found === undefined || found === null) return false;
  if (limit.sign === '≤') return found > limit.bound;
  return limit.sign === '≥' ? found < limit.bound : found <= limit.bound;
}

/** Returns a ratio of an area's table. Throws if no row has this measure and baseline. */
export function ratioOf(area: string, measure: string, baseline: string): string {
  const found = RUNS[area]?.rows.find((row) => row.measure === measure && row.baseline?.of === baseline);
  if (!found?.ratio) throw new Error(`The area ${area} does not compare ${measure} with ${baseline}`);
  return show(found.ratio.median);
}

/** Returns a measured latency in milliseconds. Throws if it was not measured. */
export function milliseconds(area: string, measure: string, percentile: 'p50' | 'p99'): number {
  const found = rowOf(area, measure, `ms ${percentile}`).value.median;
  if (found === null) throw new Error(`${area} has no ${percentile} of ${measure}`);
  return found;
}

/** Returns the row of an area with this measure and unit. Throws if there is none. */
export function rowOf(area: string, measure: string, unit: string): Row {
  const found = RUNS[area]?.rows.find((row) => row.measure === measure && row.unit === unit);
  if (!found) throw new Error(`Nothing in ${area} measures ${measure} in ${unit}`);
  return found;
}

/** Returns the rows of an area's table. */
export function linesOf({ rows }: Run): Line[] {
  return rows.map((row) => ({
    measure: row.measure,
    value: { text: withUnit(row.value, row.unit), detail: inMilliseconds(row.latency) },
    baseline: { text: baselineText(row.baseline, row.unit), detail: inMilliseconds(row.baseline?.latency) },
    ratio: ratioCell(row.ratio),
    aim: row.aim ?? '',
    missed: misses(row),
  }));
}

/** A measure that was taken once in a run has no spread. */
function ratioCell(ratio: Spread | undefined): Cell {
  if (!ratio || !show(ratio.median)) return { text: '', detail: '' };
  return {
    text: `× ${show(ratio.median)}`,
    detail: ratio.lower === ratio.upper ? '' : showMiddle(ratio),
  };
}

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
