/** The element `<page-tabs>`: the tab that the address names, kept there when the reader chooses another. */
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

  /** Another tab's fragment, or none of ours, changes nothing: the first one is shown until one is named. */
  #follow(): void {
    const wanted = tabsOf(this).find(({ dataset }) => `#${dataset.tab}` === location.hash);
    if (wanted) selectTab(this, wanted);
  }
}

customElements.define('page-tabs', PageTabs);
