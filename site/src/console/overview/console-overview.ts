/**
 * The element `<console-overview>`: counts resources of the selected project and region. Leaves out counts that cannot be
 * read, because the linked pages show why.
 */

import type { ProductId } from '../../../../db/products.ts';
import { accessKeyEndpoints, natsAccounts } from '../../api/api.ts';
import { type ApiResponse, fetchResult } from '../../api/request.ts';
import type { AccessKeyProductId } from '../../credentials/access-key/products.ts';
import { copyOf, fill, find } from '../../ui/dom.ts';
import { Panel } from '../../ui/panels/panel.ts';
import { pluralize } from '../../ui/pluralize.ts';
import { loadProject } from '../../workspace/load-project.ts';
import {
  bindProjectRegionFields,
  followSelection,
  type ProjectRegion,
} from '../../workspace/project-region-fields.ts';
import { SELECTION_CHANGED } from '../../workspace/selection.ts';

class Trouble extends Panel {
  constructor(owner: ParentNode) {
    super(owner, 'trouble');
  }

  bind(retry: () => unknown): void {
    this.on('retry', retry);
  }

  override say(): void {}
}

const COUNTS: Record<ProductId, (selection: ProjectRegion) => Promise<string>> = {
  nats: async ({ region, project }) => {
    const query = { project_id: project, page_size: '1' };
    const result = await fetchResult(() => natsAccounts.$get({ param: { region }, query }));
    return result.ok ? pluralize(result.body.total_count, 'account') : '';
  },
  sqs: (selection) => countAccessKeyCredentials('sqs', selection),
  sns: (selection) => countAccessKeyCredentials('sns', selection),
};

async function countAccessKeyCredentials(
  product: AccessKeyProductId,
  { region, project }: ProjectRegion,
): Promise<string> {
  const param = { region };
  const info = await fetchResult<{ status: string }>(() =>
    accessKeyEndpoints[product].info.$get({ param, query: { project_id: project } }),
  );
  if (!info.ok) return '';
  if (info.body.status !== 'enabled') return 'Not active here yet';
  const query = { project_id: project, page_size: '1' };
  const list = await fetchResult<{ total_count: number }>(
    (): Promise<ApiResponse<{ total_count: number }>> =>
      accessKeyEndpoints[product].credentials.$get({ param, query }),
  );
  if (!list.ok) return 'Active';
  const count = list.body.total_count;
  return `Active, ${count} ${count === 1 ? 'set' : 'sets'} of credentials`;
}

class ConsoleOverview extends HTMLElement {
  #selection: ProjectRegion | undefined;
  #trouble = new Trouble(this);

  connectedCallback(): void {
    bindProjectRegionFields(this);
    this.#trouble.bind(() => this.#start());
    document.addEventListener(SELECTION_CHANGED, () => this.#follow());
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#trouble.show('loading');
    const opened = await loadProject(this);
    if (!opened.ok) return this.#trouble.fail(opened.problem);
    this.#trouble.show('ready');
    this.#count(opened.selection);
  }

  #follow(): void {
    const selection = followSelection(this);
    const before = this.#selection;
    if (!before || (before.region === selection.region && before.project === selection.project)) return;
    this.#count(selection);
  }

  #count(selection: ProjectRegion): void {
    this.#selection = selection;
    for (const [product, count] of Object.entries(COUNTS)) {
      fill(this, { [product]: '' });
      void count(selection).then((text) => {
        // Ignore responses for an earlier selection.
        if (selection === this.#selection) fill(this, { [product]: text });
      });
    }
    const block = find(this, '[data-block="attention"]', HTMLElement);
    block.hidden = true;
    void import('./attention.lazy.ts')
      .then((code) => code.readNotices(this, selection))
      .catch(() => [])
      .then((notices) => selection === this.#selection && this.#showNotices(block, notices));
  }

  /** Shows what needs attention. Each notice links to the list of its credentials. */
  #showNotices(block: HTMLElement, notices: { text: string; href: string }[]): void {
    const template = find(block, 'template', HTMLTemplateElement);
    const items = notices.map(({ text, href }) => {
      const item = copyOf(template);
      fill(item, { notice: text });
      find(item, 'a', HTMLAnchorElement).href = href;
      return item;
    });
    find(block, 'ul', HTMLElement).replaceChildren(...items);
    block.hidden = items.length === 0;
  }
}

customElements.define('console-overview', ConsoleOverview);
