/** The list of credentials in credential-picker.astro. CredentialGuide sends the requests. */
import type { AccessKeyCredentials, NatsCredentials } from '../../api/api.ts';
import { fill, find } from '../../ui/dom.ts';
import { Panel } from '../../ui/panels/panel.ts';

/** Credentials to choose, with a text that tells them apart from others of the same name. */
export interface Choice {
  credentials: AccessKeyCredentials | NatsCredentials;
  about: string;
}

/** A search starts when the person has stopped typing for this long. */
const TYPING_MS = 300;

export class CredentialPicker extends Panel {
  #choose: (credentials: Choice['credentials']) => unknown = () => undefined;

  constructor(owner: ParentNode) {
    super(owner, 'choices');
  }

  bind(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    search: () => unknown;
    choose: (credentials: Choice['credentials']) => unknown;
  }): void {
    this.#choose = reactions.choose;
    this.on('retry', reactions.retry);
    this.onMore('more-choices', reactions.more);
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#name.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(reactions.search, TYPING_MS);
    });
    this.product.addEventListener('change', reactions.search);
  }

  get product(): HTMLSelectElement {
    return find(this.root, 'select[name="product"]', HTMLSelectElement);
  }

  /** The text that names must contain. */
  get name(): string {
    return this.#name.value.trim();
  }

  set name(text: string) {
    this.#name.value = text;
  }

  get #name(): HTMLInputElement {
    return find(this.root, 'input[name="name"]', HTMLInputElement);
  }

  /** Shows the pages `first` to `last`, with the chosen credentials selected. */
  async render(
    choices: Choice[],
    total: number,
    last: number,
    first: number,
    chosen: string | undefined,
  ): Promise<void> {
    const items = choices.map(({ credentials, about }) => {
      const { id, name, status, rotation } = credentials;
      const state = status === 'enabled' ? (rotation ? 'Rotating' : '') : STATES[status];
      return {
        id,
        look: [name, state, about],
        render: () => this.#choice(credentials, { name, state, about }),
      };
    });
    await this.showPages('choices', items, total, last, first);
    this.select(chosen);
  }

  /** Selects credentials if they are listed, and no others. */
  select(id: string | undefined): void {
    for (const input of this.root.querySelectorAll<HTMLInputElement>('[type="radio"]')) {
      input.checked = input.value === id;
    }
  }

  #choice(credentials: Choice['credentials'], texts: Record<string, string>): HTMLElement {
    const choice = this.copy('choices');
    fill(choice, texts);
    const input = find(choice, 'input', HTMLInputElement);
    input.value = credentials.id;
    input.addEventListener('change', () => void this.#choose(credentials));
    return choice;
  }
}

const STATES = { disabled: 'Disabled', expired: 'Expired' };
