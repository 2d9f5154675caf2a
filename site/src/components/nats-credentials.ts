/**
 * The element `<nats-credentials>`: region and project → NATS accounts → credentials → generate or revoke. With
 * `data-one` it is about the one account that the address names. Owns the order of things and what is read; what is
 * changed is nats-actions.ts's, how lists look account-list.ts's and nats-credentials-list.ts's.
 */
import { Latest } from '../lib/answers.ts';
import { type NatsAccount, type NatsCredentials, natsAccounts, natsCredentials } from '../lib/api.ts';
import { openPlace } from '../lib/open-place.ts';
import { choose, currentPlace, PLACE_CHANGED } from '../lib/place.ts';
import { type ChosenPlace, followPlace, regionLabel, wirePlaceFields } from '../lib/place-fields.ts';
import { sentence } from '../lib/problems.ts';
import { type Facts, tickSteps } from '../lib/steps.ts';
import { AccountList } from './account-list.ts';
import type { CodeSamples } from './code-samples.ts';
import { NatsCredentialsList, type Revoked } from './nats-credentials-list.ts';
import type { Unconfirmed } from './unconfirmed.ts';

type Actions = typeof import('./nats-actions.ts');

class NatsCredentialsForm extends HTMLElement {
  #place: ChosenPlace | undefined;
  #account: NatsAccount | undefined;
  #facts: Facts = { regionTold: false };
  #accounts = new AccountList(this);
  #credentials = new NatsCredentialsList(this, (credentials) =>
    this.#act((actions) => this.#revoke(actions, credentials)),
  );
  /** Absent until there is a revocation that some server has yet to confirm. */
  #unconfirmed: Unconfirmed<Revoked> | undefined;
  #accountsAsked = new Latest();
  #credentialsAsked = new Latest();

  connectedCallback(): void {
    wirePlaceFields(this);
    this.#accounts.wire({
      retry: () => this.#start(),
      more: (page) => this.#loadAccounts(page),
      create: () => this.#act((actions) => this.#createAccount(actions)),
      remove: (account) => this.#act((actions) => this.#deleteAccount(actions, account)),
      choose: (account) => this.#chooseAccount(account),
    });
    this.#credentials.wire({
      retry: () => this.#loadCredentials(),
      more: (page) => this.#loadCredentials(page),
      generate: () => this.#act((actions) => this.#generate(actions)),
    });
    document.addEventListener(PLACE_CHANGED, () => this.#follow());
    void customElements.whenDefined('code-samples').then(() => this.#updateSamples());
    this.#follow();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#account = undefined;
    this.#accounts.show('loading');
    this.#credentials.show('unchosen');
    const opened = await openPlace(this);
    if (opened.ok) {
      this.#place = opened.place;
      return this.#loadAccounts();
    }
    this.#accounts.fail(opened.problem);
    if (opened.problem.kind === 'signed-out') this.#credentials.show('signed-out');
  }

  #follow(): void {
    const before = this.#place;
    const place = followPlace(this);
    this.#accounts.nameRegion(regionLabel(place.region));
    this.#updateSamples();
    if (!before || (before.region === place.region && before.project === place.project)) return;
    this.#place = place;
    void this.#loadAccounts();
  }

  async #loadAccounts(page = 1): Promise<void> {
    const place = this.#place;
    if (!place) return;
    if (page === 1) this.#forgetAccount();
    if (this.#one) return this.#loadOne(place.region);
    const query = { project_id: place.project, page: `${page}`, page_size: '50' };
    const result = await this.#accountsAsked.ask((init) =>
      natsAccounts.$get({ param: { region: place.region }, query }, { init }),
    );
    if (!result.ok) return this.#accounts.fail(result.problem);
    const { nats_accounts: accounts, total_count: total } = result.body;
    this.#learn({ regionTold: true });
    this.#accounts.render(accounts, total, page);
    if (page > 1) return;
    const wanted =
      accounts.find(({ id }) => id === currentPlace().account) ?? (total === 1 ? accounts[0] : undefined);
    if (wanted) this.#accounts.select(wanted);
  }

  /** Turns to the one account that the address names. */
  async #loadOne(region: string): Promise<void> {
    const id = currentPlace().account;
    if (!id) return this.#accounts.show('empty');
    const param = { region, nats_account_id: id };
    const result = await this.#accountsAsked.ask((init) =>
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
    this.#unconfirmed?.follow(undefined);
    this.#facts = { regionTold: false };
    this.#learn({});
    this.#accounts.show('loading');
    this.#credentials.show('unchosen');
  }

  async #chooseAccount(account: NatsAccount): Promise<void> {
    this.#account = account;
    if (this.#unconfirmed || account.enforcement.state === 'pending') {
      void this.#watch((unconfirmed) => account === this.#account && unconfirmed.follow(account));
    }
    this.#facts = { regionTold: true };
    this.#learn({});
    this.#place = { region: account.region, project: account.project_id };
    choose({ ...this.#place, account: account.id });
    await this.#loadCredentials();
  }

  async #loadCredentials(page = 1): Promise<void> {
    const account = this.#account;
    if (!account) return;
    if (page === 1) this.#credentials.show('loading');
    const query = {
      nats_account_id: account.id,
      order_by: 'created_at_desc',
      page: `${page}`,
      page_size: '50',
    } as const;
    const result = await this.#credentialsAsked.ask((init) =>
      natsCredentials.$get({ param: { region: account.region }, query }, { init }),
    );
    // No longer the chosen one.
    if (account !== this.#account) return;
    if (!result.ok) return this.#credentials.fail(result.problem);
    this.#credentials.render(result.body.nats_credentials, result.body.total_count, page);
    this.#learn({ listed: this.#credentials.ids });
  }

  async #createAccount({ createAccount }: Actions): Promise<void> {
    const created = this.#place && (await createAccount(this, this.#place));
    if (!created) return;
    choose({ account: created.id });
    await this.#loadAccounts();
    // Not listed: the list failed, or it is on a page further on.
    if (!this.#accounts.focus()) this.#accounts.announce(`Created ${created.name}.`);
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
    this.#learn({ issued: issued.id });
    const reload = this.#loadCredentials();
    await showSecret(this, issued, account);
    await reload;
    this.#credentials.announceNew(`Generated ${issued.name}.`, issued.id);
  }

  async #revoke({ revoke }: Actions, credentials: NatsCredentials): Promise<void> {
    const account = this.#account;
    const revoked = account && (await revoke(this, credentials, account));
    if (!revoked) return;
    const { standing } = revoked;
    this.#learn({ revoked: { id: credentials.id, pending: standing !== undefined } });
    if (standing) {
      await this.#watch((unconfirmed) => {
        unconfirmed.follow(this.#account);
        unconfirmed.add(account, { credentials, standing });
      });
    }
    await this.#loadCredentials();
    this.#credentials.announce(revoked.notice);
  }

  /** Loads what watches over revocations, for the few accounts that have one pending. */
  async #watch(act: (unconfirmed: Unconfirmed<Revoked>) => unknown): Promise<void> {
    const code = await import('./unconfirmed.ts').catch(() => undefined);
    if (!code) return;
    this.#unconfirmed ??= new code.Unconfirmed<Revoked>(
      (revoked, pending) => this.#credentials.renderPending(revoked, pending),
      (revoked) => this.#settle(revoked),
    );
    act(this.#unconfirmed);
  }

  /** Takes note that every server has confirmed these revocations. */
  #settle(revoked: readonly Revoked[]): void {
    if (revoked.length === 0) return;
    const last = this.#facts.revoked;
    if (last) this.#learn({ revoked: { ...last, pending: false } });
    const names = revoked.map(({ credentials }) => credentials.name).join(', ');
    this.#credentials.say(`Every server has confirmed the revocation of ${names}.`);
  }

  async #act(action: (actions: Actions) => Promise<void>): Promise<void> {
    const actions = await import('./nats-actions.ts').catch(() => undefined);
    if (actions) await action(actions);
    else this.#credentials.announce(sentence({ kind: 'unreachable' }));
  }

  #learn(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts };
    tickSteps(this, this.#facts);
    this.#updateSamples();
  }

  #updateSamples(name?: string): void {
    const { region, project } = followPlace(this);
    const values = { region, project, account: this.#account?.id ?? '', ...(name !== undefined && { name }) };
    for (const samples of this.querySelectorAll<CodeSamples>('code-samples')) samples.update?.(values);
  }
}

customElements.define('nats-credentials', NatsCredentialsForm);
