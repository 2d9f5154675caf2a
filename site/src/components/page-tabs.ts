/** The element `<page-tabs>`: the tab that the address names, kept there when the reader chooses another. */
import { selectTab, tabsOf, wireTabs } from '../lib/tabs.ts';

/** The event that a panel receives when its tab is shown. */
export const TAB_SHOWN = 'latchkey:tab';

class PageTabs extends HTMLElement {
  connectedCallback(): void {
    wireTabs(this, (tab) => {
      this.#show(tab);
      history.replaceState(history.state, '', `#${tab.dataset.tab}`);
    });
    addEventListener('hashchange', () => this.#follow());
    this.#follow();
  }

  /** Another tab's fragment, or none of ours, changes nothing: the first one is shown until one is named. */
  #follow(): void {
    const wanted = tabsOf(this).find(({ dataset }) => `#${dataset.tab}` === location.hash);
    const shown = wanted ?? tabsOf(this).find(({ ariaSelected }) => ariaSelected === 'true');
    if (shown) this.#show(shown);
  }

  #show(tab: HTMLElement): void {
    selectTab(this, tab);
    document.getElementById(tab.getAttribute('aria-controls') ?? '')?.dispatchEvent(new Event(TAB_SHOWN));
  }
}

customElements.define('page-tabs', PageTabs);
