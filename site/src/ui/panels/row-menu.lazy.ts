/** The menu of a row. row-menu.ts loads when the reader first opens one. */

import { find, loadFor } from '../dom.ts';
import { type Notice, UNLOADED } from './notice.ts';

/** The button of a row's menu. */
export const MENU_BUTTON = '[aria-haspopup="menu"]';

/** The actions of menu items, by name. Each is called with the row's button. */
export type Reactions = Record<string, (button: HTMLElement) => unknown>;

/**
 * Labels the row's button, and opens its menu on a click. Removes items without a reaction, and the menu if it has no items.
 * `announce` reports that the menu cannot be loaded.
 */
export function attachMenu(
  row: HTMLElement,
  name: string,
  reactions: Reactions,
  announce: (notice: Notice) => void,
): void {
  const button = find(row, MENU_BUTTON, HTMLButtonElement);
  const items = [...row.querySelectorAll<HTMLElement>('[data-item]')];
  const offered = items.filter(({ dataset }) => reactions[dataset.item ?? '']);
  for (const item of items) if (!offered.includes(item)) item.remove();
  if (offered.length === 0) {
    find(row, '[role="menu"]', HTMLElement).remove();
    button.remove();
    return;
  }
  offered[0]?.setAttribute('autofocus', '');
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
