/**
 * The element `<secret-dialog>`: holds a secret for as long as it is open. The secret is in no storage, no address and
 * no attribute; closing wipes it from the page.
 */
import { copyOf, fill, find } from '../lib/markup.ts';

/** What the dialog shows. A field's value stays masked until asked for; a file's content is only ever downloaded. */
export interface Secret {
  fields: { label: string; value: string }[];
  files: { name: string; content: string }[];
  commands: { label: string; text: string }[];
}

const MASK = '•'.repeat(24);

/** See secret-dialog.astro. */
export class SecretDialog extends HTMLElement {
  #settle: (() => void) | undefined;

  connectedCallback(): void {
    const dialog = this.#dialog;
    find(this, '[data-action="close"]', HTMLButtonElement).addEventListener('click', () => dialog.close());
    // `closedby="none"` says so too, but not to every browser.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') event.preventDefault();
    });
    dialog.addEventListener('close', () => this.#wipe());
  }

  /** Shows the secret; resolves when the person has said that it is saved. */
  show(secret: Secret): Promise<void> {
    this.#list(
      'fields',
      secret.fields.map((field) => this.#field(field)),
    );
    this.#list(
      'files',
      secret.files.map((file) => this.#file(file)),
    );
    this.#list(
      'commands',
      secret.commands.map((command) => this.#command(command)),
    );
    addEventListener('beforeunload', askBeforeLeaving);
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  #wipe(): void {
    for (const name of ['fields', 'files', 'commands']) this.#list(name, []);
    this.#say('');
    find(this, 'details', HTMLDetailsElement).open = false;
    removeEventListener('beforeunload', askBeforeLeaving);
    this.#settle?.();
  }

  #field({ label, value }: Secret['fields'][number]): HTMLElement {
    const item = this.#copy('field', { label, value: MASK });
    const toggle = find(item, '[data-action="show"]', HTMLButtonElement);
    let shown = false;
    const name = () => toggle.setAttribute('aria-label', `${shown ? 'Hide' : 'Show'} ${label}`);
    toggle.addEventListener('click', () => {
      shown = !shown;
      fill(item, { value: shown ? value : MASK });
      toggle.textContent = shown ? 'Hide' : 'Show';
      name();
    });
    name();
    this.#wireCopy(item, label, value);
    return item;
  }

  #file({ name, content }: Secret['files'][number]): HTMLElement {
    const button = this.#copy('file', { label: `Download ${name}` });
    button.addEventListener('click', () => {
      download(name, content);
      this.#say('Downloaded');
    });
    return button;
  }

  #command({ label, text }: Secret['commands'][number]): HTMLElement {
    const item = this.#copy('command', { label, text });
    this.#wireCopy(item, label, text);
    return item;
  }

  #wireCopy(item: HTMLElement, label: string, text: string): void {
    const button = find(item, '[data-action="copy"]', HTMLButtonElement);
    button.setAttribute('aria-label', `Copy ${label}`);
    item.setAttribute('aria-label', label);
    button.addEventListener('click', () => {
      navigator.clipboard.writeText(text).then(
        () => this.#say('Copied'),
        () => this.#say('The browser does not allow copying here: select the text instead'),
      );
    });
  }

  #copy(template: string, texts: Record<string, string>): HTMLElement {
    const copy = copyOf(find(this, `[data-template="${template}"]`, HTMLTemplateElement));
    fill(copy, texts);
    return copy;
  }

  #list(name: string, items: HTMLElement[]): void {
    find(this, `[data-list="${name}"]`, HTMLElement).replaceChildren(...items);
  }

  #say(text: string): void {
    find(this, '[role="status"]', HTMLElement).textContent = text;
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
  // Some browsers read it only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

customElements.define('secret-dialog', SecretDialog);
