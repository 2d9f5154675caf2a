/** The menu of a row. row-menu.ts loads when the reader first opens one. */

import { find, loadFor } from '../dom.ts';
import { type Notice, UNLOADED } from './notice.ts';

/** The actions of menu items, by name. Each is called with the row's button. */
export type Reactions = Record<string, (button: HTMLElement) => unknown>;

/** Labels the row's button, and opens its menu on a click. `announce` reports that the menu cannot be loaded. */
export function attachMenu(
  row: HTMLElement,
  name: string,
  reactions: Reactions,
  announce: (notice: Notice) => void,
): void {
  const button = find(row, 'button', HTMLButtonElement);
  button.ariaLabel = button.title = `See more actions for ${name}`;
  button.ariaExpanded = 'false';
  button.addEventListener('click', async () => {
    if (button.hasAttribute('popovertarget')) return;
    const code = await loadFor(button, import('./row-menu.ts'));
    if (!code) return announce(UNLOADED);
    // After two clicks while the module loaded, the first one has attached the menu.
    if (button.hasAttribute('popovertarget')) return;
    code.equipMenu(row, name, reactions);
    button.click();
  });
}
