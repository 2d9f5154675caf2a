/** Says in a dialog when what is about to be revoked was last used (last-used.astro). */
import { fill, find, showTime } from '../ui/dom.ts';

/** `at` is RFC 3339; null when it never was; undefined when it is not told, which hides the line. */
export function showLastUsed(root: ParentNode, at: string | null | undefined): void {
  const part = find(root, '[data-block="used"]', HTMLElement);
  const time = find(part, 'time', HTMLTimeElement);
  part.hidden = at === undefined;
  time.textContent = '';
  if (at) showTime(time, at);
  fill(part, { unused: at ? '' : 'never' });
}
