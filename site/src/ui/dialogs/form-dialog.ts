/** The element `<form-dialog>`: opens, sends, and closes when it has succeeded. The request is its opener's. */

import { fill, find } from '../dom.ts';
import { bindForm, clearErrors, isBusy, type Send, type Values } from '../forms/form.ts';
import { markStale } from '../panels/panel.ts';

/** See form-dialog.astro. */
export class FormDialog extends HTMLElement {
  #send: Send | undefined;
  #settle: ((sent: boolean) => void) | undefined;
  /** Whether what was sent last may have been done, although there was no answer. */
  #unsure = false;

  connectedCallback(): void {
    const dialog = this.#dialog;
    bindForm(
      this.form,
      async (values, key) => {
        const problem = await this.#send?.(values, key);
        this.#unsure =
          problem?.kind === 'unreachable' || problem?.kind === 'failed' || problem?.kind === 'down';
        return problem;
      },
      () => {
        this.form.reset();
        this.#finish(true);
      },
    );
    find(this, '[data-action="cancel"]', HTMLButtonElement).addEventListener('click', () => {
      if (!isBusy(this.form)) this.#finish(false);
    });
    // An answer on its way may carry a secret that is shown only once: the dialog stays until it is here. The key
    // itself has to be refused: browsers close a dialog on the second Esc whatever `cancel` says.
    dialog.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && isBusy(this.form)) event.preventDefault();
    });
    dialog.addEventListener('close', () => {
      this.#settle?.(false);
      if (this.#unsure) markStale();
      this.#unsure = false;
    });
  }

  /**
   * Opens the dialog with the texts filled in, and sends the form by `send` as often as it takes. Resolves to true
   * once it succeeded, to false when the person cancelled or when it is open already; what they typed is there when it
   * opens again, unless `values` puts something else into the fields.
   */
  open(send: Send, texts: Record<string, string> = {}, values: Values = {}): Promise<boolean> {
    if (this.isOpen) return Promise.resolve(false);
    fill(this, texts);
    for (const [name, value] of Object.entries(values)) {
      const field = find(this, `[name="${name}"]`, HTMLElement) as HTMLInputElement;
      if (field.type === 'checkbox') field.checked = value !== '';
      else field.value = value;
    }
    clearErrors(this.form);
    this.form.dataset.at = document.activeElement?.closest('[data-step]')?.id ?? '';
    this.#send = send;
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Whether it is open. Check before writing into it: it may be open for something else. */
  get isOpen(): boolean {
    return this.#dialog.open;
  }

  /** The form inside, for code that follows what is typed. */
  get form(): HTMLFormElement {
    return find(this, 'form', HTMLFormElement);
  }

  get #dialog(): HTMLDialogElement {
    return find(this, 'dialog', HTMLDialogElement);
  }

  #finish(sent: boolean): void {
    this.#settle?.(sent);
    this.#dialog.close();
  }
}

/** The dialog of this name under `root`: `<form-dialog id="…-NAME-dialog">`. */
export function dialogIn(root: ParentNode, name: string): FormDialog {
  return find(root, `form-dialog[id$="-${name}-dialog"]`, FormDialog);
}

customElements.define('form-dialog', FormDialog);
