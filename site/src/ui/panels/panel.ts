/** A panel: a part of a page that shows data, or why there is none. Its owner sends the requests. */

import { type Problem, sentence } from '../../api/errors.ts';
import { SESSION_CHANGED, SIGN_IN_SHOWN, signInLink } from '../../api/session.ts';
import { copyOf, fill, find, show } from '../dom.ts';
import { type Notice, say, UNLOADED } from './notice.ts';

export type State =
  | 'loading'
  | 'signed-out'
  | 'unchosen'
  | 'problem'
  | 'gone'
  | 'inactive'
  | 'empty'
  /** There is data, but a filter leaves it out. */
  | 'unmatched'
  | 'ready';

/** An item of a list. Items with equal `look` are rendered equally. */
export interface Item {
  id: string;
  look: unknown;
  render: () => HTMLElement;
}

/** An element with `data-panel` and the states of panel-states.astro. */
export class Panel {
  readonly #owner: ParentNode;
  readonly #name: string;
  #page = 1;
  #state: State = 'loading';
  /** Incremented whenever something is shown, to drop rows that arrive late. */
  #turn = 0;

  constructor(owner: ParentNode, name: string) {
    this.#owner = owner;
    this.#name = name;
  }

  protected get root(): HTMLElement {
    return find(this.#owner, `[data-panel="${this.#name}"]`, HTMLElement);
  }

  show(state: State): void {
    const { root } = this;
    this.#turn++;
    this.#state = state;
    show(root, state);
    if (state === 'loading' || state === 'unchosen') {
      this.#page = 1;
      // The status described the old data.
      this.say();
    }
    // Keep the focus in the panel if the focused element is hidden now.
    const focused = document.activeElement;
    if (root.contains(focused) && focused?.closest('[hidden]')) this.heading?.focus();
    if (state !== 'signed-out') return;
    const step = root.closest('[data-step]')?.id;
    find(root, '[data-sign-in]', HTMLAnchorElement).href = signInLink(step);
    root.dispatchEvent(new Event(SIGN_IN_SHOWN, { bubbles: true }));
  }

  /** Shows that data is loading, unless there is data to show until then. */
  await(): void {
    if (!this.shown) this.show('loading');
  }

  /** Returns whether data is shown, or that there is none. */
  get shown(): boolean {
    return ['ready', 'empty', 'unmatched', 'inactive'].includes(this.#state);
  }

  get state(): State {
    return this.#state;
  }

  /** The number of pages shown. */
  get pages(): number {
    return this.#page;
  }

  /**
   * Shows a problem instead of the data. Ignores requests that a newer one replaced. `quiet` is for reloads that the reader
   * did not ask for: the old data stays, unless the reader has lost access to it.
   */
  fail(problem: Problem, quiet = false): void {
    const { kind } = problem;
    if (kind === 'superseded' || (quiet && this.shown && !/signed-out|denied|gone/.test(kind))) return;
    fill(this.root, { problem: sentence(problem, 'list') });
    this.show(kind === 'signed-out' ? kind : 'problem');
  }

  nameRegion(region: string): void {
    fill(this.root, { region });
  }

  /** Shows a notice, or clears it. Does not move the focus. */
  say(notice?: Notice): void {
    say(this.root, notice);
  }

  /** Shows a notice. Moves the focus to the panel's heading if nothing has the focus. */
  announce(notice: Notice): void {
    this.say(notice);
    if (document.activeElement === document.body) this.heading?.focus();
  }

  protected get heading(): HTMLElement | null {
    return this.root.querySelector('[tabindex="-1"]');
  }

  /** Calls `react` with the button on clicks on the buttons of an action. */
  protected on(action: string, react: (button: HTMLElement) => unknown): void {
    for (const button of this.root.querySelectorAll<HTMLElement>(`[data-action="${action}"]`)) {
      button.addEventListener('click', () => void react(button));
    }
  }

  /** Like {@link on}, for buttons that load the next page. Ignores clicks while a page loads. */
  protected onMore(action: string, react: (page: number) => unknown): void {
    let asking = false;
    this.on(action, async () => {
      if (asking) return;
      asking = true;
      await react(this.#page + 1);
      asking = false;
    });
  }

  /**
   * Shows the pages `first` to `last` of a list: the next page, or all from the first. Items that look the same keep their
   * element and the focus. Offers the next page if there are more items, of `total`.
   */
  protected async showPages(
    name: string,
    items: Item[],
    total: number,
    last: number,
    first = last,
  ): Promise<void> {
    const turn = ++this.#turn;
    const code = await import('./rows.ts').catch(() => undefined);
    if (!code) return this.fail({ kind: 'refused', message: UNLOADED.text });
    const kept = this.shown ? await import('./reloaded-rows.ts').catch(() => undefined) : undefined;
    if (turn !== this.#turn) return;
    const { filled, focus } = code.putRows(this.root, name, items, { total, first }, kept?.settle);
    this.#page = last;
    this.show(filled ? 'ready' : 'empty');
    if (focus?.() === false) this.heading?.focus();
  }

  protected copy(name: string): HTMLElement {
    return copyOf(find(this.root, `[data-template="${name}"]`, HTMLTemplateElement));
  }
}

/** Dispatched on `<access-key-credentials>` when its `productState` changes. */
export const PRODUCT_STATE_CHANGED = 'latchkey:product-state';

const STALE = 'latchkey:stale';

/** Makes the lists of this page reload. */
export function markStale(): void {
  document.dispatchEvent(new Event(STALE));
}

/**
 * How a panel loads its data: `start` from the beginning, and `again` after `open` has checked that the reader still has
 * access.
 */
export interface Reading {
  start: () => unknown;
  open: () => Promise<{ ok: true } | { ok: false; problem: Problem }>;
  again: () => unknown;
}

/**
 * Reloads a panel when its data may be out of date: when the reader returns to the tab, when the session changes, or after
 * {@link markStale}. Waits until dialogs and menus are closed.
 */
export function onStale(panel: Panel, reading: Reading): void {
  const react = () =>
    import('./reloaded-rows.ts').then(
      (code) => void (document.hidden || code.refresh(panel, reading)),
      () => undefined,
    );
  for (const event of [STALE, SESSION_CHANGED, 'visibilitychange']) document.addEventListener(event, react);
}
