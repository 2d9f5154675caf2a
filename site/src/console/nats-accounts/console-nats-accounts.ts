/** The element `<console-nats-accounts>`: lists the NATS accounts of the selected project and region, and creates accounts. */

import { type NatsAccount, natsAccounts } from '../../api/api.ts';
import { LatestRequest, type PageQuery, sliceOf } from '../../api/request.ts';
import { fill, find, loadFor } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Panel, type State } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { showTime } from '../../ui/time.ts';
import { ProjectElement } from '../../workspace/project-element.ts';
import { accountPage } from '../../workspace/selection.ts';

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

  /** Shows the pages `first` to `last`. */
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

class ConsoleNatsAccounts extends ProjectElement {
  readonly panel = new AccountTable(this);
  #latest = new LatestRequest();

  override connectedCallback(): void {
    this.panel.bind({
      retry: () => this.start(),
      more: (page) => this.#list(page),
      create: (button) => this.#create(button),
    });
    super.connectedCallback();
  }

  load(): Promise<void> {
    this.panel.show('loading');
    return this.#list();
  }

  protected reload(): Promise<void> {
    return this.#list(undefined, true);
  }

  /** Lists the given page; without one, all pages that are shown. */
  async #list(next?: number, quiet = false): Promise<void> {
    const { region, project: project_id } = this.selection ?? {};
    if (!region || !project_id) return;
    const [first, last] = next ? [next, next] : [1, this.panel.pages];
    const read = (init: RequestInit, page: PageQuery) =>
      sliceOf(
        () => natsAccounts.$get({ param: { region }, query: { project_id, ...page } }, { init }),
        (body) => body.nats_accounts,
      );
    const result = await this.#latest.run((init) => readPages(first, last, (page) => read(init, page)));
    if (!result) return;
    if (!result.ok) return this.panel.fail(result.problem, quiet);
    await this.panel.render(result.body.items, result.body.total, last, first);
  }

  async #create(button: HTMLElement): Promise<void> {
    const actions = await loadFor(button, import('../../credentials/nats/nats-credentials.actions.ts'));
    if (!actions) return this.panel.announce(UNLOADED);
    const created = this.selection && (await actions.createAccount(this, this.selection));
    if (created) location.assign(accountPage(created.region, created.id));
  }
}

customElements.define('console-nats-accounts', ConsoleNatsAccounts);
