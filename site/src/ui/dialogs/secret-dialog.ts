/**
 * The element `<secret-dialog>`: shows a secret while it is open. The secret is never in storage, URLs or attributes, and
 * closing the dialog removes it from the page.
 */
import { codeLines } from '../code-lines.ts';
import { copyText } from '../copy.ts';
import { busyWhile, copyOf, fill, find } from '../dom.ts';
import { info, type Notice, pending, say, success } from '../panels/notice.ts';

/** The content. Secret fields are masked until the person shows them. Files can only be downloaded. */
export interface Secret {
  fields: { label: string; value: string; secret?: boolean }[];
  /** The first has the primary button. */
  files: { name: string; label?: string; content: string }[];
  /** Tests the secret. Returns the outcome. Only for dialogs with a button for it. */
  test?: () => Promise<Notice>;
  /** What "Copy all" copies. If undefined, there is no such button. */
  all?: string;
  commands: { label: string; text: string }[];
  /** What else to know about it. */
  note?: string;
}

const MASK = '•'.repeat(24);

const NOT_SAVED = pending(
  'You have not copied, downloaded or shown the secret yet, and it cannot be shown again. To close anyway, select the button again.',
);

/** See secret-dialog.astro. */
export class SecretDialog extends HTMLElement {
  #settle: (() => void) | undefined;
  #secret: Secret | undefined;
  /** Whether the person has taken the secret, or was warned that they have not. */
  #taken = false;

  connectedCallback(): void {
    const dialog = this.#dialog;
    find(this, '[data-action="close"]', HTMLButtonElement).addEventListener('click', () => {
      if (this.#taken) return dialog.close();
      this.#taken = true;
      say(this, NOT_SAVED);
    });
    find(this, '[data-action="copy-all"]', HTMLElement).addEventListener('click', () => {
      if (this.#secret?.all) void this.#copyText(this.#secret.all, true);
    });
    const test = this.querySelector<HTMLButtonElement>('[data-action="test"]');
    test?.addEventListener('click', () => void this.#test(test));
    // Not all browsers support `closedby="none"`.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') event.preventDefault();
    });
    dialog.addEventListener('close', () => this.#wipe());
  }

  /** Shows a secret. Resolves when the person closes the dialog. */
  show(secret: Secret): Promise<void> {
    this.#list(
      'fields',
      secret.fields.map((field) => this.#field(field)),
    );
    this.#list(
      'files',
      secret.files.map((file, at) => this.#file(file, at === 0)),
    );
    this.#list(
      'commands',
      secret.commands.map((command) => this.#command(command)),
    );
    const note = find(this, '.note', HTMLElement);
    note.textContent = secret.note ?? '';
    note.hidden = !secret.note;
    this.#secret = secret;
    this.#taken = false;
    find(this, '[data-action="copy-all"]', HTMLElement).hidden = secret.all === undefined;
    find(this, 'details', HTMLElement).hidden = secret.commands.length === 0;
    addEventListener('beforeunload', askBeforeLeaving);
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  #wipe(): void {
    for (const name of ['fields', 'files', 'commands']) this.#list(name, []);
    this.#secret = undefined;
    say(this);
    find(this, 'details', HTMLDetailsElement).open = false;
    removeEventListener('beforeunload', askBeforeLeaving);
    this.#settle?.();
  }

  async #test(button: HTMLButtonElement): Promise<void> {
    const secret = this.#secret;
    if (!secret?.test || button.ariaBusy === 'true') return;
    say(this, info('Testing…'));
    const outcome = await busyWhile(button, secret.test());
    // The dialog may have been closed, or opened again for another secret.
    if (this.#secret === secret) say(this, outcome);
  }

  #field({ label, value, secret = false }: Secret['fields'][number]): HTMLElement {
    if (!secret) {
      const item = this.#copy('plain', { label, value });
      this.#bindCopy(item, label, value);
      return item;
    }
    const item = this.#copy('field', { label, value: MASK });
    const toggle = find(item, '[data-action="show"]', HTMLButtonElement);
    let shown = false;
    const name = () => toggle.setAttribute('aria-label', `${shown ? 'Hide' : 'Show'} ${label}`);
    toggle.addEventListener('click', () => {
      shown = !shown;
      this.#taken = true;
      fill(item, { value: shown ? value : MASK });
      toggle.textContent = shown ? 'Hide' : 'Show';
      name();
    });
    name();
    this.#bindCopy(item, label, value, true);
    return item;
  }

  #file({ name, label = name, content }: Secret['files'][number], primary: boolean): HTMLElement {
    const button = this.#copy('file', { label: `Download ${label}` });
    button.classList.toggle('primary', primary);
    button.addEventListener('click', () => {
      download(name, content);
      this.#taken = true;
      say(this, success(`Downloaded ${name}`));
    });
    return button;
  }

  #command({ label, text }: Secret['commands'][number]): HTMLElement {
    const item = this.#copy('command', { label });
    find(item, 'pre', HTMLElement).append(...codeLines(text));
    this.#bindCopy(item, label, text);
    return item;
  }

  #bindCopy(item: HTMLElement, label: string, text: string, secret = false): void {
    const button = find(item, '[data-action="copy"]', HTMLButtonElement);
    button.setAttribute('aria-label', `Copy ${label}`);
    item.setAttribute('aria-label', label);
    button.addEventListener('click', () => void this.#copyText(text, secret));
  }

  async #copyText(text: string, secret: boolean): Promise<void> {
    const notice = await copyText(text);
    if (secret && notice.kind === 'success') this.#taken = true;
    say(this, notice);
  }

  #copy(template: string, texts: Record<string, string>): HTMLElement {
    const copy = copyOf(find(this, `[data-template="${template}"]`, HTMLTemplateElement));
    fill(copy, texts);
    return copy;
  }

  #list(name: string, items: HTMLElement[]): void {
    find(this, `[data-list="${name}"]`, HTMLElement).replaceChildren(...items);
  }

  get #dialog(): HTMLDialogElement {
    return find(this, 'dialog', HTMLDialogElement);
  }
}

function download(name: string, content: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  // Some browsers read the URL only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

customElements.define('secret-dialog', SecretDialog);
