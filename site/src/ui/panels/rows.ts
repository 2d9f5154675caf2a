/** Puts items into a list of a part. Loaded for readers who have something to see. */

import { find } from '../dom.ts';
import type { Item } from './panel.ts';

/** What the items of lists looked like when they were rendered, as JSON. */
export const looks = new WeakMap<Element, string>();

/** An item as an element of its list. */
export function rendered({ id, look, render }: Item): HTMLElement {
  const node = render();
  node.dataset.id = id;
  looks.set(node, JSON.stringify(look));
  return node;
}

type Focus = () => boolean | undefined;

/**
 * Puts items into the list `name` under `root`: from the beginning when `first` is 1, or at its end. Says how many of `total`
 * there are, and offers the next page. `settle` of reloaded-rows.ts keeps what is there, for a list that is read again; `focus`,
 * called once the list is shown, is its result.
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
