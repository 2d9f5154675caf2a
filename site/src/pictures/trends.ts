/** Draws trends: a small line chart for each measure. */

import { show } from '../build/performance.ts';
import type { Trend } from '../build/performance-charts.ts';
import {
  type Arrangement,
  type Drawing,
  type Picture,
  type Shape,
  SIZE,
  text,
  WIDTHS,
  wrap,
} from './drawing.ts';

const GAP = 28;
const PLOT = 54;
const LINE = 15;

const count = (value: number) => value.toLocaleString('en');

/** Draws one measure. */
function drawTrend(
  { label, unit, points, most, missed }: Trend,
  { x, y, width, titleHeight }: { x: number; y: number; width: number; titleHeight: number },
): Shape[] {
  const top = y + titleHeight + 16;
  const bottom = top + PLOT;
  const highest = Math.max(most ?? 0, ...points.map(({ value }) => value)) * 1.05;
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  // Logarithmic: each point is 10 or 100 times the previous one.
  const span = Math.log(last.x / first.x);
  const across = (value: number) => x + 4 + (Math.log(value / first.x) / span) * (width - 8);
  const up = (value: number) => bottom - (value / highest) * PLOT;
  const tone = missed ? 'danger' : 'strong';
  const ink = missed ? 'danger' : 'title';
  return [
    ...wrap(label, width, SIZE.detail, true).map((line, at) =>
      text(x, y + 12 + at * LINE, line, { bold: true, size: SIZE.detail, tone: 'title' }),
    ),
    {
      kind: 'line',
      points: [
        [x, bottom],
        [x + width, bottom],
      ],
      tone: 'quiet',
    },
    ...(most === undefined
      ? []
      : [
          {
            kind: 'line',
            points: [
              [x, up(most)],
              [x + width, up(most)],
            ],
            tone: 'done',
            dashed: true,
          } as const,
        ]),
    {
      kind: 'line',
      points: points.map(({ x: size, value }) => [across(size), up(value)]),
      tone,
      thickness: 2,
    },
    ...points.map(
      ({ x: size, value }): Shape => ({
        kind: 'box',
        x: across(size) - 3,
        y: up(value) - 3,
        width: 6,
        height: 6,
        tone,
        solid: true,
        radius: 3,
      }),
    ),
    text(x, bottom + 15, count(first.x), { tone: 'muted' }),
    text(x + width, bottom + 15, count(last.x), { tone: 'muted', anchor: 'end' }),
    text(x, y + titleHeight + 11, `${show(first.value)} → ${show(last.value)} ${unit}`, {
      tone: ink,
      bold: missed,
    }),
  ];
}

function draw(trends: readonly Trend[], arrangement: Arrangement): Drawing {
  const width = WIDTHS[arrangement];
  const columns = arrangement === 'wide' ? 3 : 2;
  const each = (width - GAP * (columns - 1)) / columns;
  const lines = Math.max(...trends.map(({ label }) => wrap(label, each, SIZE.detail, true).length));
  const titleHeight = 4 + lines * LINE;
  const pitch = titleHeight + PLOT + 56;
  const rows = Math.ceil(trends.length / columns);
  return {
    width,
    height: rows * pitch - 22,
    shapes: trends.flatMap((trend, at) =>
      drawTrend(trend, {
        x: (at % columns) * (each + GAP),
        y: Math.floor(at / columns) * pitch,
        width: each,
        titleHeight,
      }),
    ),
  };
}

/** Draws the trends of an area. */
export function trendChart(area: string, title: string, trends: readonly Trend[]): Picture {
  return {
    name: `${area}-chart`,
    title: `${title}: lines by the number of ${trends[0]?.of}`,
    description: trends
      .map(({ label, unit, points, most, missed }) => {
        const values = points.map(({ x, value }) => `${show(value)} ${unit} with ${count(x)}`);
        const aim =
          most === undefined ? 'no aim' : `aim at most ${show(most)} ${unit}${missed ? ', missed' : ''}`;
        return `${label}: ${values.join(', ')}; ${aim}.`;
      })
      .join(' '),
    draw: (arrangement) => draw(trends, arrangement),
  };
}
