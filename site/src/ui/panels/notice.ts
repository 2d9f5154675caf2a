/** What a part of a page says has happened, and how it went: status.astro shows it in the tone of its kind. */
import { find } from '../dom.ts';

/** How something went. `pending` has been done, but not confirmed everywhere; `info` is no outcome. */
export type Kind = 'success' | 'pending' | 'failure' | 'info';

/** See the file's description. */
export interface Notice {
  kind: Kind;
  text: string;
}

const of =
  (kind: Kind) =>
  (text: string): Notice => ({ kind, text });

export const success = of('success');
export const pending = of('pending');
export const failure = of('failure');
export const info = of('info');

/** What to say when a script that is loaded on demand could not be loaded. Browsers try again on a reload only. */
export const UNLOADED = failure('A part of this page could not be loaded. Reload the page.');

/** Shows a notice in the first status.astro under `root`; without one, clears it. A failure interrupts a screen reader. */
export function say(root: ParentNode, notice?: Notice): void {
  const status = find(root, '.status', HTMLElement);
  status.dataset.kind = notice?.kind ?? '';
  const role = notice?.kind === 'failure' ? 'alert' : 'status';
  for (const line of status.children) line.textContent = line.role === role ? (notice?.text ?? '') : '';
}
