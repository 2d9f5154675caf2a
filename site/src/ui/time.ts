/** Shows a time in a `<time>` element: relative as its text, exact as its title. `iso` is in RFC 3339 format. */
export function showTime(node: HTMLTimeElement, iso: string): void {
  const at = new Date(iso);
  node.dateTime = iso;
  node.title = at.toLocaleString('en', { dateStyle: 'long', timeStyle: 'long' });
  node.textContent = relative(at.getTime() - Date.now());
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function relative(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => Math.abs(milliseconds) >= length) ?? ['second', 0];
  if (size === 0) return 'just now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  return format.format(Math.round(milliseconds / size), unit);
}
