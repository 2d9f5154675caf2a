/** The list of credentials in credentials-panel.astro. CredentialsElement sends the requests. */
import { fill, find } from '../ui/dom.ts';
import { Panel, type State } from '../ui/panels/panel.ts';
import { showTime } from '../ui/time.ts';

/** The members of credentials that the list shows, for all products. */
export interface Listed {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  expires_at?: string | null;
  access_key?: string;
}

export class CredentialsPanel<C extends Listed> extends Panel {
  readonly #access: (credentials: C) => string;
  readonly #equip: (row: HTMLElement, credentials: C) => void;
  #ids = new Set<string>();

  /** `access` returns the access level, and `equip` adds actions to a row. */
  constructor(
    owner: ParentNode,
    access: (credentials: C) => string,
    equip: (row: HTMLElement, credentials: C) => void,
  ) {
    super(owner, 'credentials');
    this.#access = access;
    this.#equip = equip;
  }

  /** The ids of the credentials in the list. */
  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  bind(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    generate: (button: HTMLElement) => unknown;
  }): void {
    this.on('retry', reactions.retry);
    this.on('generate', reactions.generate);
    this.onMore('more-credentials', reactions.more);
  }

  /** Handles the buttons that activate and deactivate the product. */
  bindProduct(reactions: {
    activate: (button: HTMLElement) => unknown;
    deactivate: (button: HTMLElement) => unknown;
  }): void {
    this.on('activate', reactions.activate);
    this.on('deactivate', reactions.deactivate);
  }

  override show(state: State): void {
    super.show(state);
    // While the list loads, keep the button as it is: it may have the focus.
    if (state === 'loading') return;
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="generate"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows the pages `first` to `last`. */
  render(credentials: C[], total: number, last: number, first: number): Promise<void> {
    if (first === 1) this.#ids = new Set();
    for (const { id } of credentials) this.#ids.add(id);
    const items = credentials.map((entry) => ({ id: entry.id, look: entry, render: () => this.#row(entry) }));
    return this.showPages('credentials', items, total, last, first);
  }

  #row(credentials: C): HTMLElement {
    const row = this.rowOf(credentials, this.#access(credentials));
    this.#equip(row, credentials);
    return row;
  }

  /** Returns the row of credentials, without actions. */
  rowOf(credentials: Listed, access: string): HTMLElement {
    const { id, name, access_key = '', created_at, last_used_at, expires_at } = credentials;
    const row = this.copy('credentials');
    row.dataset.id = id;
    fill(row, { name, access, access_key });
    const time = (which: string) => find(row, `[data-time="${which}"]`, HTMLTimeElement);
    showTime(time('created'), created_at);
    if (last_used_at) showTime(time('used'), last_used_at);
    else time('used').replaceWith('never');
    if (expires_at) {
      const past = Date.parse(expires_at) < Date.now();
      fill(row, { expires: past ? 'Expired' : 'Expires' });
      showTime(time('expires'), expires_at);
    } else find(row, '.expires', HTMLElement).remove();
    return row;
  }
}
