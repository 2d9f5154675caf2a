/** The queues or topics that `<resource-list>` lists. Loaded where the product is active. */

import { keyed, type Queue, type Topic } from '../../api/api.ts';
import { LatestRequest } from '../../api/request.ts';
import { fill, find } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Part } from '../../ui/panels/panel.ts';
import type { KeyedCredentialsForm } from './access-key-credentials.ts';
import type { KeyedId } from './products.ts';

type Thing = Queue | Topic;
type Listed = { next_page_token: string | null } & ({ queues: Queue[] } | { topics: Topic[] });

/** See the file's description. */
export class InventoryList extends Part {
  readonly #form: KeyedCredentialsForm;
  readonly #latest = new LatestRequest();
  #next: string | null = null;

  constructor(owner: ParentNode, form: KeyedCredentialsForm) {
    super(owner, 'inventory');
    this.#form = form;
  }

  /** Reads a page in the place that the element around it works in, and shows it. */
  async load(page = 1): Promise<void> {
    const { productState, dataset } = this.#form;
    if (productState.state !== 'known') return;
    const { region, project } = productState.selection;
    const query = { project_id: project, ...(page > 1 && this.#next && { page_token: this.#next }) };
    const result = await this.#latest.fetchResult<Listed>((init) =>
      keyed[dataset.product as KeyedId].things.$get({ param: { region }, query }, { init }),
    );
    // The element has learned something else, such as another place, or that the product is no longer active.
    if (this.#form.productState !== productState) return;
    if (!result.ok) return this.fail(result.problem);
    const { body } = result;
    this.#next = body.next_page_token;
    const things = 'queues' in body ? body.queues : body.topics;
    const items = things.map((thing) => ({ id: thing.name, look: thing, render: () => this.#row(thing) }));
    await this.put('things', items, this.#next === null ? 0 : Number.POSITIVE_INFINITY, page);
  }

  #row(thing: Thing): HTMLElement {
    const row = this.copy('thing');
    const address = 'url' in thing ? thing.url : thing.arn;
    fill(row, { name: thing.name, address });
    const button = find(row, 'button', HTMLButtonElement);
    button.ariaLabel = button.title = `Copy the address of ${thing.name}`;
    button.addEventListener('click', async () => {
      const code = await import('../../ui/copy.ts').catch(() => undefined);
      this.say(code ? await code.copyText(address) : UNLOADED);
    });
    return row;
  }
}
