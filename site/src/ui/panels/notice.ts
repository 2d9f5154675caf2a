/** Notices about outcomes, shown in status.astro. */
import { find } from '../dom.ts';

/** The kind of an outcome. `pending` is done, but not confirmed everywhere; `info` is not an outcome. */
export type Kind = 'success' | 'pending' | 'failure' | 'info';

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

/** For scripts that fail to load. Browsers request them again only after a reload. */
export const UNLOADED = failure('A part of this page could not be loaded. Reload the page.');

/** Shows a notice in the first status.astro under `root`, or clears it. Failures interrupt screen readers. */
export function say(root: ParentNode, notice?: Notice): void {
  const status = find(root, '.status', HTMLElement);
  status.dataset.kind = notice?.kind ?? '';
  const role = notice?.kind === 'failure' ? 'alert' : 'status';
  for (const line of status.children) line.textContent = line.role === role ? (notice?.text ?? '') : '';
}
