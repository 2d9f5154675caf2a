/**
 * What a list needs when it is read again: it keeps the rows that look the same, and the reader's place among them. Loaded
 * then; a page that is only read does without it.
 */

import type { PageQuery, Result, Slice } from '../../api/request.ts';
import { currentSession, doubtSession, SESSION_CHANGED } from '../../api/session.ts';
import { showTime } from '../dom.ts';
import type { Item, Panel, Reading } from './panel.ts';
import { looks, rendered } from './rows.ts';

/**
 * Brings a list in line with the items: with all of them when `whole`, or with these at its end. The result, called once
 * the list is shown, puts the focus back where it was in the list, or beside it; false when nothing is left there. From
 * `more`, the button of the next page, it goes on to what that has brought when there are no more pages.
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
  // The rows that stay are older than they were.
  for (const time of list.querySelectorAll<HTMLTimeElement>('time[datetime]')) showTime(time, time.dateTime);
}

/** Remembers where in a list the focus is; undefined when it is elsewhere. */
function focusIn(list: HTMLElement): (() => boolean) | undefined {
  const { activeElement: focused } = document;
  const row = focused?.closest<HTMLElement>('[data-id]');
  if (!focused || !row || row.parentElement !== list) return undefined;
  const at = [...list.children].indexOf(row);
  return () => {
    if (list.contains(document.activeElement)) return true;
    const same = list.querySelector(selectorOf(row.dataset.id));
    const target = same ?? list.children[Math.min(at, list.childElementCount - 1)];
    const control = target?.querySelector<HTMLElement>(focused.localName);
    control?.focus();
    return Boolean(control);
  };
}

/** Has a part read again what it shows, or begin from the start where that failed. See `onStale` of panel.ts. */
export async function refresh(panel: Panel, reading: Reading): Promise<void> {
  const open = document.querySelector('dialog[open], .menu:popover-open');
  if (open) {
    // The row that it belongs to stays until it closes.
    const type = open instanceof HTMLDialogElement ? 'close' : 'toggle';
    open.addEventListener(type, () => void refresh(panel, reading), { once: true });
    return;
  }
  if (panel.state === 'problem') return void reading.start();
  const signedOut = panel.state === 'signed-out';
  if (!panel.shown && !signedOut) return;
  // Somebody may have signed in, in another tab.
  const known = await currentSession();
  const nobody = known.ok && !known.body;
  if (nobody) doubtSession();
  const opened = await reading.open();
  if (nobody && opened.ok) document.dispatchEvent(new Event(SESSION_CHANGED));
  if (signedOut) return void (opened.ok && reading.start());
  if (opened.ok) await reading.again();
  else panel.fail(opened.problem, true);
}

/** Reads the first `last` pages of a list anew. The API gives two of them at once. */
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
