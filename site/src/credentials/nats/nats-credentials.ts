/**
 * The element `<nats-credentials>`: region and project → NATS accounts → credentials → generate or revoke. With
 * `data-one` it is about the one account that the address names. Owns the order of things and what is read; what is
 * changed is nats-credentials.actions.ts's, how lists look account-picker.ts's and nats-credentials-panel.ts's.
 */

import { type NatsAccount, type NatsCredentials, natsAccounts, natsCredentials } from '../../api/api.ts';
import { LatestRequest, type PageQuery, type Slice, sliceOf } from '../../api/request.ts';
import type { CodeSamples } from '../../guide/code-samples.ts';
import { type GuideProgress, tickSteps } from '../../guide/progress.ts';
import { busyWhile } from '../../ui/dom.ts';
import { success, UNLOADED } from '../../ui/panels/notice.ts';
import { onStale } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { loadProject } from '../../workspace/load-project.ts';
import {
  bindProjectRegionFields,
  followSelection,
  type ProjectRegion,
} from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { choose, currentSelection, SELECTION_CHANGED } from '../../workspace/selection.ts';
import { AccountPicker } from './account-picker.ts';
import { NatsCredentialsPanel } from './nats-credentials-panel.ts';
import type { PendingRevocations } from './pending-revocations.ts';

type Actions = typeof import('./nats-credentials.actions.ts');

