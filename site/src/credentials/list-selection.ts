/** Checkboxes of the rows of credentials, and a bar with actions for the selected ones. */

import type { GuideProgress } from '../guide/progress.ts';
import { fill, find, loadFor } from '../ui/dom.ts';
import { type Notice, UNLOADED } from '../ui/panels/notice.ts';
import type { State } from '../ui/panels/panel.ts';
import type { Listed } from './credentials-panel.ts';

/** The members of CredentialsElement that do not depend on the product. */
export interface ListElement extends HTMLElement {
  readonly owner: unknown;
  readonly credentials: {
    readonly listed: ReadonlyMap<string, Listed>;
    readonly state: State;
    say(notice?: Notice): void;
    announce(notice: Notice): void;
  };
  loadCredentials(page?: number): Promise<void>;
  updateProgress(progress: Partial<GuideProgress>): void;
}

/** What can be done with several credentials at once. */
export type BatchAction = 'disable' | 'enable' | 'revoke';

/** See the file's head. The markup is in list-selection.astro. */
export class ListSelection {
  readonly #element: ListElement;
  readonly #panel: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #ids = new Set<string>();
  /** The last checkbox that was clicked, for selecting a range with Shift. */
  #last: HTMLInputElement | undefined;

  constructor(element: ListElement, panel: HTMLElement) {
    this.#element = element;
    this.#panel = panel;
    this.#bar = find(panel, '[data-block="selected"]', HTMLElement);
    find(panel, '[data-list="credentials"]', HTMLElement).addEventListener('click', (event) =>
      this.#click(event),
    );
    for (const box of this.#all)
      box.addEventListener('change', () => {
        for (const row of this.#boxes) this.#select(row, box.checked);
        this.update();
      });
    for (const button of this.#bar.querySelectorAll<HTMLElement>('[data-batch]'))
      button.addEventListener('click', () => void this.#act(button));
    find(this.#bar, '[data-action="select-none"]', HTMLElement).addEventListener('click', () => {
      const [first] = this.selected;
      this.clear();
      this.#focusRow(first?.id ?? '', 0);
    });
  }

  /** The selected credentials, in the order of the list. */
  get selected(): Listed[] {
    return [...this.#element.credentials.listed.values()].filter(({ id }) => this.#ids.has(id));
  }

  clear(): void {
    this.#ids.clear();
    this.update();
  }

  /** Shows the selection in rows that may be new. */
  update(): void {
    const { listed, state } = this.#element.credentials;
    for (const id of this.#ids) if (!listed.has(id)) this.#ids.delete(id);
    const boxes = this.#boxes;
    for (const box of boxes) box.checked = this.#ids.has(idOf(box));
    const { size } = this.#ids;
    for (const box of this.#all) {
      box.checked = size > 0 && size === boxes.length;
      box.indeterminate = size > 0 && size < boxes.length;
      for (const label of box.labels ?? []) label.hidden = boxes.length === 0;
    }
    const { selected } = this;
    const disabled = selected.filter(({ status }) => status === 'disabled').length;
    find(this.#bar, '[data-batch="enable"]', HTMLElement).hidden = disabled === 0;
    find(this.#bar, '[data-batch="disable"]', HTMLElement).hidden = disabled === size;
    fill(this.#bar, { selected: size > 0 ? `${size} selected` : '' });
    this.#bar.hidden = size === 0 || state !== 'ready';
  }

  get #boxes(): HTMLInputElement[] {
    return [...this.#panel.querySelectorAll<HTMLInputElement>('[data-list="credentials"] [name="select"]')];
  }

  /** The checkboxes that select all rows: one in the table's head, and one for phones. */
  get #all(): HTMLInputElement[] {
    return [...this.#panel.querySelectorAll<HTMLInputElement>('[name="select-shown"]')];
  }

  #select(box: HTMLInputElement, selected: boolean): void {
    if (selected) this.#ids.add(idOf(box));
    else this.#ids.delete(idOf(box));
  }

  #click({ target, shiftKey }: MouseEvent): void {
    if (!(target instanceof HTMLInputElement) || target.name !== 'select') return;
    const boxes = this.#boxes;
    const range = [boxes.indexOf(target), shiftKey && this.#last ? boxes.indexOf(this.#last) : -1];
    const [from = 0, to = 0] = range.includes(-1) ? [range[0], range[0]] : range.sort((a, b) => a - b);
    for (const box of boxes.slice(from, to + 1)) this.#select(box, target.checked);
    this.#last = target;
    this.update();
  }

  async #act(button: HTMLElement): Promise<void> {
    const { credentials } = this.#element;
    const { selected } = this;
    const at = this.#boxes.findIndex((box) => this.#ids.has(idOf(box)));
    const code = await loadFor(button, import('./change-several.lazy.ts'));
    if (!code) return credentials.announce(UNLOADED);
    const notice = await code.changeSeveral(this.#element, button.dataset.batch as BatchAction, selected);
    if (!notice) return;
    this.clear();
    await this.#element.loadCredentials();
    this.#focusRow(selected[0]?.id ?? '', at);
    credentials.announce(notice);
  }

  /** Keeps the place: focuses the checkbox of these credentials, or of the row that is there now. */
  #focusRow(id: string, at: number): void {
    const boxes = this.#boxes;
    (boxes.find((box) => idOf(box) === id) ?? boxes[Math.min(at, boxes.length - 1)])?.focus();
  }
}

const idOf = (box: HTMLInputElement) => box.closest<HTMLElement>('[data-id]')?.dataset.id ?? '';
