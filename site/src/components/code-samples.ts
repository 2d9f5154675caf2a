/** The element `<code-samples>`: tabs that the whole site remembers, values that follow the form, and copying. */
import { find } from '../lib/markup.ts';
import { quote } from '../samples/samples.ts';

const KEY = 'latchkey:language';

/** See code-samples.astro. */
export class CodeSamples extends HTMLElement {
  connectedCallback(): void {
    for (const tab of this.#tabs) {
      tab.addEventListener('click', () => selectEverywhere(tab.dataset.language ?? ''));
      tab.addEventListener('keydown', (event) => this.#move(event, tab));
    }
    find(this, '[data-action="copy"]', HTMLButtonElement).addEventListener('click', () => this.#copy());
    this.update({ origin: location.origin });
    this.select(remembered() ?? '');
  }

  /** Writes values into the samples; for an empty one its placeholder returns. */
  update(values: Record<string, string>): void {
    for (const node of this.querySelectorAll<HTMLElement>('[data-value]')) {
      const { value: name = '', quoting = '', fallback = '' } = node.dataset;
      const value = values[name];
      if (value !== undefined) node.textContent = quote(value || fallback, quoting);
    }
  }

  /** Shows the tab of a language, if there is one. */
  select(language: string): void {
    const tabs = this.#tabs;
    if (!tabs.some((tab) => tab.dataset.language === language)) return;
    for (const tab of tabs) {
      const selected = tab.dataset.language === language;
      tab.ariaSelected = `${selected}`;
      tab.tabIndex = selected ? 0 : -1;
      this.#panelOf(tab).hidden = !selected;
    }
  }

  #move(event: KeyboardEvent, from: HTMLElement): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    const tabs = this.#tabs;
    const to = tabs[(tabs.indexOf(from) + step + tabs.length) % tabs.length];
    to?.focus();
    to?.click();
  }

  #copy(): void {
    const shown = this.#tabs.find((tab) => tab.ariaSelected === 'true');
    const status = find(this, '[role="status"]', HTMLElement);
    navigator.clipboard.writeText((shown && this.#panelOf(shown).textContent) ?? '').then(
      () => {
        status.textContent = 'Copied';
        setTimeout(() => (status.textContent = ''), 3000);
      },
      () => (status.textContent = 'Select the text to copy it'),
    );
  }

  #panelOf(tab: HTMLElement): HTMLElement {
    return find(this, `[aria-labelledby="${tab.id}"]`, HTMLElement);
  }

  get #tabs(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>('[role="tab"]')];
  }
}

function selectEverywhere(language: string): void {
  for (const samples of document.querySelectorAll<CodeSamples>('code-samples')) samples.select(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Without storage the choice lasts for this page.
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
