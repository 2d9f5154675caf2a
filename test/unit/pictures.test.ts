/** Pictures have the same words in both arrangements, and their text fits and can be read on a phone. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { credentialLife } from '../../site/src/pictures/credential-life.ts';
import {
  type Arrangement,
  type Box,
  type Picture,
  type Text,
  WIDTHS,
  widthOf,
  wrap,
} from '../../site/src/pictures/drawing.ts';
import { hierarchy } from '../../site/src/pictures/hierarchy.ts';
import { requestFlow } from '../../site/src/pictures/request-flow.ts';
import { revocationPath } from '../../site/src/pictures/revocation-path.ts';
import { rotation } from '../../site/src/pictures/rotation.ts';

const PICTURES = [credentialLife, hierarchy, requestFlow, revocationPath, rotation];
const CASES = PICTURES.flatMap((picture) =>
  (['wide', 'narrow'] as const).map((arrangement) => ({ name: picture.name, arrangement, picture })),
);

const shapesOf = (picture: Picture, arrangement: Arrangement) => picture.draw(arrangement).shapes;
const textsOf = (picture: Picture, arrangement: Arrangement) =>
  shapesOf(picture, arrangement).filter((shape): shape is Text => shape.kind === 'text');
const boxesOf = (picture: Picture, arrangement: Arrangement) =>
  shapesOf(picture, arrangement).filter((shape): shape is Box => shape.kind === 'box');

function extentOf({ text, x, size, bold, anchor = 'start' }: Text): [left: number, right: number] {
  const width = widthOf(text, size, bold);
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return [left, left + width];
}

describe.each(CASES)('$name, $arrangement', ({ picture, arrangement }) => {
  it('keeps its shapes inside the drawing', () => {
    const { width, height } = picture.draw(arrangement);
    expect(width).toBe(WIDTHS[arrangement]);
    for (const box of boxesOf(picture, arrangement)) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
    for (const line of textsOf(picture, arrangement)) {
      const [left, right] = extentOf(line);
      expect([line.text, left >= -1, right <= width + 1]).toEqual([line.text, true, true]);
      expect(line.y).toBeLessThanOrEqual(height);
    }
  });

  it('keeps text inside the boxes in which it begins', () => {
    let inside = 0;
    for (const line of textsOf(picture, arrangement)) {
      const [left, right] = extentOf(line);
      const around = boxesOf(picture, arrangement).filter(
        ({ x, y, width, height }) =>
          left >= x && left < x + width && line.y - line.size / 2 > y && line.y - line.size / 2 < y + height,
      );
      for (const box of around) {
        inside++;
        expect([line.text, right <= box.x + box.width]).toEqual([line.text, true]);
        expect([line.text, line.y + 3 <= box.y + box.height]).toEqual([line.text, true]);
        expect([line.text, line.y - line.size * 0.8 >= box.y]).toEqual([line.text, true]);
      }
    }
    expect(inside).toBeGreaterThan(2);
  });

  it('has no text below 11 pixels', () => {
    for (const line of textsOf(picture, arrangement)) expect(line.size).toBeGreaterThanOrEqual(11);
  });

  it('has no text over other text', () => {
    const lines = textsOf(picture, arrangement).map((line) => ({ ...line, extent: extentOf(line) }));
    for (const [at, one] of lines.entries()) {
      for (const other of lines.slice(at + 1)) {
        const apart = one.extent[1] <= other.extent[0] || other.extent[1] <= one.extent[0];
        const below = Math.abs(one.y - other.y) >= Math.min(one.size, other.size);
        expect([one.text, other.text, apart || below]).toEqual([one.text, other.text, true]);
      }
    }
  });
});

/** The words of the titles in a picture, without numbers. */
const titleWords = (picture: Picture, arrangement: Arrangement) =>
  new Set(
    textsOf(picture, arrangement)
      .filter(({ bold }) => bold)
      .flatMap(({ text }) => text.toLowerCase().match(/[a-z-]+/g) ?? []),
  );

it.each(PICTURES)('the description of $name has every title in the picture', (picture) => {
  const words = titleWords(picture, 'wide');
  expect(words.size).toBeGreaterThan(3);
  const described = new Set(picture.description.toLowerCase().match(/[a-z-]+/g));
  const missing = [...words].filter((word) => ![word, `${word}s`].some((form) => described.has(form)));
  expect(missing).toEqual([]);
});

it.each(PICTURES)('$name has the same titles in both arrangements', (picture) => {
  const [wide, narrow] = [titleWords(picture, 'wide'), titleWords(picture, 'narrow')];
  // On a phone there is no room for “, one address”.
  wide.delete('address');
  expect(narrow).toEqual(wide);
});

it('every picture is on a page', () => {
  const folder = new URL('../../site/src/content/docs/', import.meta.url);
  const pages = globSync('**/*.mdx', { cwd: folder }).map((file) =>
    readFileSync(new URL(file, folder), 'utf8'),
  );
  for (const { name } of PICTURES) {
    const variable = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    expect([name, pages.some((page) => page.includes(`<Picture of={${variable}} />`))]).toEqual([name, true]);
  }
});

it('text is wrapped to a width', () => {
  expect(wrap('one two three', 1000, 12)).toEqual(['one two three']);
  expect(wrap('one two three', 1, 12)).toEqual(['one', 'two', 'three']);
});
