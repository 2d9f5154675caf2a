/** Loads nats-roles.ts once the page shows a NATS account. */
import type { NatsCredentialsElement } from '../../credentials/nats/nats-credentials.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Panel } from '../../ui/panels/panel.ts';
import { SELECTION_CHANGED } from '../../workspace/selection.ts';

const load = () => {
  const around = document.querySelector<NatsCredentialsElement>('nats-credentials');
  const roles = around?.querySelector<HTMLElement>('nats-roles');
  if (!roles || !around?.owner) return;
  import('./nats-roles.ts').catch(() => {
    roles.hidden = false;
    new Panel(roles, 'roles').fail({ kind: 'refused', message: UNLOADED.text });
  });
};
document.addEventListener(SELECTION_CHANGED, load);
load();
