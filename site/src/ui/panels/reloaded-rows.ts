/** Reloads lists: keeps rows that look the same, and the focus. Loaded on the first reload. */

import type { PageQuery, Result, Slice } from '../../api/request.ts';
import { currentSession, doubtSession, SESSION_CHANGED } from '../../api/session.ts';
import { showTime } from '../time.ts';
import type { Item, Panel, Reading } from './panel.ts';
import { looks, rendered } from './rows.ts';

/**
 * Updates a list to these items if `whole`, or else appends them. Call the result once the list is visible: it restores the
 * focus in the list or next to where it was, and returns false if no row is left. If the focus was on `more`, the button of
 * the next page, and there are no more pages, it focuses the first new item.
 */
export function settle(
  list: HTMLElement,
  items: readonly Item[],
  whole: boolean,
  more: HTMLElement,
): () => boolean | undefined {
  const focus = focusIn(list);
  const pressed = document.activeElement === more;
  merge(list, items, whole);
  return () => {
    const [first] = items;
    const added =
      !whole && pressed && more.hidden ? list.querySelector<HTMLElement>(selectorOf(first?.id)) : null;
    if (!added) return focus?.();
    added.tabIndex = -1;
    added.focus();
    return true;
  };
}

const selectorOf = (id = '') => `[data-id="${CSS.escape(id)}"]`;

function merge(list: HTMLElement, items: readonly Item[], whole: boolean): void {
  const wanted = new Map(items.map((item) => [item.id, item]));
  const kept = new Map<string, Element>();
  for (const node of [...list.children]) {
    const id = (node as HTMLElement).dataset.id ?? '';
    const item = wanted.get(id);
    if (item ? whole && looks.get(node) === JSON.stringify(item.look) : !whole) kept.set(id, node);
    else node.remove();
  }
  let next = whole ? list.firstElementChild : null;
  for (const item of wanted.values()) {
    const node = kept.get(item.id) ?? rendered(item);
    if (node === next) next = next.nextElementSibling;
    else list.insertBefore(node, next);
  }
  // Update the times of rows that stay.
  for (const time of list.querySelectorAll<HTMLTimeElement>('time[datetime]')) showTime(time, time.dateTime);
}

/** Remembers the focused row; undefined if the focus is elsewhere. */
function focusIn(list: HTMLElement): (() => boolean) | undefined {
  const { activeElement: focused } = document;
  const row = focused?.closest<HTMLElement>('[data-id]');
  if (!focused || !row || row.parentElement !== list) return undefined;
  const at = [...list.children].indexOf(row);
  const controlsOf = (one: Element | undefined) => [
    ...(one?.querySelectorAll<HTMLElement>(focused.localName) ?? []),
  ];
  const which = controlsOf(row).indexOf(focused as HTMLElement);
  return () => {
    if (list.contains(document.activeElement)) return true;
    const same = list.querySelector(selectorOf(row.dataset.id));
    const target = same ?? list.children[Math.min(at, list.childElementCount - 1)];
    // The same control of the row, unless the row has fewer now.
    const controls = controlsOf(target);
    const control = controls[which] ?? controls[0];
    control?.focus();
    return Boolean(control);
  };
}

/** Reloads a panel, or starts it again if it shows a problem. See `onStale` of panel.ts. */
export async function refresh(panel: Panel, reading: Reading): Promise<void> {
  const open = document.querySelector('dialog[open], .menu:popover-open');
  if (open) {
    // Wait until it closes, to keep its row.
    const type = open instanceof HTMLDialogElement ? 'close' : 'toggle';
    open.addEventListener(type, () => void refresh(panel, reading), { once: true });
    return;
  }
  if (panel.state === 'problem') return void reading.start();
  const signedOut = panel.state === 'signed-out';
  if (!panel.shown && !signedOut) return;
  // Someone may have signed in in another tab.
  const known = await currentSession();
  const nobody = known.ok && !known.body;
  if (nobody) doubtSession();
  const opened = await reading.open();
  if (nobody && opened.ok) document.dispatchEvent(new Event(SESSION_CHANGED));
  if (signedOut) return void (opened.ok && reading.start());
  if (opened.ok) await reading.again();
  else panel.fail(opened.problem, true);
}

/** Loads the first `last` pages of a list. Each request returns two of them. */
export async function readAll<One>(
  last: number,
  read: (query: PageQuery) => Promise<Result<Slice<One>>>,
): Promise<Result<Slice<One>>> {
  const numbers = Array.from({ length: Math.ceil(last / 2) }, (_, at) => `${at + 1}`);
  const results = await Promise.all(numbers.map((page) => read({ page, page_size: '100' })));
  const failed = results.find(({ ok }) => !ok);
  if (failed) return failed;
  const slices = results.flatMap((result) => (result.ok ? [result.body] : []));
  const items = slices.flatMap((slice) => slice.items).slice(0, last * 50);
  return { ok: true, headers: new Headers(), body: { items, total: slices[0]?.total ?? 0 } };
}
