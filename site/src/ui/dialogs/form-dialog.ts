/** The element `<form-dialog>`: opens, sends a request on submit, and closes when the request succeeds. */

import type { Result } from '../../api/request.ts';
import { fill, find } from '../dom.ts';
import { bindForm, clearErrors, isBusy, type Send, type Values } from '../forms/form.ts';
import { info, type Notice } from '../panels/notice.ts';
import { markStale } from '../panels/panel.ts';

/** See form-dialog.astro. */
export class FormDialog extends HTMLElement {
  #send: Send | undefined;
  #settle: (() => void) | undefined;
  /** Whether the last request may have succeeded although no response arrived. */
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
        dialog.close();
      },
    );
    find(this, '[data-action="cancel"]', HTMLButtonElement).addEventListener('click', () => {
      if (!isBusy(this.form)) dialog.close();
    });
    // The response may contain a secret that is shown only once, so the dialog stays open until it arrives. This handles the
    // key itself, because browsers close a dialog on the second Esc even if `cancel` is prevented.
    dialog.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && isBusy(this.form)) event.preventDefault();
    });
    dialog.addEventListener('close', () => {
      this.#settle?.();
      if (this.#unsure) markStale();
      this.#unsure = false;
    });
  }

  /**
   * Opens the dialog with `texts` filled in, and calls `send` on each submit until it succeeds. Returns the body of the
   * response, or undefined if the person cancels or the dialog is already open. Fields keep what was typed before, except
   * those in `values`.
   */
  async submit<T>(
    send: (values: Values, idempotencyKey: string) => Promise<Result<T>>,
    texts: Record<string, string> = {},
    values: Values = {},
  ): Promise<T | undefined> {
    let body: T | undefined;
    await this.#open(
      async (typed, key) => {
        const result = await send(typed, key);
        if (!result.ok) return result.problem;
        body = result.body;
        return undefined;
      },
      texts,
      values,
    );
    return body;
  }

  /**
   * Opens the dialog with `texts` filled in, and calls `send` when the person confirms. Returns the notice to show: `done`,
   * or `gone` if the resource no longer existed. Returns undefined if the person cancels, if the dialog is already open, or
   * if `send` returns undefined because there is nothing to send.
   */
  async confirm<T>(
    send: (values: Values) => Promise<Result<T>> | undefined,
    texts: Record<string, string>,
    done: (headers: Headers) => Notice,
    gone = `${texts.name} was already deleted.`,
  ): Promise<Notice | undefined> {
    let notice: Notice | undefined;
    await this.#open(async (values) => {
      const result = await send(values);
      if (!result) return undefined;
      if (!result.ok && result.problem.kind !== 'gone') return result.problem;
      notice = result.ok ? done(result.headers) : info(gone);
      return undefined;
    }, texts);
    return notice;
  }

  /** Opens the dialog. Resolves when it closes. */
  #open(send: Send, texts: Record<string, string>, values: Values = {}): Promise<void> {
    if (this.isOpen) return Promise.resolve();
    fill(this, texts);
    for (const [name, value] of Object.entries(values)) {
      const field = find(this, `[name="${name}"]`, HTMLElement) as HTMLInputElement;
      if (field.type === 'checkbox') field.checked = value !== '';
      else field.value = value;
      field.dispatchEvent(new Event('change'));
    }
    clearErrors(this.form);
    this.form.dataset.at = document.activeElement?.closest('[data-step]')?.id ?? '';
    this.#send = send;
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Whether it is open. Check this before you write into it: it may be open for another resource. */
  get isOpen(): boolean {
    return this.#dialog.open;
  }

  /** The form, for code that reads it while the person types. */
  get form(): HTMLFormElement {
    return find(this, 'form', HTMLFormElement);
  }

  get #dialog(): HTMLDialogElement {
    return find(this, 'dialog', HTMLDialogElement);
  }
}

/** Returns the dialog with this name under `root`: `<form-dialog id="…-NAME-dialog">`. */
export function dialogIn(root: ParentNode, name: string): FormDialog {
  return find(root, `form-dialog[id$="-${name}-dialog"]`, FormDialog);
}

customElements.define('form-dialog', FormDialog);
