/** Tabs: one panel at a time, by mouse and arrow keys. Owns no memory of what was chosen; its callers do. */
import { find } from './markup.ts';

/** The tabs under `root`, in order. */
export const tabsOf = (root: ParentNode): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>('[role="tab"]'),
];

/** Calls `chosen` with the tab that the reader chooses; what comes of it is {@link selectTab}'s. */
export function wireTabs(root: ParentNode, chosen: (tab: HTMLElement) => void): void {
  for (const tab of tabsOf(root)) {
    tab.addEventListener('click', () => chosen(tab));
    tab.addEventListener('keydown', (event) => move(event, root));
  }
}

/** Shows the panel of a tab, and hides those of the others. */
export function selectTab(root: ParentNode, wanted: HTMLElement): void {
  for (const tab of tabsOf(root)) {
    const selected = tab === wanted;
    tab.ariaSelected = `${selected}`;
    tab.tabIndex = selected ? 0 : -1;
    find(root, `[aria-labelledby="${tab.id}"]`, HTMLElement).hidden = !selected;
  }
}

function move(event: KeyboardEvent, root: ParentNode): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined) return;
  const tabs = tabsOf(root);
  const from = tabs.indexOf(event.currentTarget as HTMLElement);
  const to = tabs[(from + step + tabs.length) % tabs.length];
  to?.focus();
  to?.click();
}