class NatsCredentialsElement extends HTMLElement {
  #selection: ProjectRegion | undefined;
  #account: NatsAccount | undefined;
  #progress: GuideProgress = { regionLoaded: false };
  #accounts = new AccountPicker(this);
  #credentials = new NatsCredentialsPanel(this, (credentials, button) =>
    this.#act(button, (actions) => this.#revoke(actions, credentials)),
  );
  /** Absent until there is a revocation that some server has yet to confirm. */
  #pendingRevocations: PendingRevocations | undefined;
  #accountsAsked = new LatestRequest();
  #credentialsAsked = new LatestRequest();

  connectedCallback(): void {
    bindProjectRegionFields(this);
    this.#accounts.bind({
      retry: () => this.#start(),
      more: (page) => this.#loadAccounts(page),
      create: (button) => this.#act(button, (actions) => this.#createAccount(actions)),
      remove: (account, button) => this.#act(button, (actions) => this.#deleteAccount(actions, account)),
      choose: (account) => this.#chooseAccount(account),
    });
    this.#credentials.bind({
      retry: () => this.#loadCredentials(),
      more: (page) => this.#loadCredentials(page),
      generate: (button) => this.#act(button, (actions) => this.#generate(actions)),
    });
    document.addEventListener(SELECTION_CHANGED, () => this.#follow());
    onStale(this.#accounts, {
      start: () => this.#start(),
      open: () => loadProject(this),
      again: () => this.#again(),
    });
    void customElements.whenDefined('code-samples').then(() => this.#updateSamples());
    this.#follow();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#account = undefined;
    this.#accounts.show('loading');
    this.#credentials.show('unchosen');
    const opened = await loadProject(this);
    if (opened.ok) {
      this.#selection = opened.selection;
      return this.#loadAccounts();
    }
    this.#accounts.fail(opened.problem);
    if (opened.problem.kind === 'signed-out') this.#credentials.show('signed-out');
  }

  #follow(): void {
    const before = this.#selection;
    const selection = followSelection(this);
    this.#accounts.nameRegion(regionLabel(selection.region));
    this.#updateSamples();
    if (!before || (before.region === selection.region && before.project === selection.project)) return;
    this.#selection = selection;
    void this.#loadAccounts();
  }

  /** Reads again what is shown, and leaves it there until it is known. */
  async #again(): Promise<void> {
    if (!this.#one) await this.#listAccounts(1, this.#accounts.pages, true);
    await this.#loadCredentials(undefined, true);
  }

  async #loadAccounts(page = 1): Promise<void> {
    const selection = this.#selection;
    if (!selection) return;
    if (page === 1) this.#forgetAccount();
    if (this.#one) return this.#loadOne(selection.region);
    const listed = await this.#listAccounts(page, page);
    if (!listed || page > 1) return;
    const { items: accounts, total } = listed;
    this.#updateProgress({ regionLoaded: true });
    const wanted =
      accounts.find(({ id }) => id === currentSelection().account) ?? (total === 1 ? accounts[0] : undefined);
    if (wanted) this.#accounts.select(wanted);
  }

  async #listAccounts(first: number, last: number, quiet = false): Promise<Slice<NatsAccount> | undefined> {
    const { region, project: project_id } = this.#selection ?? { region: '', project: '' };
    const read = (init: RequestInit, page: PageQuery) =>
      sliceOf(
        () => natsAccounts.$get({ param: { region }, query: { project_id, ...page } }, { init }),
        (body) => body.nats_accounts,
      );
    const result = await this.#accountsAsked.run((init) =>
      readPages(first, last, (page) => read(init, page)),
    );
    if (result?.ok) await this.#accounts.render(result.body.items, result.body.total, last, first);
    else if (result) this.#accounts.fail(result.problem, quiet);
    return result?.ok ? result.body : undefined;
  }

  /** Turns to the one account that the address names. */
  async #loadOne(region: string): Promise<void> {
    const id = currentSelection().account;
    if (!id) return this.#accounts.show('empty');
    const param = { region, nats_account_id: id };
    const result = await this.#accountsAsked.fetchResult((init) =>
      natsAccounts[':nats_account_id'].$get({ param }, { init }),
    );
    if (result.ok) {
      this.#accounts.show('ready');
      this.#accounts.select(result.body);
    } else if (result.problem.kind === 'gone') this.#accounts.show('gone');
    else this.#accounts.fail(result.problem);
  }

  get #one(): boolean {
    return this.dataset.one !== undefined;
  }

  #forgetAccount(): void {
    this.#account = undefined;
    this.#pendingRevocations?.follow(undefined);
    this.#progress = { regionLoaded: false };
    this.#updateProgress({});
    this.#accounts.show('loading');
    this.#credentials.show('unchosen');
  }

  async #chooseAccount(account: NatsAccount): Promise<void> {
    this.#account = account;
    if (this.#pendingRevocations || account.enforcement.state === 'pending') {
      void this.#watch(
        (pendingRevocations) => account === this.#account && pendingRevocations.follow(account),
      );
    }
    this.#progress = { regionLoaded: true };
    this.#updateProgress({});
    this.#selection = { region: account.region, project: account.project_id };
    choose({ ...this.#selection, account: account.id });
    this.#credentials.show('loading');
    await this.#loadCredentials();
  }

  /** Lists the next page; without one, all pages that are shown. */
  async #loadCredentials(next?: number, quiet = false): Promise<void> {
    const account = this.#account;
    if (!account) return;
    const [first, last] = next ? [next, next] : [1, this.#credentials.pages];
    this.#credentials.await();
    const read = (init: RequestInit, page: PageQuery) => {
      const query = { nats_account_id: account.id, order_by: 'created_at_desc', ...page } as const;
      return sliceOf(
        () => natsCredentials.$get({ param: { region: account.region }, query }, { init }),
        (body) => body.nats_credentials,
      );
    };
    const result = await this.#credentialsAsked.run((init) =>
      readPages(first, last, (page) => read(init, page)),
    );
    // Overtaken, or no longer the chosen one.
    if (!result || account !== this.#account) return;
    if (!result.ok) return this.#credentials.fail(result.problem, quiet);
    await this.#credentials.render(result.body.items, result.body.total, last, first);
    this.#updateProgress({ listed: this.#credentials.ids });
  }

  async #createAccount({ createAccount }: Actions): Promise<void> {
    const created = this.#selection && (await createAccount(this, this.#selection));
    if (!created) return;
    choose({ account: created.id });
    await this.#loadAccounts();
    // Not listed: the list failed, or it is on a page further on.
    if (!this.#accounts.focus()) this.#accounts.announce(success(`Created ${created.name}.`));
  }

  async #deleteAccount({ deleteAccount }: Actions, account: NatsAccount): Promise<void> {
    const notice = await deleteAccount(this, account);
    if (!notice) return;
    choose({ account: undefined });
    await this.#loadAccounts();
    this.#accounts.announce(notice);
  }

  async #generate({ generate, showSecret }: Actions): Promise<void> {
    const account = this.#account;
    const issued = account && (await generate(this, account, (name) => this.#updateSamples(name)));
    if (!issued) return;
    this.#updateProgress({ issued: issued.id });
    await showSecret(this, issued, account);
    // Only now: they may have been used, or revoked elsewhere, while the secret was on screen.
    await this.#loadCredentials();
    this.#credentials.announceNew(issued);
  }

  async #revoke({ revoke }: Actions, credentials: NatsCredentials): Promise<void> {
    const account = this.#account;
    const revoked = account && (await revoke(this, credentials, account));
    if (!revoked) return;
    const { pendingText } = revoked;
    this.#updateProgress({ revoked: { id: credentials.id, pending: pendingText !== undefined } });
    if (pendingText) {
      await this.#watch((pendingRevocations) => {
        pendingRevocations.follow(this.#account);
        pendingRevocations.add(account, { credentials, pendingText });
      });
    }
    await this.#loadCredentials();
    this.#credentials.announce(revoked.notice);
  }

  /** Loads what watches over revocations, for the few accounts that have one pending. */
  async #watch(act: (pendingRevocations: PendingRevocations) => unknown): Promise<void> {
    const code = await import('./pending-revocations.ts').catch(() => undefined);
    if (!code) return;
    this.#pendingRevocations ??= new code.PendingRevocations(
      (revoked, pending) => this.#credentials.renderPending(revoked, pending),
      (revoked) => {
        const last = this.#progress.revoked;
        if (last && revoked.length > 0) this.#updateProgress({ revoked: { ...last, pending: false } });
        code.sayConfirmed(this.#credentials, revoked);
      },
    );
    act(this.#pendingRevocations);
  }

  async #act(button: HTMLElement, action: (actions: Actions) => Promise<void>): Promise<void> {
    const actions = await busyWhile(
      button,
      import('./nats-credentials.actions.ts').catch(() => undefined),
    );
    if (actions) await action(actions);
    else this.#credentials.announce(UNLOADED);
  }

  #updateProgress(progress: Partial<GuideProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    tickSteps(this, this.#progress);
    this.#updateSamples();
  }

  #updateSamples(name?: string): void {
    const { region, project } = followSelection(this);
    const values = { region, project, account: this.#account?.id ?? '', ...(name !== undefined && { name }) };
    for (const samples of this.querySelectorAll<CodeSamples>('code-samples')) samples.update?.(values);
  }
}

customElements.define('nats-credentials', NatsCredentialsElement);
