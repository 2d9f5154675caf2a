/** The element `<page-tabs>`: shows the tab in the fragment of the address, and updates the fragment. */
import { bindTabs, selectTab, tabsOf } from './tabs.ts';

class PageTabs extends HTMLElement {
  connectedCallback(): void {
    bindTabs(this, (tab) => {
      selectTab(this, tab);
      history.replaceState(history.state, '', `#${tab.dataset.tab}`);
    });
    addEventListener('hashchange', () => this.#follow());
    this.#follow();
  }

  /** Ignores fragments that are not a tab. The first tab is shown at first. */
  #follow(): void {
    const wanted = tabsOf(this).find(({ dataset }) => `#${dataset.tab}` === location.hash);
    if (wanted) selectTab(this, wanted);
  }
}

customElements.define('page-tabs', PageTabs);
