/** Loads nats-roles.ts once the page shows a NATS account. */
import { ACCOUNT_CHANGED, type NatsCredentialsElement } from '../../credentials/nats/nats-credentials.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Panel } from '../../ui/panels/panel.ts';

for (const element of document.querySelectorAll<HTMLElement>('nats-roles')) {
  const account = element.closest<NatsCredentialsElement>('nats-credentials');
  const load = () => {
    if (!account?.owner) return;
    account.removeEventListener(ACCOUNT_CHANGED, load);
    import('./nats-roles.ts').catch(() => {
      element.hidden = false;
      new Panel(element, 'roles').fail({ kind: 'refused', message: UNLOADED.text });
    });
  };
  account?.addEventListener(ACCOUNT_CHANGED, load);
  load();
}
