/**
 * The shapes of pictures and charts, with sizes in pixels. drawing.astro renders them. Each picture is drawn twice, for a
 * column of text and for a phone, because text that scales with a picture becomes unreadable.
 */

/** The meaning of a shape. drawing.astro has the colors. `page` is the background color. */
export type Tone = 'plain' | 'quiet' | 'strong' | 'done' | 'danger' | 'page';

export interface Box {
  kind: 'box';
  x: number;
  y: number;
  width: number;
  height: number;
  tone: Tone;
  dashed?: boolean;
  /** Filled with the color of the tone's lines. For bars and dots. */
  solid?: boolean;
  radius?: number;
}

/** A line of text; `y` is its baseline. */
export interface Text {
  kind: 'text';
  x: number;
  y: number;
  text: string;
  size: number;
  anchor?: 'start' | 'middle' | 'end';
  bold?: boolean;
  /** `on-strong` is for text on a box of the tone `strong`. */
  tone?: 'title' | 'detail' | 'muted' | 'danger' | 'done' | 'on-strong';
}

export type Point = readonly [x: number, y: number];

/** Straight segments, with an arrow head at the end or at both ends. */
export interface Line {
  kind: 'line';
  points: readonly Point[];
  tone: Tone;
  head?: 'end' | 'both';
  dashed?: boolean;
  /** In pixels; 1.5 by default. */
  thickness?: number;
}

export type Shape = Box | Text | Line;

export interface Drawing {
  width: number;
  height: number;
  shapes: Shape[];
}

/** The two widths that a picture is drawn for: the column of text, and a phone of 375 pixels. */
export const WIDTHS = { wide: 688, narrow: 343 } as const;

export type Arrangement = keyof typeof WIDTHS;

/** A picture with its alternatives for screen readers. */
export interface Picture {
  /** Unique on a page. The prefix of the ids of the title and the description. */
  name: string;
  title: string;
  /** Everything that the picture shows, in sentences. */
  description: string;
  /** Shown below the picture. */
  caption?: string;
  draw: (arrangement: Arrangement) => Drawing;
}

/** Text sizes. On a phone, the smallest is 11 pixels. */
export const SIZE = { title: 13, detail: 12, small: 11.5 } as const;

/** Widths of letters in the text font, as a percentage of its size. Other letters have 56. */
const LETTERS: [letters: RegExp, width: number][] = [
  [/[ijl.,:;'’|!]/, 28],
  [/[ ftrI()\-/[\]]/, 36],
  [/[mwMW%]/, 86],
  [/[A-Z]/, 67],
];

/** Estimates the width of a line of text in pixels. */
export function widthOf(text: string, size: number, bold = false): number {
  let width = 0;
  for (const letter of text) width += LETTERS.find(([letters]) => letters.test(letter))?.[1] ?? 56;
  return (width * size * (bold ? 1.05 : 1)) / 100;
}

/** Breaks text into lines of at most `width`. A longer word gets its own line. */
export function wrap(text: string, width: number, size: number, bold = false): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`, size, bold) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The position and size of a card. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface CardOptions {
  tone?: Tone;
  dashed?: boolean;
  /** Vertical position of the text: `middle`, or `top` for a card that contains others. */
  at?: 'middle' | 'top';
  padding?: number;
  /** The number of a step, on a plate before the title. */
  step?: number;
}

const LINE = 1.3;
/** The width of a step's plate. */
const PLATE = 24;

/** Draws a box with a title and a detail, wrapped to its width. Line breaks in the detail begin paragraphs. */
export function card(
  { x, y, width, height }: Rectangle,
  title: string,
  detail = '',
  { tone = 'plain', dashed, at = 'middle', padding = 9, step }: CardOptions = {},
): Shape[] {
  const indent = padding + (step === undefined ? 0 : PLATE);
  const titles = wrap(title, width - indent - padding, SIZE.title, true);
  const details = detail
    .split('\n')
    .filter(Boolean)
    .map((each) => wrap(each, width - indent - padding, SIZE.small));
  const lines = [
    ...titles.map((line) => ({ text: line, size: SIZE.title, bold: true, gap: 0 })),
    ...details.flatMap((paragraph, index) =>
      paragraph.map((line, at) => ({
        text: line,
        size: SIZE.small,
        bold: false,
        gap: index > 0 && at === 0 ? 5 : 0,
      })),
    ),
  ];
  const tall = lines.reduce((sum, { size, gap }) => sum + size * LINE + gap, 0);
  let top = at === 'top' ? y + padding - 1 : y + (height - tall) / 2;
  const plate = step === undefined ? [] : stepPlate(x + padding, top - 1, step);
  const texts = lines.map(({ text, size, bold, gap }): Text => {
    top += size * LINE + gap;
    const color = bold ? 'title' : 'detail';
    return {
      kind: 'text',
      x: x + indent,
      y: Math.round((top - size * 0.3) * 10) / 10,
      text,
      size,
      bold,
      tone: tone === 'strong' ? 'on-strong' : color,
    };
  });
  return [{ kind: 'box', x, y, width, height, tone, ...(dashed && { dashed }) }, ...plate, ...texts];
}

/** Draws a number on a plate of 18 × 18 pixels. */
export function stepPlate(x: number, y: number, step: number): Shape[] {
  return [
    { kind: 'box', x, y, width: 18, height: 18, tone: 'strong', radius: 4 },
    {
      kind: 'text',
      x: x + 9,
      y: y + 13,
      text: `${step}`,
      size: SIZE.detail,
      anchor: 'middle',
      bold: true,
      tone: 'on-strong',
    },
  ];
}

/** Draws an arrow along points. */
export function arrow(
  points: readonly Point[],
  { tone = 'plain', head = 'end', dashed }: Partial<Pick<Line, 'tone' | 'head' | 'dashed'>> = {},
): Line {
  return { kind: 'line', points, tone, head, ...(dashed && { dashed }) };
}

/** Draws a line of text. */
export function text(
  x: number,
  y: number,
  words: string,
  { size = SIZE.small, ...rest }: Partial<Omit<Text, 'kind' | 'x' | 'y' | 'text'>> = {},
): Text {
  return { kind: 'text', x, y, text: words, size, ...rest };
}

/** Draws text wrapped to a width. Also returns its height. */
export function paragraph(
  { x, y, width }: Pick<Rectangle, 'x' | 'y' | 'width'>,
  words: string,
  options: Partial<Omit<Text, 'kind' | 'x' | 'y' | 'text'>> = {},
): { shapes: Text[]; height: number } {
  const size = options.size ?? SIZE.small;
  const lines = wrap(words, width, size, options.bold);
  return {
    shapes: lines.map((line, at) => text(x, y + size + at * size * LINE, line, options)),
    height: lines.length * size * LINE,
  };
}

/** Returns an arrow head at `to`, coming from `from`, as an SVG path. */
export function headPath([fromX, fromY]: Point, [toX, toY]: Point): string {
  const angle = Math.atan2(toY - fromY, toX - fromX);
  const corner = (turn: number) => {
    const x = toX - 7.5 * Math.cos(angle + turn);
    const y = toY - 7.5 * Math.sin(angle + turn);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  return `M${toX} ${toY}L${corner(0.5)}L${corner(-0.5)}Z`;
}
