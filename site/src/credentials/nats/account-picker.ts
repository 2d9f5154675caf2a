/** The list of NATS accounts in account-picker.astro. NatsCredentialsElement sends the requests. */
import type { NatsAccount } from '../../api/api.ts';
import { fill, find } from '../../ui/dom.ts';
import { onceInSight } from '../../ui/load-when-visible.ts';
import { Panel, type State } from '../../ui/panels/panel.ts';
import { showTime } from '../../ui/time.ts';
import { accountPage } from '../../workspace/selection.ts';

export class AccountPicker extends Panel {
  #choose: (account: NatsAccount) => unknown = () => undefined;
  #chosen: NatsAccount | undefined;

  constructor(owner: ParentNode) {
    super(owner, 'accounts');
  }

  bind(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    create: (button: HTMLElement) => unknown;
    remove: (account: NatsAccount, button: HTMLElement) => unknown;
    choose: (account: NatsAccount) => unknown;
  }): void {
    this.#choose = reactions.choose;
    this.on('retry', reactions.retry);
    this.on('create-account', reactions.create);
    this.on('delete-account', (button) => this.#chosen && reactions.remove(this.#chosen, button));
    this.onMore('more-accounts', reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    if (state !== 'ready') this.#overview.hidden = true;
  }

  /** Shows the pages `first` to `last`, and keeps the chosen account. */
  render(accounts: NatsAccount[], total: number, last: number, first: number): Promise<void> {
    const items = accounts.map((account) => ({
      id: account.id,
      look: account.name,
      render: () => this.#choice(account),
    }));
    return this.showPages('accounts', items, total, last, first);
  }

  /** Chooses an account as if the reader had. */
  select(account: NatsAccount): void {
    for (const input of this.root.querySelectorAll('input')) input.checked = input.value === account.id;
    this.#chosen = account;
    fill(this.root, { account: account.name });
    fill(this.#overview, { id: account.id, endpoint: account.endpoint });
    const link = this.#overview.querySelector('a');
    if (link) link.href = accountPage(account.region, account.id);
    showTime(find(this.#overview, 'time', HTMLTimeElement), account.created_at);
    this.#overview.hidden = false;
    onceInSight(this.#overview, () =>
      import('./server-notice.ts').then(
        (code) => {
          if (this.#chosen === account) void code.showServerNotice(this.#overview, account.region);
        },
        () => undefined,
      ),
    );
    this.#choose(account);
  }

  /** Focuses the chosen account. Returns false if none is chosen. */
  focus(): boolean {
    const chosen = this.root.querySelector<HTMLElement>('input:checked');
    chosen?.focus();
    return chosen !== null;
  }

  #choice(account: NatsAccount): HTMLElement {
    const choice = this.copy('account');
    fill(choice, { name: account.name, short: `${account.id.slice(0, 5)}…${account.id.slice(-4)}` });
    const input = find(choice, 'input', HTMLInputElement);
    input.value = account.id;
    input.addEventListener('change', () => {
      this.select(account);
      this.#overview.scrollIntoView({ block: 'nearest' });
    });
    return choice;
  }

  get #overview(): HTMLElement {
    return find(this.root, '[data-block="overview"]', HTMLElement);
  }
}
