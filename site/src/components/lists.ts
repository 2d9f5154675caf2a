/**
 * The lists inside the forms: NATS accounts to choose from, and sets of credentials to revoke. They show what they are
 * given and report what the reader does; requests are their owner's.
 */
import type { NatsAccount, NatsCredentials } from '../lib/api.ts';
import { copyOf, fill, find, show, showTime } from '../lib/markup.ts';
import { type Problem, sentence } from '../lib/problems.ts';
import { signInLink } from '../lib/session.ts';

/** What a part of a form shows: data, or what stands in its place. */
export type State = 'loading' | 'signed-out' | 'unchosen' | 'problem' | 'empty' | 'ready';

/** A part of a form that lists something: `[data-part]` with the states of unavailable.astro. */
class Part {
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
    show(this.root, state);
    if (state !== 'signed-out') return;
    const step = this.root.closest('[data-step]')?.id;
    find(this.root, '[data-sign-in]', HTMLAnchorElement).href = signInLink(step);
  }

  /** Shows a problem in place of the data; one that a later request has overtaken is no news. */
  fail(problem: Problem): void {
    if (problem.kind === 'superseded') return;
    fill(this.root, { problem: sentence(problem) });
    this.show(problem.kind === 'signed-out' ? 'signed-out' : 'problem');
  }

  protected on(action: string, react: () => unknown): void {
    for (const button of this.root.querySelectorAll(`[data-action="${action}"]`)) {
      button.addEventListener('click', () => void react());
    }
  }

  protected onMore(action: string, react: (page: number) => unknown): void {
    this.on(action, () => react(this.#page + 1));
  }

  /** Puts a page of items into a list, and offers the next one when there are more. Returns how many there are now. */
  protected put(name: string, items: HTMLElement[], total: number, page: number): void {
    const list = find(this.root, `[data-list="${name}"]`, HTMLElement);
    if (page === 1) list.replaceChildren();
    list.append(...items);
    this.#page = page;
    find(this.root, `[data-action="more-${name}"]`, HTMLElement).hidden = list.childElementCount >= total;
    this.show(list.childElementCount > 0 ? 'ready' : 'empty');
  }

  protected copy(name: string): HTMLElement {
    return copyOf(find(this.root, `[data-template="${name}"]`, HTMLTemplateElement));
  }
}

/** The NATS accounts of a region (nats-accounts.astro). */
export class AccountList extends Part {
  #choose: (account: NatsAccount) => unknown = () => undefined;

  constructor(owner: ParentNode) {
    super(owner, 'accounts');
  }

  wire(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    create: () => unknown;
    choose: (account: NatsAccount) => unknown;
  }): void {
    this.#choose = reactions.choose;
    this.on('retry', reactions.retry);
    this.on('create-account', reactions.create);
    this.onMore('more-accounts', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    if (state !== 'ready') this.#overview.hidden = true;
  }

  /** Says of which region the accounts are. */
  nameRegion(region: string): void {
    fill(this.root, { region });
  }

  /** Shows a page of accounts. */
  render(accounts: NatsAccount[], total: number, page: number): void {
    this.put(
      'accounts',
      accounts.map((account) => this.#choice(account)),
      total,
      page,
    );
  }

  /** Chooses one of the accounts shown, as if the reader had. */
  select(account: NatsAccount): void {
    for (const input of this.root.querySelectorAll('input')) input.checked = input.value === account.id;
    fill(this.#overview, { id: account.id, endpoint: account.endpoint });
    showTime(find(this.#overview, 'time', HTMLTimeElement), account.created_at);
    this.#overview.hidden = false;
    this.#choose(account);
  }

  /** Leads the focus to the chosen account. */
  focus(): void {
    find(this.root, 'input:checked', HTMLInputElement).focus();
  }

  #choice(account: NatsAccount): HTMLElement {
    const choice = this.copy('account');
    fill(choice, { name: account.name, short: `${account.id.slice(0, 5)}…${account.id.slice(-4)}` });
    const input = find(choice, 'input', HTMLInputElement);
    input.value = account.id;
    input.addEventListener('change', () => this.select(account));
    return choice;
  }

  get #overview(): HTMLElement {
    return find(this.root, '[data-part="overview"]', HTMLElement);
  }
}

/** The sets of credentials of an account (credentials-panel.astro). */
export class CredentialsList extends Part {
  #revoke: (credentials: NatsCredentials) => unknown = () => undefined;
  #ids = new Set<string>();

  constructor(owner: ParentNode) {
    super(owner, 'credentials');
  }

  /** The ids of the credentials shown. */
  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  wire(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    generate: () => unknown;
    revoke: (credentials: NatsCredentials) => unknown;
  }): void {
    this.#revoke = reactions.revoke;
    this.on('retry', reactions.retry);
    this.on('generate', reactions.generate);
    this.onMore('more-credentials', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    const usable = state !== 'signed-out' && state !== 'unchosen' && state !== 'problem';
    find(this.root, '[data-action="generate"]', HTMLButtonElement).disabled = !usable;
    this.#say('');
  }

  /** Shows a page of credentials. */
  render(credentials: NatsCredentials[], total: number, page: number): void {
    if (page === 1) this.#ids = new Set();
    for (const { id } of credentials) this.#ids.add(id);
    this.put(
      'credentials',
      credentials.map((entry) => this.#row(entry)),
      total,
      page,
    );
  }

  /** Says what has happened; with an id, points at that row, and otherwise leads the focus to the panel. */
  announce(text: string, id?: string): void {
    this.#say(text);
    if (id) this.root.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
    else find(this.root, '[tabindex="-1"]', HTMLElement).focus();
  }

  #row(credentials: NatsCredentials): HTMLElement {
    const row = this.copy('credentials');
    row.dataset.id = credentials.id;
    fill(row, { name: credentials.name, access: 'Full access' });
    showTime(find(row, 'time', HTMLTimeElement), credentials.created_at);
    const button = find(row, 'button', HTMLButtonElement);
    button.setAttribute('aria-label', `Revoke ${credentials.name}`);
    button.title = `Revoke ${credentials.name}`;
    button.addEventListener('click', () => void this.#revoke(credentials));
    return row;
  }

  #say(text: string): void {
    find(this.root, '[role="status"]', HTMLElement).textContent = text;
  }
}
