/** The menu of a row (credentials-panel.astro). The browser closes it on Esc and on clicks elsewhere. */
import { find } from '../dom.ts';
import { MENU_BUTTON, type Reactions } from './row-menu.lazy.ts';

let menus = 0;

/** Attaches the menu to a row. `data-item` of its items names their action. */
export function equipMenu(row: HTMLElement, name: string, reactions: Reactions): void {
  const button = find(row, MENU_BUTTON, HTMLButtonElement);
  const menu = find(row, '[role="menu"]', HTMLElement);
  menu.id = `row-menu-${menus++}`;
  menu.ariaLabel = name;
  button.setAttribute('popovertarget', menu.id);
  // Keeps the menu next to its button while the page scrolls (lists.css).
  button.style.setProperty('anchor-name', `--${menu.id}`);
  menu.style.setProperty('position-anchor', `--${menu.id}`);
  const items = [...menu.querySelectorAll<HTMLElement>('[role="menuitem"]')];
  for (const item of items) {
    item.addEventListener('click', () => {
      // Focus the button first: dialogs return the focus there when they close.
      menu.hidePopover();
      button.focus();
      void reactions[item.dataset.item ?? '']?.(button);
    });
  }
  // The browser focuses the item with `autofocus`.
  menu.addEventListener('beforetoggle', (event) => {
    button.ariaExpanded = `${(event as ToggleEvent).newState === 'open'}`;
  });
  menu.addEventListener('keydown', (event) => move(event, items, menu));
}

function move(event: KeyboardEvent, items: HTMLElement[], menu: HTMLElement): void {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key] ?? named(event, items, at);
  if (next !== undefined) {
    event.preventDefault();
    items.at(next % items.length)?.focus();
  }
  if (event.key === 'Tab') menu.hidePopover();
}

/** Returns the index of the next item that begins with the typed letter, if there is one. */
function named({ key, ctrlKey, metaKey, altKey }: KeyboardEvent, items: HTMLElement[], at: number) {
  if (!/^\p{L}$/u.test(key) || ctrlKey || metaKey || altKey) return undefined;
  const letter = key.toLowerCase();
  const begins = (item: HTMLElement) => item.textContent.trim().toLowerCase().startsWith(letter);
  const after = items.findIndex((item, index) => index > at && begins(item));
  const found = after < 0 ? items.findIndex(begins) : after;
  return found < 0 ? undefined : found;
}
