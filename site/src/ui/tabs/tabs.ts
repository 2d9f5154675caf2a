/** Tabs with mouse and keyboard: arrow keys, Home and End. Callers store the choice. */
import { find } from '../dom.ts';

/** Returns the tabs under `root`, in order. */
export const tabsOf = (root: ParentNode): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>('[role="tab"]'),
];

/** Calls `chosen` with the tab that the reader chooses, which then calls {@link selectTab}. */
export function bindTabs(root: ParentNode, chosen: (tab: HTMLElement) => void): void {
  for (const tab of tabsOf(root)) {
    tab.addEventListener('click', () => chosen(tab));
    tab.addEventListener('keydown', (event) => move(event, root));
  }
}

/** Shows a tab, and hides the others. */
export function selectTab(root: ParentNode, wanted: HTMLElement): void {
  for (const tab of tabsOf(root)) {
    const selected = tab === wanted;
    tab.ariaSelected = `${selected}`;
    tab.tabIndex = selected ? 0 : -1;
    find(root, `[aria-labelledby="${tab.id}"]`, HTMLElement).hidden = !selected;
  }
}

function move(event: KeyboardEvent, root: ParentNode): void {
  const tabs = tabsOf(root);
  const from = tabs.indexOf(event.currentTarget as HTMLElement);
  const at = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: -1 }[event.key];
  if (at === undefined) return;
  // Home and End would scroll the page.
  event.preventDefault();
  const to = tabs.at(at % tabs.length);
  to?.focus();
  to?.click();
}
