/**
 * The element `<nats-credentials>`: the NATS accounts of a project in a region, and the credentials of the chosen account.
 * With `data-one` it shows the account in the page's address only.
 */

import { type NatsAccount, type NatsCredentials, natsAccounts, natsCredentials } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { LatestRequest, type PageQuery, type Slice, sliceOf } from '../../api/request.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { choose, currentSelection } from '../../workspace/selection.ts';
import { CredentialsElement } from '../credentials-element.ts';
import type { ApiFilter } from '../list-query.ts';
import { AccountPicker } from './account-picker.ts';
import { NatsCredentialsPanel } from './nats-credentials-panel.ts';
import type { PendingRevocations } from './pending-revocations.ts';

type Actions = typeof import('./nats-credentials.actions.ts');

/** See nats-credentials.astro. */
export class NatsCredentialsElement extends CredentialsElement<NatsAccount, NatsCredentials, Actions> {
  owner: NatsAccount | undefined;
  readonly panel = new AccountPicker(this);
  readonly credentials = new NatsCredentialsPanel(
    this,
    ({ nats_role_id: role }) => (role === null ? 'Full access' : 'Role'),
    (action, credentials, button) => this.act(button, (actions) => actions.change(this, credentials, action)),
  );
  protected readonly loadActions = () => import('./nats-credentials.actions.ts');
  #accountsRequest = new LatestRequest();
  /** Undefined until a revocation is pending. */
  #pendingRevocations: PendingRevocations | undefined;

  override connectedCallback(): void {
    this.panel.bind({
      retry: () => this.start(),
      more: (page) => this.#listAccounts(page, page),
      create: (button) => this.act(button, (actions) => actions.createAndChooseAccount(this)),
      remove: (account, button) => this.act(button, (actions) => actions.deleteAccount(this, account)),
      choose: (account) => this.#chooseAccount(account),
    });
    this.credentials.bind({
      retry: () => this.loadCredentials(),
      more: (page) => this.loadCredentials(page),
      generate: (button) => this.act(button, (actions) => actions.generate(this)),
    });
    super.connectedCallback();
  }

  protected override showLoading(): void {
    this.owner = undefined;
    this.panel.show('loading');
    this.credentials.show('unchosen');
  }

  override fail(problem: Problem): void {
    this.panel.fail(problem);
    if (problem.kind === 'signed-out') this.credentials.show('signed-out');
  }

  protected async reload(): Promise<void> {
    if (!this.#one) await this.#listAccounts(1, this.panel.pages, true);
    await this.loadCredentials(undefined, true);
  }

  async load(): Promise<void> {
    this.showLoading();
    this.#pendingRevocations?.follow(undefined);
    this.resetProgress(false);
    this.updateSamples();
    if (this.#one) return this.#loadOne();
    const listed = await this.#listAccounts(1, 1);
    if (!listed) return;
    const { items: accounts, total } = listed;
    this.updateProgress({ regionLoaded: true });
    const wanted =
      accounts.find(({ id }) => id === currentSelection().account) ?? (total === 1 ? accounts[0] : undefined);
    if (wanted) this.panel.select(wanted);
  }

  async #listAccounts(first: number, last: number, quiet = false): Promise<Slice<NatsAccount> | undefined> {
    const { region, project: project_id } = this.selection ?? { region: '', project: '' };
    const read = (init: RequestInit, page: PageQuery) =>
      sliceOf(
        () => natsAccounts.$get({ param: { region }, query: { project_id, ...page } }, { init }),
        (body) => body.nats_accounts,
      );
    const result = await this.#accountsRequest.run((init) =>
      readPages(first, last, (page) => read(init, page)),
    );
    if (result?.ok) await this.panel.render(result.body.items, result.body.total, last, first);
    else if (result) this.panel.fail(result.problem, quiet);
    return result?.ok ? result.body : undefined;
  }

  /** Loads the account in the page's address. */
  async #loadOne(): Promise<void> {
    const id = currentSelection().account;
    if (!id) return this.panel.show('empty');
    const param = { region: this.selection?.region ?? '', nats_account_id: id };
    const result = await this.#accountsRequest.fetchResult((init) =>
      natsAccounts[':nats_account_id'].$get({ param }, { init }),
    );
    if (result.ok) {
      this.panel.show('ready');
      this.panel.select(result.body);
    } else if (result.problem.kind === 'gone') this.panel.show('gone');
    else this.panel.fail(result.problem);
  }

  get #one(): boolean {
    return this.dataset.one !== undefined;
  }

  async #chooseAccount(account: NatsAccount): Promise<void> {
    this.owner = account;
    if (this.#pendingRevocations || account.enforcement.state === 'pending') {
      void this.watch((pendingRevocations) => account === this.owner && pendingRevocations.follow(account));
    }
    this.resetProgress(true);
    this.selection = { region: account.region, project: account.project_id };
    choose({ ...this.selection, account: account.id });
    this.credentials.show('loading');
    await this.loadCredentials();
  }

  protected readPage({ id, region }: NatsAccount, page: PageQuery & ApiFilter, init: RequestInit) {
    const query = { nats_account_id: id, order_by: 'created_at_desc', ...page } as const;
    return sliceOf(
      () => natsCredentials.$get({ param: { region }, query }, { init }),
      (body) => body.nats_credentials,
    );
  }

  /** Loads the code for pending revocations, which few accounts have. */
  async watch(act: (pendingRevocations: PendingRevocations) => unknown): Promise<void> {
    const code = await import('./pending-revocations.ts').catch(() => undefined);
    if (!code) return;
    this.#pendingRevocations ??= new code.PendingRevocations(this);
    act(this.#pendingRevocations);
  }

  override updateSamples(choice: Record<string, string> = {}): void {
    super.updateSamples({ account: this.owner?.id ?? '', ...choice });
  }
}

customElements.define('nats-credentials', NatsCredentialsElement);
