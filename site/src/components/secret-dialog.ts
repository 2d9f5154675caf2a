/**
 * The element `<secret-dialog>`: holds a secret for as long as it is open. The secret is in no storage, no address and
 * no attribute; closing wipes it from the page.
 */
import { copyOf, fill, find } from '../lib/markup.ts';

/** What the dialog shows. A field's value stays masked until asked for; a file's content is only ever downloaded. */
export interface Secret {
  fields: { label: string; value: string }[];
  files: { name: string; label?: string; content: string }[];
  /** Tries the secret from this page; resolves to what to say of it. For a dialog that has a button for it. */
  test?: () => Promise<string>;
  /** What "Copy all" copies. Without it there is no such button. */
  all?: string;
  commands: { label: string; text: string }[];
}

const MASK = '•'.repeat(24);

/** See secret-dialog.astro. */
export class SecretDialog extends HTMLElement {
  #settle: (() => void) | undefined;
  #secret: Secret | undefined;

  connectedCallback(): void {
    const dialog = this.#dialog;
    find(this, '[data-action="close"]', HTMLButtonElement).addEventListener('click', () => dialog.close());
    find(this, '[data-action="copy-all"]', HTMLElement).addEventListener('click', () => {
      if (this.#secret?.all) this.#copyText(this.#secret.all);
    });
    const test = this.querySelector<HTMLButtonElement>('[data-action="test"]');
    test?.addEventListener('click', () => void this.#test(test));
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
    this.#secret = secret;
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
    this.#say('');
    find(this, 'details', HTMLDetailsElement).open = false;
    removeEventListener('beforeunload', askBeforeLeaving);
    this.#settle?.();
  }

  async #test(button: HTMLButtonElement): Promise<void> {
    const secret = this.#secret;
    if (!secret?.test || button.ariaBusy === 'true') return;
    button.ariaBusy = 'true';
    this.#say('Testing…');
    const outcome = await secret.test();
    button.ariaBusy = 'false';
    // Closed meanwhile, and open again for another: what came of it is not about that one.
    if (this.#secret === secret) this.#say(outcome);
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

  #file({ name, label = name, content }: Secret['files'][number]): HTMLElement {
    const button = this.#copy('file', { label: `Download ${label}` });
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
    button.addEventListener('click', () => this.#copyText(text));
  }

  #copyText(text: string): void {
    navigator.clipboard.writeText(text).then(
      () => this.#say('Copied'),
      () => this.#say('The browser does not allow copying here: select the text instead'),
    );
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
