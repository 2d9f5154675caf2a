/**
 * The lists inside the forms: NATS accounts to choose from, and sets of credentials to revoke. They show what they are
 * given and report what the reader does; requests are their owner's.
 */
import type { NatsAccount, NatsCredentials } from '../lib/api.ts';
import { copyOf, fill, find, show, showTime } from '../lib/markup.ts';
import { accountPage } from '../lib/place.ts';
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

/** A part of a form that lists something: `[data-part]` with the states of unavailable.astro. */
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
    show(this.root, state);
    this.say('');
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
    find(this.root, '[tabindex="-1"]', HTMLElement).focus();
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
  #chosen: NatsAccount | undefined;

  constructor(owner: ParentNode) {
    super(owner, 'accounts');
  }

  wire(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    create: () => unknown;
    remove: (account: NatsAccount) => unknown;
    choose: (account: NatsAccount) => unknown;
  }): void {
    this.#choose = reactions.choose;
    this.on('retry', reactions.retry);
    this.on('create-account', reactions.create);
    this.on('delete-account', () => this.#chosen && reactions.remove(this.#chosen));
    this.onMore('more-accounts', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    if (state !== 'ready') this.#overview.hidden = true;
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
    this.#chosen = account;
    fill(this.root, { account: account.name });
    fill(this.#overview, { id: account.id, endpoint: account.endpoint });
    const link = this.#overview.querySelector('a');
    if (link) link.href = accountPage(account.region, account.id);
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

/** Credentials that are revoked, though not by every server. */
export interface Revoked {
  credentials: NatsCredentials;
  /** How far it has come, in words. */
  standing: string;
}

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
export class CredentialsList<C extends Listed> extends Part {
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

  wire(reactions: { retry: () => unknown; more: (page: number) => unknown; generate: () => unknown }): void {
    this.on('retry', reactions.retry);
    this.on('generate', reactions.generate);
    this.onMore('more-credentials', reactions.more);
  }

  /** Reacts to the buttons of a product that is activated first: where it is not, and where it is. */
  wireProduct(reactions: { activate: () => unknown; deactivate: () => unknown }): void {
    this.on('activate', reactions.activate);
    this.on('deactivate', reactions.deactivate);
  }

  override show(state: State): void {
    super.show(state === 'empty' && this.#pending.childElementCount > 0 ? 'ready' : state);
    const usable = state === 'loading' || state === 'empty' || state === 'ready';
    find(this.root, '[data-action="generate"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows a page of credentials. */
  render(credentials: C[], total: number, page: number): void {
    if (page === 1) this.#ids = new Set();
    for (const { id } of credentials) this.#ids.add(id);
    this.put(
      'credentials',
      credentials.map((entry) => this.#row(entry)),
      total,
      page,
    );
  }

  /**
   * Shows the revocations of this page that a server has yet to confirm. `pending` says whether there is any in the
   * account, also one that this page knows nothing else of.
   */
  renderPending(revoked: readonly Revoked[], pending: boolean): void {
    const rows = revoked.map(({ credentials, standing }) => {
      const row = this.#rowOf(credentials, standing);
      find(row, 'button', HTMLButtonElement).remove();
      return row;
    });
    this.#pending.replaceChildren(...rows);
    find(this.root, '[data-part="unconfirmed"]', HTMLElement).hidden = !pending || rows.length > 0;
  }

  /** Says what has happened, and points at the row of new credentials. */
  announceNew(text: string, id: string): void {
    this.say(text);
    this.root.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
  }

  #row(credentials: C): HTMLElement {
    const row = this.#rowOf(credentials, this.#access(credentials));
    this.#equip(row, credentials);
    return row;
  }

  #rowOf(credentials: Listed, access: string): HTMLElement {
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

  get #pending(): HTMLElement {
    return find(this.root, '[data-list="pending"]', HTMLElement);
  }
}
