/** Rotation: old and new credentials work at the same time. Shows the steps of the guide. */
import {
  type Arrangement,
  type Drawing,
  type Picture,
  paragraph,
  type Shape,
  SIZE,
  stepPlate,
  text,
  WIDTHS,
} from './drawing.ts';

const STEPS = [
  'Generate new credentials',
  'Deploy them',
  'Check that the old ones are unused',
  'Revoke the old ones',
];

/** When each step happens, as a fraction of the time shown. */
const TIMES = [0.2, 0.4, 0.62, 0.8];
const [CREATED = 0, , , REVOKED = 0] = TIMES;

const BAR = 34;
const OLD = 46;
const NEW = OLD + BAR + 14;
const BOTTOM = NEW + BAR + 10;

function draw(arrangement: Arrangement): Drawing {
  const width = WIDTHS[arrangement];
  const x = (time: number) => Math.round(time * width);
  const bar = (y: number, from: number, to: number, tone: 'plain' | 'strong'): Shape => ({
    kind: 'box',
    x: x(from),
    y,
    width: x(to) - x(from),
    height: BAR,
    tone,
    radius: 6,
  });
  const label = (y: number, at: number, words: string, tone: 'title' | 'on-strong') =>
    text(x(at) + 10, y + 22, words, { bold: true, size: SIZE.detail, tone });
  const markers = TIMES.flatMap((time, index): Shape[] => [
    {
      kind: 'line',
      points: [
        [x(time), 24],
        [x(time), BOTTOM],
      ],
      tone: 'quiet',
      dashed: true,
    },
    ...stepPlate(x(time) - 9, 4, index + 1),
  ]);
  const [first, second] = arrangement === 'wide' ? [0, width / 2] : [0, 0];
  const legend = STEPS.map((step, index) => {
    const [column, row] = arrangement === 'wide' ? [index < 2 ? first : second, index % 2] : [first, index];
    const y = BOTTOM + 44 + row * 26;
    return [
      ...stepPlate(column, y, index + 1),
      ...paragraph({ x: column + 28, y: y + 0.5, width: width - 28 }, step, {
        size: SIZE.detail,
        tone: 'title',
      }).shapes,
    ];
  });
  const rows = arrangement === 'wide' ? 2 : 4;
  return {
    width,
    height: BOTTOM + 44 + rows * 26,
    shapes: [
      {
        kind: 'box',
        x: x(CREATED),
        y: 34,
        width: x(REVOKED) - x(CREATED),
        height: BOTTOM - 34,
        tone: 'quiet',
        radius: 0,
      },
      ...markers,
      bar(OLD, 0, REVOKED, 'plain'),
      label(OLD, 0, 'Old credentials', 'title'),
      bar(NEW, CREATED, 1, 'strong'),
      label(NEW, CREATED, 'New credentials', 'on-strong'),
      text((x(CREATED) + x(REVOKED)) / 2, BOTTOM + 18, 'both work: no downtime', {
        anchor: 'middle',
        tone: 'done',
        bold: true,
      }),
      ...legend.flat(),
    ],
  };
}

export const rotation: Picture = {
  name: 'rotation',
  title: 'Rotation with both credentials in use',
  description:
    'A time line with two bars. The old credentials work until step 4, and the new credentials work from step 1 on, so both work at the same time and there is no downtime. Step 1: generate new credentials. Step 2: deploy them. Step 3: check that the old ones are unused. Step 4: revoke the old ones.',
  draw,
};
