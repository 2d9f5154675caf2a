/** The element `<console-nats-accounts>`: lists the NATS accounts of the place, and creates one. */

import { type NatsAccount, natsAccounts } from '../../api/api.ts';
import { LatestRequest, type PageQuery, sliceOf } from '../../api/request.ts';
import { busyWhile, fill, find, showTime } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { onStale, Panel, type State } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { loadProject } from '../../workspace/load-project.ts';
import {
  bindProjectRegionFields,
  followSelection,
  type ProjectRegion,
} from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { accountPage, SELECTION_CHANGED } from '../../workspace/selection.ts';

class AccountTable extends Panel {
  constructor(owner: ParentNode) {
    super(owner, 'accounts');
  }

  bind(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    create: (button: HTMLElement) => unknown;
  }): void {
    this.on('retry', reactions.retry);
    this.on('create-account', reactions.create);
    this.onMore('more-accounts', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="create-account"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows the pages `first` to `last` of the accounts. */
  render(accounts: NatsAccount[], total: number, last: number, first: number): Promise<void> {
    const items = accounts.map((account) => {
      const { id, name } = account;
      return { id, look: name, render: () => this.#row(account) };
    });
    return this.showPages('accounts', items, total, last, first);
  }

  #row({ id, name, region, created_at }: NatsAccount): HTMLElement {
    const row = this.copy('account');
    fill(row, { name, short: `${id.slice(0, 5)}…${id.slice(-4)}` });
    find(row, 'a', HTMLAnchorElement).href = accountPage(region, id);
    showTime(find(row, 'time', HTMLTimeElement), created_at);
    return row;
  }
}

class ConsoleNatsAccounts extends HTMLElement {
  #list = new AccountTable(this);
  #latest = new LatestRequest();
  #selection: ProjectRegion | undefined;

  connectedCallback(): void {
    bindProjectRegionFields(this);
    this.#list.bind({
      retry: () => this.#start(),
      more: (page) => this.#load(page),
      create: (button) => this.#create(button),
    });
    document.addEventListener(SELECTION_CHANGED, () => this.#follow());
    onStale(this.#list, {
      start: () => this.#start(),
      open: () => loadProject(this),
      again: () => this.#load(undefined, true),
    });
    this.#follow();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#list.show('loading');
    const opened = await loadProject(this);
    if (!opened.ok) return this.#list.fail(opened.problem);
    this.#selection = opened.selection;
    await this.#load();
  }

  #follow(): void {
    const before = this.#selection;
    const selection = followSelection(this);
    this.#list.nameRegion(regionLabel(selection.region));
    if (!before || (before.region === selection.region && before.project === selection.project)) return;
    this.#selection = selection;
    this.#list.show('loading');
    void this.#load();
  }

  /** Lists the next page; without one, all pages that are shown. */
  async #load(next?: number, quiet = false): Promise<void> {
    const { region, project: project_id } = this.#selection ?? {};
    if (!region || !project_id) return;
    const [first, last] = next ? [next, next] : [1, this.#list.pages];
    const read = (init: RequestInit, page: PageQuery) =>
      sliceOf(
        () => natsAccounts.$get({ param: { region }, query: { project_id, ...page } }, { init }),
        (body) => body.nats_accounts,
      );
    const result = await this.#latest.run((init) => readPages(first, last, (page) => read(init, page)));
    if (!result) return;
    if (!result.ok) return this.#list.fail(result.problem, quiet);
    await this.#list.render(result.body.items, result.body.total, last, first);
  }

  async #create(button: HTMLElement): Promise<void> {
    const actions = await busyWhile(
      button,
      import('../../credentials/nats/nats-credentials.actions.ts').catch(() => undefined),
    );
    if (!actions) return this.#list.announce(UNLOADED);
    const created = this.#selection && (await actions.createAccount(this, this.#selection));
    if (created) location.assign(accountPage(created.region, created.id));
  }
}

customElements.define('console-nats-accounts', ConsoleNatsAccounts);
