/** Offers the menu behind the … of a row, whose script is loaded when somebody first opens one. */

import { busyWhile, find } from '../dom.ts';
import { type Notice, UNLOADED } from './notice.ts';

/** What the items of a menu do, by their name; each gets the button of the row. */
export type Reactions = Record<string, (button: HTMLElement) => unknown>;

/** Names the row's button, and gives it its menu (row-menu.ts) on the first click; `announce` says that it cannot. */
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
    const code = await busyWhile(
      button,
      import('./row-menu.ts').catch(() => undefined),
    );
    if (!code) return announce(UNLOADED);
    // Clicked twice while it was on its way: the first has given it its menu.
    if (button.hasAttribute('popovertarget')) return;
    code.equipMenu(row, name, reactions);
    button.click();
  });
}
