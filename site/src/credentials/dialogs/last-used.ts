import { fill, find } from '../../ui/dom.ts';
import { showTime } from '../../ui/time.ts';

/** Fills in last-used.astro. `at` is in RFC 3339 format, or null if never; undefined hides the line. */
export function showLastUsed(root: ParentNode, at: string | null | undefined): void {
  const part = find(root, '[data-block="used"]', HTMLElement);
  const time = find(part, 'time', HTMLTimeElement);
  part.hidden = at === undefined;
  time.textContent = '';
  if (at) showTime(time, at);
  fill(part, { unused: at ? '' : 'never' });
}
