/** A part of a page that shows data, or what stands in its place. Shows what it is given; requests are its owner's. */
import { copyOf, fill, find, show } from '../lib/markup.ts';
import { type Problem, sentence } from '../lib/problems.ts';
import { signInLink } from '../lib/session.ts';

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

/** See the file's description: `[data-part]` with the states of unavailable.astro. */
export class Part {
  readonly #owner: ParentNode;
  readonly #name: string;
  #page = 1;

  constructor(owner: ParentNode, name: string) {
    this.#owner = owner;
    this.#name = name;
  }

  protected get root(): HTMLElement {
    return find(this.#owner, `[data-part="${this.#name}"]`, HTMLElement);
  }

  show(state: State): void {
    const { root } = this;
    show(root, state);
    // What was said while data was on its way is not about what was there before.
    if (state === 'loading' || state === 'unchosen') this.say('');
    // The focus is not lost with what it was on.
    const focused = document.activeElement;
    if (root.contains(focused) && focused?.closest('[hidden]')) this.#heading?.focus();
    if (state !== 'signed-out') return;
    const step = root.closest('[data-step]')?.id;
    find(root, '[data-sign-in]', HTMLAnchorElement).href = signInLink(step);
    void import('../lib/guest-offer.ts').then(
      ({ offer }) => offer(root),
      () => undefined,
    );
  }

  /** Shows a problem in place of the data; one that a later request has overtaken is no news. */
  fail(problem: Problem): void {
    if (problem.kind === 'superseded') return;
    fill(this.root, { problem: sentence(problem) });
    this.show(problem.kind === 'signed-out' ? 'signed-out' : 'problem');
  }

  /** Says of which region the data is. */
  nameRegion(region: string): void {
    fill(this.root, { region });
  }

  /** Says what has happened, without taking the focus from where it is. */
  say(text: string): void {
    find(this.root, '[role="status"]', HTMLElement).textContent = text;
  }

  /** Says what has happened, and leads the focus to the part's heading. */
  announce(text: string): void {
    this.say(text);
    this.#heading?.focus();
  }

  get #heading(): HTMLElement | null {
    return this.root.querySelector('[tabindex="-1"]');
  }

  protected on(action: string, react: () => unknown): void {
    for (const button of this.root.querySelectorAll(`[data-action="${action}"]`)) {
      button.addEventListener('click', () => void react());
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

  /** Puts a page of items into a list, and offers the next one when there are more. Returns how many there are now. */
  protected put(name: string, items: HTMLElement[], total: number, page: number): void {
    const list = find(this.root, `[data-list="${name}"]`, HTMLElement);
    if (page === 1) list.replaceChildren();
    list.append(...items);
    this.#page = page;
    const more = find(this.root, `[data-action="more-${name}"]`, HTMLElement);
    const [first] = items;
    const pressed = document.activeElement === more;
    more.hidden = list.childElementCount >= total;
    if (first && pressed && more.hidden) {
      // The focus leads on from the button to what it has brought.
      first.tabIndex = -1;
      first.focus();
    }
    this.show(list.childElementCount > 0 ? 'ready' : 'empty');
  }

  protected copy(name: string): HTMLElement {
    return copyOf(find(this.root, `[data-template="${name}"]`, HTMLTemplateElement));
  }
}
