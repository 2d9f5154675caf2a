/** The list of the credentials of a NATS account. Revocations that are pending are in a list of their own, above it. */
import type { NatsCredentials } from '../../api/api.ts';
import { find } from '../../ui/dom.ts';
import type { State } from '../../ui/panels/panel.ts';
import { CredentialsPanel } from '../credentials-panel.ts';

export class NatsCredentialsPanel extends CredentialsPanel<NatsCredentials> {
  override show(state: State): void {
    const pending = find(this.root, '[data-list="pending"]', HTMLElement);
    super.show(state === 'empty' && pending.childElementCount > 0 ? 'ready' : state);
  }
}
