/** The list of the credentials of a NATS account, with the revocations that a server has yet to confirm. */
import type { NatsCredentials } from '../../api/api.ts';
import { find } from '../../ui/dom.ts';
import type { State } from '../../ui/panels/panel.ts';
import { CredentialsPanel } from '../credentials-panel.ts';

/** Credentials that are revoked, though not by every server. */
export interface Revoked {
  credentials: NatsCredentials;
  /** How far it has come, in words. */
  pendingText: string;
}

/** See the file's description. */
export class NatsCredentialsPanel extends CredentialsPanel<NatsCredentials> {
  /** `revoke` hears of the row whose button is pressed. */
  constructor(owner: ParentNode, revoke: (credentials: NatsCredentials, button: HTMLElement) => unknown) {
    super(
      owner,
      () => 'Full access',
      (row, credentials) => {
        const button = find(row, 'button', HTMLButtonElement);
        button.ariaLabel = button.title = `Revoke ${credentials.name}`;
        button.addEventListener('click', () => void revoke(credentials, button));
      },
    );
  }

  override show(state: State): void {
    super.show(state === 'empty' && this.#pending.childElementCount > 0 ? 'ready' : state);
  }

  /**
   * Shows the revocations of this page that a server has yet to confirm. `pending` says whether there is any in the
   * account, also one that this page knows nothing else of.
   */
  renderPending(revoked: readonly Revoked[], pending: boolean): void {
    const rows = revoked.map(({ credentials, pendingText }) => {
      const row = this.rowOf(credentials, pendingText);
      find(row, 'button', HTMLButtonElement).remove();
      return row;
    });
    this.#pending.replaceChildren(...rows);
    find(this.root, '[data-block="unconfirmed"]', HTMLElement).hidden = !pending || rows.length > 0;
  }

  get #pending(): HTMLElement {
    return find(this.root, '[data-list="pending"]', HTMLElement);
  }
}
