/** Renders the items of a list. Loaded for readers who have some. */

import { find } from '../dom.ts';
import type { Item } from './panel.ts';

/** The `look` of rendered items, as JSON. */
export const looks = new WeakMap<Element, string>();

/** Renders an item. */
export function rendered({ id, look, render }: Item): HTMLElement {
  const node = render();
  node.dataset.id = id;
  looks.set(node, JSON.stringify(look));
  return node;
}

type Focus = () => boolean | undefined;

/**
 * Fills the list `name` under `root`, from the start if `first` is 1, or else at its end. Shows how many of `total` there
 * are, and offers the next page. `settle` (reloaded-rows.ts) keeps unchanged rows of a reloaded list; call its result,
 * `focus`, once the list is visible.
 */
export function putRows(
  root: ParentNode,
  name: string,
  items: readonly Item[],
  { total, first }: { total: number; first: number },
  settle?: (list: HTMLElement, items: readonly Item[], whole: boolean, more: HTMLElement) => Focus,
): { filled: boolean; focus: Focus | undefined } {
  const list = find(root, `[data-list="${name}"]`, HTMLElement);
  const more = find(root, `[data-action="more-${name}"]`, HTMLElement);
  const focus = settle?.(list, items, first === 1, more);
  if (!settle) {
    if (first === 1) list.replaceChildren();
    list.append(...items.map(rendered));
  }
  const shown = list.childElementCount;
  more.hidden = shown >= total;
  const count = more.parentElement?.querySelector('[data-count]');
  if (count)
    count.textContent = more.hidden || total === Number.POSITIVE_INFINITY ? '' : `${shown} of ${total}`;
  return { filled: shown > 0, focus };
}
