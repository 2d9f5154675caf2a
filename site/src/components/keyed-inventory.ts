/**
 * The element `<keyed-inventory>`: lists the queues or topics of the place, once `<keyed-credentials>` around it knows that
 * the product is active there. It changes nothing. Loaded when its tab is shown.
 */
import { Latest } from '../lib/answers.ts';
import { keyed, type Queue, type Topic } from '../lib/api.ts';
import type { KeyedId } from '../lib/keyed.ts';
import { fill, find } from '../lib/markup.ts';
import { UNLOADED } from '../lib/notice.ts';
import { type ChosenPlace, regionLabel } from '../lib/place-fields.ts';
import { type KeyedCredentialsForm, TOLD } from './keyed-credentials.ts';
import { Part } from './part.ts';

type Thing = Queue | Topic;
type Listed = { next_page_token: string | null } & ({ queues: Queue[] } | { topics: Topic[] });

class Inventory extends Part {
  constructor(owner: ParentNode) {
    super(owner, 'inventory');
  }

  wire(reactions: {
    retry: () => unknown;
    activate: (button: HTMLElement) => unknown;
    more: (page: number) => unknown;
  }): void {
    this.on('retry', reactions.retry);
    this.on('activate', reactions.activate);
    this.onMore('more-things', reactions.more);
  }

  /** Says where, and what clients of the product connect to. */
  describe(region: string, endpoint: string): void {
    fill(this.root, { region: regionLabel(region), endpoint });
  }

  render(things: Thing[], more: boolean, page: number): Promise<void> {
    const items = things.map((thing) => ({ id: thing.name, look: thing, render: () => this.#row(thing) }));
    return this.put('things', items, more ? Number.POSITIVE_INFINITY : 0, page);
  }

  #row(thing: Thing): HTMLElement {
    const row = this.copy('thing');
    const address = 'url' in thing ? thing.url : thing.arn;
    fill(row, { name: thing.name, address });
    const button = find(row, 'button', HTMLButtonElement);
    button.ariaLabel = button.title = `Copy the address of ${thing.name}`;
    button.addEventListener('click', async () => {
      const code = await import('../lib/copy.ts').catch(() => undefined);
      this.say(code ? await code.copyText(address) : UNLOADED);
    });
    return row;
  }
}

class KeyedInventory extends HTMLElement {
  #list = new Inventory(this);
  #latest = new Latest();
  #next: string | null = null;

  connectedCallback(): void {
    const form = this.#form;
    this.#list.wire({
      retry: () => form.retry(),
      activate: (button) => form.activate(button, (notice) => this.#list.announce(notice)),
      more: (page) => form.told?.state === 'told' && this.#load(form.told.place, page),
    });
    form.addEventListener(TOLD, () => this.#follow());
    this.#follow();
  }

  /** The element around this one; its script may yet be on its way. */
  get #form(): KeyedCredentialsForm {
    return this.closest('keyed-credentials') as KeyedCredentialsForm;
  }

  #follow(): void {
    const told = this.#form.told ?? { state: 'asking' };
    if (told.state === 'problem') this.#list.fail(told.problem);
    else if (told.state === 'told' && told.active) this.#list.await();
    else this.#list.show('loading');
    if (told.state !== 'told') return;
    this.#list.describe(told.place.region, told.endpoint);
    // What was paged through stays: its pages can only be read in turn.
    if (told.active && this.#list.pages === 1) void this.#load(told.place);
    else if (!told.active) this.#list.show('inactive');
  }

  async #load({ region, project }: ChosenPlace, page = 1): Promise<void> {
    const { told, dataset } = this.#form;
    const product = dataset.product as KeyedId;
    const query = { project_id: project, ...(page > 1 && this.#next && { page_token: this.#next }) };
    const result = await this.#latest.ask<Listed>((init) =>
      keyed[product].things.$get({ param: { region }, query }, { init }),
    );
    // It was told something else meanwhile, such as another place, or that the product is no longer active.
    if (this.#form.told !== told) return;
    if (!result.ok) return this.#list.fail(result.problem);
    const { body } = result;
    this.#next = body.next_page_token;
    this.#list.render('queues' in body ? body.queues : body.topics, body.next_page_token !== null, page);
  }
}

customElements.define('keyed-inventory', KeyedInventory);
