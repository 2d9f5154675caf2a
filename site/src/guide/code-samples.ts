/**
 * The element `<code-samples>`: remembers the chosen language for the whole site, fills in the form's values, and copies
 * code.
 */

import { quote } from '../samples/samples.ts';
import { copyText } from '../ui/copy.ts';
import { find } from '../ui/dom.ts';
import { say } from '../ui/panels/notice.ts';
import { bindTabs, selectTab, tabsOf } from '../ui/tabs/tabs.ts';

const KEY = 'latchkey:language';

/** See code-samples.astro. */
export class CodeSamples extends HTMLElement {
  connectedCallback(): void {
    bindTabs(this, (tab) => selectEverywhere(tab.dataset.language ?? ''));
    find(this, '[data-action="copy"]', HTMLButtonElement).addEventListener('click', () => void this.#copy());
    this.update({ origin: location.origin });
    this.select(remembered() ?? '');
  }

  /** Fills values into the samples. An empty value restores its placeholder. */
  update(values: Record<string, string>): void {
    for (const node of this.querySelectorAll<HTMLElement>('[data-value]')) {
      const { value: name = '', quoting = '', fallback = '' } = node.dataset;
      const value = values[name];
      if (value !== undefined) node.textContent = quote(value || fallback, quoting);
    }
  }

  select(language: string): void {
    const wanted = tabsOf(this).find((tab) => tab.dataset.language === language);
    if (wanted) selectTab(this, wanted);
  }

  async #copy(): Promise<void> {
    const shown = find(this, '[role="tabpanel"]:not([hidden])', HTMLElement);
    const notice = await copyText(shown.textContent ?? '');
    say(this, notice);
    if (notice.kind === 'success') setTimeout(() => say(this), 3000);
  }
}

function selectEverywhere(language: string): void {
  for (const samples of document.querySelectorAll<CodeSamples>('code-samples')) samples.select(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Without storage, the choice lasts for this page.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

customElements.define('code-samples', CodeSamples);
