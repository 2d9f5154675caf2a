/** The menu behind the … of a row (credentials-panel.astro). The browser closes it on Esc and on a click elsewhere. */
import { find } from '../lib/markup.ts';

let menus = 0;

/** Gives a row its menu; each item's `data-item` names the reaction. */
export function equipMenu(row: HTMLElement, name: string, reactions: Record<string, () => unknown>): void {
  const button = find(row, 'button', HTMLButtonElement);
  const menu = find(row, '[role="menu"]', HTMLElement);
  menu.id = `row-menu-${menus++}`;
  menu.ariaLabel = name;
  button.setAttribute('popovertarget', menu.id);
  const items = [...menu.querySelectorAll<HTMLElement>('[role="menuitem"]')];
  for (const item of items) {
    item.addEventListener('click', () => {
      // The focus is back at the button before a dialog opens, and returns there when it closes.
      menu.hidePopover();
      button.focus();
      void reactions[item.dataset.item ?? '']?.();
    });
  }
  // Before it opens, so that it never shows elsewhere. Opened, it focuses the item that has `autofocus`.
  menu.addEventListener('beforetoggle', (event) => {
    const open = (event as ToggleEvent).newState === 'open';
    button.ariaExpanded = `${open}`;
    if (open) place(menu, button);
  });
  menu.addEventListener('keydown', (event) => move(event, items, menu));
}

function move(event: KeyboardEvent, items: HTMLElement[], menu: HTMLElement): void {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items.at(next % items.length)?.focus();
  }
  if (event.key === 'Tab') menu.hidePopover();
}

/** Room for an item, and for the menu's frame, in pixels. */
const ITEM = 42;
const FRAME = 26;

/** Below the button, or above it where there is no room; gone once the page scrolls. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const { bottom, right, top } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = bottom + FRAME + ITEM * menu.querySelectorAll('button').length < clientHeight;
  menu.style.inset = below
    ? `${bottom}px ${clientWidth - right}px auto auto`
    : `auto ${clientWidth - right}px ${clientHeight - top}px auto`;
  addEventListener('scroll', () => menu.hidePopover(), { once: true });
}
