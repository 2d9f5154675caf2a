/** Loads the element `<resource-list>` for readers who are signed in, and asks all others to sign in until they are. */
import { currentSession, SESSION_CHANGED } from '../../api/session.ts';
import { Part } from '../../ui/panels/panel.ts';

const load = () => import('./resource-list.ts');

const session = await currentSession();
if (session.ok && !session.body) {
  for (const element of document.querySelectorAll('resource-list')) {
    new Part(element, 'inventory').fail({ kind: 'signed-out' });
  }
  document.addEventListener(SESSION_CHANGED, () => void load(), { once: true });
} else await load();
