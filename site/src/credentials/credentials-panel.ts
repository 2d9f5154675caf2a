/** The list of sets of credentials. It shows what it is given and reports what the reader does; requests are its owner's. */
import { fill, find, showTime } from '../ui/dom.ts';
import { info, success } from '../ui/panels/notice.ts';
import { Panel, type State } from '../ui/panels/panel.ts';

/** What the list reads of credentials, whatever their product. */
export interface Listed {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  expires_at?: string | null;
  access_key?: string;
}

/** Sets of credentials (credentials-panel.astro): those of a NATS account, or of a product in a project. */
export class CredentialsPanel<C extends Listed> extends Panel {
  readonly #access: (credentials: C) => string;
  readonly #equip: (row: HTMLElement, credentials: C) => void;
  #ids = new Set<string>();

  /** `access` names the access level; `equip` gives a row its actions. */
  constructor(
    owner: ParentNode,
    access: (credentials: C) => string,
    equip: (row: HTMLElement, credentials: C) => void,
  ) {
    super(owner, 'credentials');
    this.#access = access;
    this.#equip = equip;
  }

  /** The ids of the credentials shown. */
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

  /** Reacts to the buttons of a product that is activated first: where it is not, and where it is. */
  bindProduct(reactions: {
    activate: (button: HTMLElement) => unknown;
    deactivate: (button: HTMLElement) => unknown;
  }): void {
    this.on('activate', reactions.activate);
    this.on('deactivate', reactions.deactivate);
  }

  override show(state: State): void {
    super.show(state);
    // While the list is read it stays as it was: disabled where it is not known yet, and not taken from under the focus.
    if (state === 'loading') return;
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="generate"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows the pages `first` to `last` of the credentials. */
  render(credentials: C[], total: number, last: number, first: number): Promise<void> {
    if (first === 1) this.#ids = new Set();
    for (const { id } of credentials) this.#ids.add(id);
    const items = credentials.map((entry) => ({ id: entry.id, look: entry, render: () => this.#row(entry) }));
    return this.showPages('credentials', items, total, last, first);
  }

  /** Says that credentials were generated, and points at their row; or that they are gone again. */
  announceNew({ id, name }: Listed): void {
    const gone = this.shown && !this.#ids.has(id);
    this.say(gone ? info(`${name} has been revoked.`) : success(`Generated ${name}.`));
    this.root.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
  }

  #row(credentials: C): HTMLElement {
    const row = this.rowOf(credentials, this.#access(credentials));
    this.#equip(row, credentials);
    return row;
  }

  /** The row of credentials, without actions. */
  protected rowOf(credentials: Listed, access: string): HTMLElement {
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
