/** Draws bar charts with a line for the aim. */
import type { Bar, BarGroup } from '../build/performance-charts.ts';
import {
  type Arrangement,
  type Drawing,
  type Picture,
  type Shape,
  SIZE,
  type Tone,
  text,
  WIDTHS,
  widthOf,
  wrap,
} from './drawing.ts';

const BAR = 10;
const LINE = 15;
/** The gap between two columns of groups. */
const GAP = 36;

interface Part {
  shapes: Shape[];
  height: number;
}

const toneOf = ({ missed, aimed }: Bar): Tone => (missed ? 'danger' : aimed ? 'strong' : 'quiet');
const widest = (texts: readonly string[], bold = false) =>
  Math.max(...texts.map((each) => widthOf(each, SIZE.small, bold)));

function headingOf({ heading, aim }: BarGroup): string {
  const words = [heading, aim ? `aim ${aim.text}` : 'no aim'].filter(Boolean).join(', ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The dimensions that the groups of a chart share. */
interface Room {
  width: number;
  /** The width of labels beside the bars; undefined if they are above the bars. */
  labels: number | undefined;
  values: number;
}

/** Measures a chart's labels and values, to align the bars of all groups. */
function roomIn(groups: readonly BarGroup[], width: number): Room {
  const bars = groups.flatMap((group) => group.bars);
  const labels = widest(bars.map(({ label }) => label)) + 10;
  const values =
    widest(
      bars.map((bar) => bar.text),
      true,
    ) + 10;
  return { width, labels: labels > width * 0.42 ? undefined : labels, values };
}

/** Draws a group with its upper left corner at `x` and `y`. A bar of `most` has the full width. */
function drawGroup(
  group: BarGroup,
  { width, labels, values }: Room,
  x: number,
  y: number,
  most: number,
): Part {
  const { bars, aim, baseline } = group;
  const left = x + (labels ?? 0);
  const at = (value: number) => left + (value / most) * (x + width - values - left);
  const start = y + (baseline ? 38 : 22);
  let top = start;
  const line = (value: number, [from, to]: [number, number], tone: Tone, thickness?: number): Shape => ({
    kind: 'line',
    points: [
      [at(value), from],
      [at(value), to],
    ],
    tone,
    ...(thickness && { thickness }),
  });
  // An edge in the color of the page makes the line visible on bars.
  const aimLine = (from: number, to: number): Shape[] =>
    aim ? [line(aim.at, [from, to], 'page', 4), line(aim.at, [from, to], 'done', 2)] : [];
  const drawn = bars.flatMap((bar): Shape[] => {
    const above = labels === undefined ? wrap(bar.label, width, SIZE.small) : [];
    const middle = top + above.length * LINE + BAR / 2 + 3;
    const names = above.map((words, row) => text(x, top + (row + 1) * LINE - 3, words));
    top = middle + BAR / 2 + (labels === undefined ? 9 : 6);
    return [
      ...names,
      ...(labels === undefined ? [] : [text(x, middle + 4, bar.label)]),
      {
        kind: 'box',
        x: left,
        y: middle - BAR / 2,
        width: Math.max(1, at(bar.value) - left),
        height: BAR,
        tone: toneOf(bar),
        solid: true,
        radius: 2,
      },
      text(x + width, middle + 4, bar.text, {
        anchor: 'end',
        bold: bar.missed,
        tone: bar.missed ? 'danger' : 'title',
      }),
      // A continuous line would cross labels above the bars.
      ...(labels === undefined ? aimLine(middle - 9, middle + 9) : []),
    ];
  });
  return {
    height: top + 4 - y,
    shapes: [
      text(x, y + 12, headingOf(group), { bold: true, size: SIZE.detail, tone: 'title' }),
      ...(baseline ? [text(x, y + 28, `1 = ${baseline}`, { tone: 'muted' })] : []),
      ...(baseline && labels !== undefined && most >= 1 ? [line(1, [start, top], 'quiet')] : []),
      ...drawn,
      ...(labels === undefined ? [] : aimLine(start - 2, top + 2)),
    ],
  };
}

/** Returns the end of the scale. Groups of ratios share one, to be comparable. */
function mostOf(group: BarGroup, groups: readonly BarGroup[]): number {
  const same = group.baseline ? groups.filter(({ baseline }) => baseline) : [group];
  const values = same.flatMap(({ bars, aim }) => [...bars.map(({ value }) => value), (aim?.at ?? 0) * 1.04]);
  return Math.max(...values) || 1;
}

function draw(groups: readonly BarGroup[], arrangement: Arrangement): Drawing {
  const width = WIDTHS[arrangement];
  const columns = arrangement === 'wide' && groups.length > 1 ? 2 : 1;
  const each = (width - GAP * (columns - 1)) / columns;
  const room = roomIn(groups, each);
  const inFirst = Math.ceil(groups.length / columns);
  const ends = [0, 0];
  const shapes = groups.flatMap((group, index): Shape[] => {
    const column = index < inFirst ? 0 : 1;
    const y = ends[column] ?? 0;
    const part = drawGroup(group, room, column * (each + GAP), y, mostOf(group, groups));
    ends[column] = y + part.height + 18;
    return part.shapes;
  });
  return { width, height: Math.max(...ends) - 14, shapes };
}

const described = ({ label, text: value, missed }: Bar) => `${label} ${value}${missed ? ', missed' : ''}`;

/** Draws the bar chart of an area. */
export function barChart(area: string, title: string, groups: readonly BarGroup[]): Picture {
  return {
    name: `${area}-chart`,
    title: `${title}: bars against the aim`,
    description: groups
      .map((group) => {
        const compared = group.baseline ? `, compared with ${group.baseline}` : '';
        return `${headingOf(group)}${compared}: ${group.bars.map(described).join('; ')}.`;
      })
      .join(' '),
    draw: (arrangement) => draw(groups, arrangement),
  };
}
