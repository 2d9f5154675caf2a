/** Rotation: the old and the new key work at the same time. Shows the steps of the guide. */
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
  'Rotate the credentials',
  'Deploy the new key',
  'Check that the old key is unused',
  'Finish the rotation',
];

/** When each step happens, as a fraction of the time shown. */
const TIMES = [0.2, 0.4, 0.62, 0.8];
const [ROTATED = 0, , , FINISHED = 0] = TIMES;

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
        x: x(ROTATED),
        y: 34,
        width: x(FINISHED) - x(ROTATED),
        height: BOTTOM - 34,
        tone: 'quiet',
        radius: 0,
      },
      ...markers,
      bar(OLD, 0, FINISHED, 'plain'),
      label(OLD, 0, 'Old key', 'title'),
      bar(NEW, ROTATED, 1, 'strong'),
      label(NEW, ROTATED, 'New key', 'on-strong'),
      text((x(ROTATED) + x(FINISHED)) / 2, BOTTOM + 18, 'both work: no downtime', {
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
  title: 'Rotation with both keys in use',
  description:
    'A time line with two bars. The old key works until step 4, and the new key works from step 1 on, so both work at the same time and there is no downtime. Step 1: rotate the credentials. Step 2: deploy the new key. Step 3: check that the old key is unused. Step 4: finish the rotation.',
  draw,
};
