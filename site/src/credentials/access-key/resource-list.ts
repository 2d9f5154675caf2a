/**
 * The element `<resource-list>`: lists queues or topics once `<access-key-credentials>` around it knows that the product is
 * active. Loads when its tab is shown.
 */
import { fill } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { Panel, PRODUCT_STATE_CHANGED } from '../../ui/panels/panel.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { AccessKeyCredentialsElement } from './access-key-credentials.ts';
import type { ResourceRows } from './resource-list-panel.ts';

export class ResourcePanel extends Panel {
  constructor(owner: ParentNode) {
    super(owner, 'resources');
  }

  bind(reactions: {
    retry: () => unknown;
    activate: (button: HTMLElement) => unknown;
    more: () => unknown;
  }): void {
    this.on('retry', reactions.retry);
    this.on('activate', reactions.activate);
    this.onMore('more-resources', reactions.more);
  }

  /** Shows the region and the endpoint. */
  describe(region: string, endpoint: string): void {
    fill(this.root, { region: regionLabel(region), endpoint });
  }
}

class ResourceListElement extends HTMLElement {
  #panel = new ResourcePanel(this);
  #list: ResourceRows | undefined;

  connectedCallback(): void {
    const form = this.#form;
    this.#panel.bind({
      retry: () => form.retry(),
      activate: (button) => form.activate(button, (notice) => this.#panel.announce(notice)),
      more: () => this.#list?.load(this.#list.pages + 1),
    });
    form.addEventListener(PRODUCT_STATE_CHANGED, () => this.#follow());
    this.#follow();
  }

  /** The element around this one. Its script may not have loaded yet. */
  get #form(): AccessKeyCredentialsElement {
    return this.closest('access-key-credentials') as AccessKeyCredentialsElement;
  }

  #follow(): void {
    const productState = this.#form.productState ?? { state: 'loading' };
    if (productState.state === 'problem') {
      this.#panel.fail(productState.problem);
      return;
    }
    if (productState.state === 'loading') {
      this.#list = undefined;
      this.#panel.show('loading');
      return;
    }
    this.#panel.describe(productState.selection.region, productState.endpoint);
    if (!productState.active) {
      this.#list = undefined;
      this.#panel.show('inactive');
      return;
    }
    if (!this.#list) this.#panel.show('loading');
    // Later pages can only be read one after another, so a list with several pages is not refreshed.
    if ((this.#list?.pages ?? 1) === 1) void this.#load();
  }

  async #load(): Promise<void> {
    const form = this.#form;
    const code = await import('./resource-list-panel.ts').catch(() => undefined);
    if (!code) return this.#panel.fail({ kind: 'refused', message: UNLOADED.text });
    this.#list ??= new code.ResourceRows(this, form);
    await this.#list.load();
  }
}

customElements.define('resource-list', ResourceListElement);
