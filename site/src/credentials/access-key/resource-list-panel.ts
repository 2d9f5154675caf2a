/** The rows of `<resource-list>`. Loaded if the product is active. */

import { accessKeyEndpoints, type Queue, type Topic } from '../../api/api.ts';
import { LatestRequest } from '../../api/request.ts';
import { fill, find } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Panel } from '../../ui/panels/panel.ts';
import type { AccessKeyCredentialsElement } from './access-key-credentials.ts';
import type { AccessKeyProductId } from './products.ts';

type Resource = Queue | Topic;
type Listed = { next_page_token: string | null } & ({ queues: Queue[] } | { topics: Topic[] });

export class ResourceRows extends Panel {
  readonly #form: AccessKeyCredentialsElement;
  readonly #latest = new LatestRequest();
  #next: string | null = null;

  constructor(owner: ParentNode, form: AccessKeyCredentialsElement) {
    super(owner, 'resources');
    this.#form = form;
  }

  /** Loads and shows a page of the selected project and region. */
  async load(page = 1): Promise<void> {
    const { productState, dataset } = this.#form;
    if (productState.state !== 'known') return;
    const { region, project } = productState.selection;
    const query = { project_id: project, ...(page > 1 && this.#next && { page_token: this.#next }) };
    const result = await this.#latest.fetchResult<Listed>((init) =>
      accessKeyEndpoints[dataset.product as AccessKeyProductId].resources.$get(
        { param: { region }, query },
        { init },
      ),
    );
    // The selection or the product's state has changed.
    if (this.#form.productState !== productState) return;
    if (!result.ok) return this.fail(result.problem);
    const { body } = result;
    this.#next = body.next_page_token;
    const resources = 'queues' in body ? body.queues : body.topics;
    const items = resources.map((resource) => ({
      id: resource.name,
      look: resource,
      render: () => this.#row(resource),
    }));
    await this.showPages('resources', items, this.#next === null ? 0 : Number.POSITIVE_INFINITY, page);
  }

  #row(resource: Resource): HTMLElement {
    const row = this.copy('resource');
    const address = 'url' in resource ? resource.url : resource.arn;
    fill(row, { name: resource.name, address });
    const button = find(row, 'button', HTMLButtonElement);
    button.ariaLabel = button.title = `Copy the address of ${resource.name}`;
    button.addEventListener('click', async () => {
      const code = await import('../../ui/copy.ts').catch(() => undefined);
      this.say(code ? await code.copyText(address) : UNLOADED);
    });
    return row;
  }
}
