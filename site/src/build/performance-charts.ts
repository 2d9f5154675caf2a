/** Data of the charts on the performance page: bars with an aim, and trends. */
import { boundOf, misses, type Row, RUNS, type Run, show } from './performance.ts';

export interface Bar {
  label: string;
  /** The ratio to the baseline, or the value if the aim limits the value. */
  value: number;
  /** The value as text, with its unit. */
  text: string;
  missed: boolean;
  /** False if the bar is shown for comparison only. */
  aimed: boolean;
}

/** Bars with the same scale and the same aim. */
export interface BarGroup {
  /** The text that labels have in common, such as `16 at once`; empty if none. */
  heading: string;
  /** The aim as text, and the position of its line. */
  aim?: { text: string; at: number };
  /** The baseline of ratios; values have none. */
  baseline?: string;
  bars: Bar[];
}

/** How a measure changes with the number of credentials or requests. */
export interface Trend {
  label: string;
  unit: string;
  /** What grows: `credentials` or `requests`. */
  of: string;
  /** Sorted by `x`, the number of credentials or requests. */
  points: { x: number; value: number }[];
  /** The highest value that meets the aim, if there is one. */
  most?: number;
  missed: boolean;
}

const AT_ONCE = /, (\d+ at once)/;
const unitOf = ({ unit }: Row) => unit.split(' ')[0] ?? '';

/**
 * Returns the bars of an area: one for each row with an aim, and for comparison one for each row with the same unit and
 * baseline as such a row.
 */
export function barGroupsOf({ rows }: Run): BarGroup[] {
  const aimed = rows.filter(({ aim }) => boundOf(aim));
  const groups = new Map<string, BarGroup>();
  for (const row of rows) {
    const alike = aimed.filter(
      (other) => unitOf(other) === unitOf(row) && other.baseline?.of === row.baseline?.of,
    );
    const of = boundOf(row.aim ?? alike[0]?.aim)?.of;
    if (!of || row[of]?.median === undefined || row[of].median === null) continue;
    const isSole = new Set(alike.map(({ aim }) => aim)).size === 1;
    const aim = row.aim ?? (isSole ? alike[0]?.aim : undefined);
    const limit = boundOf(aim);
    const [, heading = ''] = AT_ONCE.exec(row.measure) ?? [];
    const baseline = of === 'ratio' ? row.baseline?.of : undefined;
    const key = [heading, baseline, aim].join('|');
    const group = groups.get(key) ?? {
      heading,
      ...(limit && aim && { aim: { text: aim, at: limit.bound } }),
      ...(baseline && { baseline }),
      bars: [],
    };
    group.bars.push(barOf(row, of));
    groups.set(key, group);
  }
  return [...groups.values()].sort(byHeading);
}

/** Keeps groups with the same heading together, those with an aim first. */
function byHeading(one: BarGroup, other: BarGroup): number {
  const first = Number.parseInt(one.heading, 10) || 0;
  return first - (Number.parseInt(other.heading, 10) || 0) || Number(!one.aim) - Number(!other.aim);
}

function barOf(row: Row, of: 'ratio' | 'value'): Bar {
  const [unit, percentile] = row.unit.split(' ');
  const value = row[of]?.median ?? 0;
  return {
    label: row.measure.replace(AT_ONCE, '') + (percentile ? `, ${percentile}` : ''),
    value,
    text: of === 'ratio' ? `× ${show(value)}` : `${show(value)} ${unit}`,
    missed: misses(row),
    aimed: row.aim !== undefined,
  };
}

/** Returns the measures of an area that were taken at several sizes; empty if there are none. */
export function trendsOf({ rows }: Run): Trend[] {
  const trends = new Map<string, Trend>();
  const number = (text: string) => Number(text.replaceAll(',', ''));
  for (const row of rows) {
    const [, label, size, of] = /^(.*), ([\d,]+) (credentials|requests)\b/.exec(row.measure) ?? [];
    const [, first] = /^([\d,]+)\b/.exec(row.baseline?.of ?? '') ?? [];
    const { median } = row.value;
    const start = row.baseline?.value.median;
    if (!label || !size || !of || !first || median === null || start === undefined || start === null)
      continue;
    const limit = boundOf(row.aim);
    const trend = trends.get(label) ?? {
      label,
      unit: unitOf(row),
      of,
      points: [{ x: number(first), value: start }],
      ...(limit && { most: start * limit.bound }),
      missed: false,
    };
    trend.points.push({ x: number(size), value: median });
    trend.missed ||= misses(row);
    trends.set(label, trend);
  }
  return [...trends.values()];
}

/** Titles of the areas. They are the headings of their sections. */
export const AREAS: Readonly<Record<string, string>> = {
  'control-plane': 'Control plane',
  gateway: 'Gateway',
  sigv4: 'Verification of signatures',
  creds: 'NATS creds',
  denial: 'From a DELETE to denial',
  resolver: 'Restart of a nats-server',
  growth: 'Growth',
  peers: 'Peers',
  size: 'Size',
  memory: 'Memory',
};

/** Returns the number of aims, how many are met, and the areas in which some are missed. */
export function aims(): { all: number; met: number; missedIn: string[] } {
  const areas = Object.keys(AREAS);
  const rows = areas.flatMap((area) => RUNS[area]?.rows ?? []).filter(({ aim }) => aim !== undefined);
  const missedIn = areas.filter((area) => RUNS[area]?.rows.some(misses));
  return { all: rows.length, met: rows.length - rows.filter(misses).length, missedIn };
}

/** Returns the lowest and the highest ratio of an area's rows with an aim. Throws if there are none. */
export function ratioRange(area: string, has: (row: Row) => boolean = () => true): [string, string] {
  const found = (RUNS[area]?.rows ?? [])
    .filter((row) => row.aim !== undefined && has(row))
    .flatMap(({ ratio }) => ratio?.median ?? []);
  if (found.length === 0) throw new Error(`No row of ${area} has a ratio and an aim`);
  return [show(Math.min(...found)), show(Math.max(...found))];
}
