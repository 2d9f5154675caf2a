/** Loads an element for signed-in readers, and asks others to sign in. */
import { currentSession, SESSION_CHANGED } from '../../api/session.ts';
import { Panel } from './panel.ts';

/** Calls `load`, which defines the element `tag`, now or once the reader has signed in. `panel` is its panel. */
export async function loadForMembers(
  tag: string,
  panel: string,
  load: () => Promise<unknown>,
): Promise<unknown> {
  const session = await currentSession();
  if (!session.ok || session.body) return load();
  for (const element of document.querySelectorAll(tag))
    new Panel(element, panel).fail({ kind: 'signed-out' });
  document.addEventListener(SESSION_CHANGED, () => void load(), { once: true });
}
