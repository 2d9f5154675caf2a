/** The list of credentials in credentials-panel.astro. CredentialsElement sends the requests. */
import { find } from '../ui/dom.ts';
import { UNLOADED } from '../ui/panels/notice.ts';
import { Panel, type State } from '../ui/panels/panel.ts';
import type { Action } from './allowed-actions.ts';

/** The members of credentials that the list shows, for all products. */
export interface Listed {
  id: string;
  name: string;
  region: string;
  status: 'enabled' | 'disabled' | 'expired';
  tags: string[];
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  disabled_at: string | null;
  disabled_reason: string | null;
  revoke_at: string | null;
  /** Null unless a new key is replacing the old one. */
  rotation: object | null;
  access_key?: string;
}

type RowCode = typeof import('./credential-row.lazy.ts');

export class CredentialsPanel<C extends Listed> extends Panel {
  readonly #access: (credentials: C, code: RowCode) => string;
  readonly #run: (action: Action, credentials: C, button: HTMLElement) => unknown;
  readonly #listed = new Map<string, C>();
  /** Whether the list leaves out some credentials. */
  filtered = false;

  /** `access` returns the access level. `run` is called with the button of an action's row. */
  constructor(
    owner: ParentNode,
    access: (credentials: C, code: RowCode) => string,
    run: (action: Action, credentials: C, button: HTMLElement) => unknown,
  ) {
    super(owner, 'credentials');
    this.#access = access;
    this.#run = run;
  }

  /** The credentials in the list, by id. */
  get listed(): ReadonlyMap<string, C> {
    return this.#listed;
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
    const shown = state === 'empty' && this.filtered ? 'unmatched' : state;
    super.show(shown);
    // While the list loads, keep the button as it is: it may have the focus.
    if (shown === 'loading') return;
    const usable = ['empty', 'ready', 'unmatched'].includes(shown);
    find(this.root, '[data-action="generate"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows the pages `first` to `last`. */
  async render(credentials: C[], total: number, last: number, first: number): Promise<void> {
    const code = await import('./credential-row.lazy.ts').catch(() => undefined);
    if (!code) return this.fail({ kind: 'refused', message: UNLOADED.text });
    if (first === 1) this.#listed.clear();
    for (const entry of credentials) this.#listed.set(entry.id, entry);
    const items = credentials.map((entry) => ({
      id: entry.id,
      look: entry,
      render: () => {
        const row = code.fillRow(this.emptyRow(), entry, this.#access(entry, code));
        const run = (action: Action, button: HTMLElement) => this.#run(action, entry, button);
        code.attachActions(row, entry, run, (notice) => this.announce(notice));
        return row;
      },
    }));
    await this.showPages('credentials', items, total, last, first);
    const [entry] = credentials;
    if (entry) code.showUsage(this.root, entry.region);
  }

  emptyRow(): HTMLElement {
    return this.copy('credentials');
  }
}
