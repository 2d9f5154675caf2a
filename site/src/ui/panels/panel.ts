/** A part of a page that shows data, or what stands in its place. Shows what it is given; requests are its owner's. */

import { type Problem, sentence } from '../../api/errors.ts';
import { SESSION_CHANGED, SIGN_IN_SHOWN, signInLink } from '../../api/session.ts';
import { copyOf, fill, find, show } from '../dom.ts';
import { type Notice, say, UNLOADED } from './notice.ts';

/** What a part of a form shows: data, or what stands in its place. */
export type State =
  | 'loading'
  | 'signed-out'
  | 'unchosen'
  | 'problem'
  | 'gone'
  | 'inactive'
  | 'empty'
  | 'ready';

/** Something in a list: what it looks like depends on `look` alone. */
export interface Item {
  id: string;
  look: unknown;
  render: () => HTMLElement;
}

/** See the file's description: `[data-panel]` with the states of panel-states.astro. */
export class Panel {
  readonly #owner: ParentNode;
  readonly #name: string;
  #page = 1;
  #state: State = 'loading';
  /** Counts what has been shown: rows that were on their way when something else was shown are dropped. */
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
      // What was said while data was on its way is not about what was there before.
      this.say();
    }
    // The focus is not lost with what it was on.
    const focused = document.activeElement;
    if (root.contains(focused) && focused?.closest('[hidden]')) this.heading?.focus();
    if (state !== 'signed-out') return;
    const step = root.closest('[data-step]')?.id;
    find(root, '[data-sign-in]', HTMLAnchorElement).href = signInLink(step);
    root.dispatchEvent(new Event(SIGN_IN_SHOWN, { bubbles: true }));
  }

  /** Says that data is on its way, unless there is some to look at until then. */
  await(): void {
    if (!this.shown) this.show('loading');
  }

  /** Whether there is data to look at, or there is known to be none. */
  get shown(): boolean {
    return ['ready', 'empty', 'inactive'].includes(this.#state);
  }

  /** What it shows. */
  get state(): State {
    return this.#state;
  }

  /** How many pages of the list are shown. */
  get pages(): number {
    return this.#page;
  }

  /**
   * Shows a problem in place of the data; one that a later request has overtaken is no news. `quiet` is for data that was
   * read again unasked: what is shown then stays, unless the reader has lost it.
   */
  fail(problem: Problem, quiet = false): void {
    const { kind } = problem;
    if (kind === 'superseded' || (quiet && this.shown && !/signed-out|denied|gone/.test(kind))) return;
    fill(this.root, { problem: sentence(problem, 'list') });
    this.show(kind === 'signed-out' ? kind : 'problem');
  }

  /** Says of which region the data is. */
  nameRegion(region: string): void {
    fill(this.root, { region });
  }

  /** Says what has happened, without taking the focus from where it is; nothing any more without a notice. */
  say(notice?: Notice): void {
    say(this.root, notice);
  }

  /** Says what has happened. The focus stays where it is, and goes to the part's heading when it is nowhere. */
  announce(notice: Notice): void {
    this.say(notice);
    if (document.activeElement === document.body) this.heading?.focus();
  }

  protected get heading(): HTMLElement | null {
    return this.root.querySelector('[tabindex="-1"]');
  }

  /** Reacts to the buttons of an action, with the one that was pressed. */
  protected on(action: string, react: (button: HTMLElement) => unknown): void {
    for (const button of this.root.querySelectorAll<HTMLElement>(`[data-action="${action}"]`)) {
      button.addEventListener('click', () => void react(button));
    }
  }

  /** As {@link on}, for the page that comes next; one at a time. */
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
   * Puts the pages `first` to `last` into a list: the page that comes next, or all of it from the beginning. What looks the
   * same stays as it is, with the focus. Offers the next page when there are more than these, of `total`.
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

/** The event that `<access-key-credentials>` receives when what it has been told of the product changes. */
export const PRODUCT_STATE_CHANGED = 'latchkey:product-state';

const STALE = 'latchkey:stale';

/** Has the lists of this page read again what they show. */
export function markStale(): void {
  document.dispatchEvent(new Event(STALE));
}

/** How a part reads its data: from the start, and again what it shows after seeing to it that it still may. */
export interface Reading {
  start: () => unknown;
  open: () => Promise<{ ok: true } | { ok: false; problem: Problem }>;
  again: () => unknown;
}

/**
 * Has a part read again what it shows when that may be out of date: the reader returns to the tab, somebody else is at the
 * browser, or {@link markStale}. Not while a dialog or a menu is open, but afterwards.
 */
export function onStale(panel: Panel, reading: Reading): void {
  const react = () =>
    import('./reloaded-rows.ts').then(
      (code) => void (document.hidden || code.refresh(panel, reading)),
      () => undefined,
    );
  for (const event of [STALE, SESSION_CHANGED, 'visibilitychange']) document.addEventListener(event, react);
}
