/** The element `<console-nats-accounts>`: lists the NATS accounts of the place, and creates one. */
import { Latest } from '../../lib/answers.ts';
import { type NatsAccount, natsAccounts } from '../../lib/api.ts';
import { fill, find, showTime } from '../../lib/markup.ts';
import { openPlace } from '../../lib/open-place.ts';
import { accountPage, PLACE_CHANGED } from '../../lib/place.ts';
import { type ChosenPlace, followPlace, regionLabel, wirePlaceFields } from '../../lib/place-fields.ts';
import { sentence } from '../../lib/problems.ts';
import { Part, type State } from '../part.ts';

class AccountTable extends Part {
  constructor(owner: ParentNode) {
    super(owner, 'accounts');
  }

  wire(reactions: { retry: () => unknown; more: (page: number) => unknown; create: () => unknown }): void {
    this.on('retry', reactions.retry);
    this.on('create-account', reactions.create);
    this.onMore('more-accounts', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="create-account"]', HTMLButtonElement).disabled = !usable;
  }

  render(accounts: NatsAccount[], total: number, page: number): void {
    const rows = accounts.map((account) => this.#row(account));
    this.put('accounts', rows, total, page);
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
  #latest = new Latest();
  #place: ChosenPlace | undefined;

  connectedCallback(): void {
    wirePlaceFields(this);
    this.#list.wire({
      retry: () => this.#start(),
      more: (page) => this.#load(page),
      create: () => this.#create(),
    });
    document.addEventListener(PLACE_CHANGED, () => this.#follow());
    this.#follow();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#list.show('loading');
    const opened = await openPlace(this);
    if (!opened.ok) return this.#list.fail(opened.problem);
    this.#place = opened.place;
    await this.#load();
  }

  #follow(): void {
    const before = this.#place;
    const place = followPlace(this);
    this.#list.nameRegion(regionLabel(place.region));
    if (!before || (before.region === place.region && before.project === place.project)) return;
    this.#place = place;
    void this.#load();
  }

  async #load(page = 1): Promise<void> {
    const place = this.#place;
    if (!place) return;
    if (page === 1) this.#list.show('loading');
    const query = { project_id: place.project, page: `${page}`, page_size: '50' };
    const result = await this.#latest.ask((init) =>
      natsAccounts.$get({ param: { region: place.region }, query }, { init }),
    );
    if (!result.ok) return this.#list.fail(result.problem);
    this.#list.render(result.body.nats_accounts, result.body.total_count, page);
  }

  async #create(): Promise<void> {
    const actions = await import('../nats-actions.ts').catch(() => undefined);
    if (!actions) return this.#list.announce(sentence({ kind: 'unreachable' }));
    const created = this.#place && (await actions.createAccount(this, this.#place));
    if (created) location.assign(accountPage(created.region, created.id));
  }
}

customElements.define('console-nats-accounts', ConsoleNatsAccounts);
