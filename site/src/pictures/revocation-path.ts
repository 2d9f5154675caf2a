/** What happens between the DELETE of NATS credentials and its response, with measured times. */
import { natsSettings } from '../../../functions/shared/env.ts';
import { boundOf, milliseconds, rowOf, show } from '../build/performance.ts';
import {
  type Arrangement,
  arrow,
  card,
  type Drawing,
  type Picture,
  paragraph,
  type Shape,
  SIZE,
  text,
  WIDTHS,
} from './drawing.ts';

const AREA = 'denial';
const DISCONNECT = 'NATS, DELETE to disconnect';
const RESPONSE = 'NATS, DELETE to answer';

const STEPS: [title: string, detail: string][] = [
  ['DELETE', 'from a page or a program'],
  ['One transaction', 'revocation and audit record in, credentials out'],
  ['Publisher', 'pushes the account’s new JWT to every server'],
  ['nats-servers', 'disconnect the clients, refuse new ones, confirm'],
  ['Response', '204, with how many servers have confirmed'],
];

/** The measured times of one percentile, in milliseconds. */
interface Times {
  label: string;
  disconnect: number;
  response: number;
}

const TIMES: Times[] = (['p50', 'p99'] as const).map((percentile) => ({
  label: percentile === 'p50' ? 'Median' : '99th percentile',
  disconnect: milliseconds(AREA, DISCONNECT, percentile),
  response: milliseconds(AREA, RESPONSE, percentile),
}));

const aim = boundOf(rowOf(AREA, DISCONNECT, 'ms p99').aim)?.bound ?? 0;
const waits = show(natsSettings.parse({}).push_deadline_ms / 1000);
const pending = `If a server has not confirmed after ${waits} seconds (by default), the response says “pending”, and Latchkey retries until the server confirms.`;

const written = ({ label, disconnect, response }: Times) =>
  `${label}: clients disconnected after ${show(disconnect)} ms, response after ${show(response)} ms`;

/** The same, for a narrow picture. */
const shortened = ({ label, disconnect, response }: Times) =>
  `${label}: disconnected ${show(disconnect)} ms, response ${show(response)} ms`;

function path(arrangement: Arrangement): { shapes: Shape[]; height: number } {
  const width = WIDTHS[arrangement];
  if (arrangement === 'narrow') {
    const height = 48;
    const pitch = height + 18;
    return {
      height: STEPS.length * pitch - 18,
      shapes: STEPS.flatMap(([title, detail], at): Shape[] => [
        ...card({ x: 0, y: at * pitch, width, height }, title, detail, { step: at + 1, tone: toneOf(at) }),
        ...(at > 0
          ? [
              arrow([
                [18, at * pitch - 18],
                [18, at * pitch],
              ]),
            ]
          : []),
      ]),
    };
  }
  const gap = 22;
  const height = 88;
  const each = (width - gap * (STEPS.length - 1)) / STEPS.length;
  return {
    height,
    shapes: STEPS.flatMap(([title, detail], at): Shape[] => {
      const x = at * (each + gap);
      return [
        ...card({ x, y: 0, width: each, height }, title, detail, { tone: toneOf(at), padding: 9, at: 'top' }),
        ...(at > 0
          ? [
              arrow([
                [x - gap, height / 2],
                [x, height / 2],
              ]),
            ]
          : []),
      ];
    }),
  };
}

const toneOf = (step: number) => (step === 3 ? 'danger' : step === 4 ? 'done' : 'plain');

function scale(top: number, arrangement: Arrangement): { shapes: Shape[]; height: number } {
  const width = WIDTHS[arrangement];
  const most = Math.max(aim, ...TIMES.flatMap(({ response, disconnect }) => [response, disconnect]));
  const x = (time: number) => Math.round((time / (most * 1.06)) * width * 10) / 10;
  const rows = TIMES.flatMap((times, at): Shape[] => {
    const y = top + 24 + at * 42;
    const bar = (from: number, to: number, tone: 'danger' | 'done'): Shape => ({
      kind: 'box',
      x: x(from),
      y: y + 20,
      width: x(to) - x(from),
      height: 10,
      tone,
      solid: true,
      radius: 2,
    });
    return [
      text(0, y + 12, (arrangement === 'wide' ? written : shortened)(times), {
        size: SIZE.small,
        tone: 'title',
      }),
      bar(0, times.disconnect, 'danger'),
      bar(times.disconnect, times.response, 'done'),
    ];
  });
  const bottom = top + 24 + TIMES.length * 42;
  return {
    height: bottom + 22 - top,
    shapes: [
      text(0, top + 12, 'Measured after the DELETE', { bold: true, size: SIZE.detail, tone: 'title' }),
      ...rows,
      {
        kind: 'line',
        points: [
          [0, bottom],
          [width, bottom],
        ],
        tone: 'quiet',
      },
      {
        kind: 'line',
        points: [
          [x(aim), top + 38],
          [x(aim), bottom + 4],
        ],
        tone: 'strong',
        dashed: true,
      },
      text(0, bottom + 17, '0', { tone: 'muted' }),
      text(width, bottom + 17, `aim for disconnecting: ${aim} ms`, { anchor: 'end', tone: 'muted' }),
    ],
  };
}

function draw(arrangement: Arrangement): Drawing {
  const width = WIDTHS[arrangement];
  const steps = path(arrangement);
  const times = scale(steps.height + 26, arrangement);
  const y = steps.height + 26 + times.height + 12;
  const late = paragraph({ x: 0, y, width }, pending);
  return { width, height: y + late.height + 2, shapes: [...steps.shapes, ...times.shapes, ...late.shapes] };
}

export const revocationPath: Picture = {
  name: 'revocation-path',
  title: 'The path of a revocation of NATS credentials',
  description: `${STEPS.map(([title, detail], at) => `Step ${at + 1}, ${title}: ${detail}.`).join(' ')} Measured after the DELETE. ${TIMES.map(written).join('. ')}. The aim for disconnecting is ${aim} ms. ${pending}`,
  draw,
};
