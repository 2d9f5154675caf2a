/** Draws bar charts in the browser. Colors are in the style sheet, so that a chart follows the theme. */

/** A bar with one value for each series, stacked from the bottom. */
export interface Bar {
  /** Shown when the pointer is on the bar. */
  label: string;
  values: readonly number[];
}

const HEIGHT = 100;
/** The smallest height of a value above zero, to keep it visible. */
const LEAST = 2;
/** The part of a bar's width that is filled. */
const FILL = 0.72;

/**
 * Returns a chart that fills the box around it, and the value at its top. `series` are the class names of the values, and
 * `description` is the text that screen readers read.
 */
export function barChart(
  bars: readonly Bar[],
  series: readonly string[],
  description: string,
): { svg: SVGSVGElement; top: number } {
  const sums = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const top = roundUp(Math.max(...sums));
  const svg = element('svg', {
    viewBox: `0 0 ${bars.length} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': description,
  });
  svg.append(...bars.map((bar, at) => drawBar(bar, at, series, top)));
  return { svg, top };
}

function drawBar({ label, values }: Bar, at: number, series: readonly string[], top: number): SVGElement {
  const group = element('g');
  const title = element('title');
  title.textContent = label;
  // Receives the pointer above the bar, too.
  group.append(title, element('rect', { class: 'area', x: at, y: 0, width: 1, height: HEIGHT }));
  let y = HEIGHT;
  values.forEach((value, index) => {
    if (value === 0) return;
    const height = Math.max(LEAST, (value / top) * HEIGHT);
    y -= height;
    group.append(
      element('rect', { class: series[index] ?? '', x: at + (1 - FILL) / 2, y, width: FILL, height }),
    );
  });
  return group;
}

/** Returns the next number of 1, 2 or 5 and zeros. */
function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10);
}

function element<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number> = {},
): SVGElementTagNameMap[Tag] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, `${value}`);
  return node;
}
