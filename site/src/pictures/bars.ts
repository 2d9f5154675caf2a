/** Draws bars against the line of their aim. */
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
/** Between two columns of groups. */
const GAP = 36;

interface Part {
  shapes: Shape[];
  height: number;
}

const toneOf = ({ missed, aimed }: Bar): Tone => (missed ? 'danger' : aimed ? 'strong' : 'quiet');
const widest = (texts: readonly string[], bold = false) =>
  Math.max(...texts.map((each) => widthOf(each, SIZE.small, bold)));

const headingOf = ({ heading, aim }: BarGroup) =>
  [heading, aim ? `aim ${aim.text}` : 'no aim'].filter(Boolean).join(', ');

/** Draws a group with its upper left corner at `x` and `y`. Bars of `most` reach the right end of their room. */
function drawGroup(
  group: BarGroup,
  { x, y, width, most }: { x: number; y: number; width: number; most: number },
): Part {
  const { bars, aim, baseline } = group;
  const forValues =
    widest(
      bars.map((bar) => bar.text),
      true,
    ) + 10;
  const forLabels = widest(bars.map(({ label }) => label)) + 10;
  // Labels that would leave too little room for the bars are above them.
  const above = forLabels > width * 0.42;
  const left = above ? x : x + forLabels;
  const room = width - forValues - (left - x);
  const at = (value: number) => left + (value / most) * room;
  const shapes: Shape[] = [
    text(x, y + 12, headingOf(group), { bold: true, size: SIZE.detail, tone: 'title' }),
    ...(baseline ? [text(x, y + 28, `1 = ${baseline}`, { tone: 'muted' })] : []),
  ];
  let top = y + (baseline ? 38 : 22);
  const first = top;
  const drawn: Shape[] = [];
  for (const bar of bars) {
    const lines = above ? wrap(bar.label, width, SIZE.small) : [];
    for (const line of lines) {
      top += LINE;
      drawn.push(text(x, top - 3, line));
    }
    const middle = top + BAR / 2 + 3;
    if (!above) drawn.push(text(x, middle + 4, bar.label));
    drawn.push({
      kind: 'box',
      x: left,
      y: middle - BAR / 2,
      width: Math.max(1, at(bar.value) - left),
      height: BAR,
      tone: toneOf(bar),
      radius: 2,
    });
    drawn.push(
      text(x + width, middle + 4, bar.text, {
        anchor: 'end',
        bold: bar.missed,
        tone: bar.missed ? 'danger' : 'title',
      }),
    );
    top += above ? BAR + 12 : 19;
  }
  const line = (value: number, tone: Tone, dashed: boolean): Shape => ({
    kind: 'line',
    points: [
      [at(value), first - 2],
      [at(value), top + 2],
    ],
    tone,
    dashed,
  });
  if (baseline && most >= 1) shapes.push(line(1, 'quiet', false));
  shapes.push(...drawn);
  if (aim) shapes.push(line(aim.at, 'done', true));
  return { shapes, height: top + 4 - y };
}

/** The end of the scale: groups of ratios to compare share it. */
function mostOf(group: BarGroup, groups: readonly BarGroup[]): number {
  const same = group.baseline ? groups.filter(({ baseline }) => baseline) : [group];
  const values = same.flatMap(({ bars, aim }) => [...bars.map(({ value }) => value), (aim?.at ?? 0) * 1.04]);
  return Math.max(...values) || 1;
}

function draw(groups: readonly BarGroup[], arrangement: Arrangement): Drawing {
  const width = WIDTHS[arrangement];
  const columns = arrangement === 'wide' && groups.length > 1 ? 2 : 1;
  const each = (width - GAP * (columns - 1)) / columns;
  const inFirst = Math.ceil(groups.length / columns);
  const ends = [0, 0];
  const shapes = groups.flatMap((group, index): Shape[] => {
    const column = index < inFirst ? 0 : 1;
    const y = ends[column] ?? 0;
    const part = drawGroup(group, { x: column * (each + GAP), y, width: each, most: mostOf(group, groups) });
    ends[column] = y + part.height + 18;
    return part.shapes;
  });
  return { width, height: Math.max(...ends) - 14, shapes };
}

const described = ({ label, text: value, missed }: Bar) => `${label} ${value}${missed ? ', missed' : ''}`;

/** A chart of an area's bars. */
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
