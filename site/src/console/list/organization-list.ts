/**
 * What the lists of an organization have in common: open the organization, load a page, follow another choice, and load
 * what changes things only when somebody wants to. A subclass says what is listed and what can be done with it.
 */

import type { CurrentPrincipal, Organization } from '../../api/api.ts';
import { LatestRequest, type PageQuery, type Result, type Slice } from '../../api/request.ts';
import { busyWhile } from '../../ui/dom.ts';
import { type Notice, UNLOADED } from '../../ui/panels/notice.ts';
import { onStale } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { loadOrganization, onOtherOrganization } from '../../workspace/load-organization.ts';
import { ListPanel, type Row } from './list-panel.ts';

/** Who looks at which organization. */
export interface Context {
  principal: CurrentPrincipal;
  organization: Organization;
}

/** See the file's description. */
export abstract class OrganizationList<Resource> extends HTMLElement {
  readonly #latest = new LatestRequest();
  protected list!: ListPanel<Resource>;
  #context: Context | undefined;
  #acting = false;

  /** The panel's id. */
  protected abstract readonly panel: string;
  protected abstract read(
    context: Context,
    page: PageQuery,
    init: RequestInit,
  ): Promise<Result<Slice<Resource>>>;
  protected abstract describe(resource: Resource, context: Context): Row;
  protected abstract create(context: Context, button: HTMLElement): Promise<unknown>;

  connectedCallback(): void {
    this.list = new ListPanel(this, this.panel, (resource) => this.describe(resource, this.context));
    this.list.bind({
      retry: () => this.#start(),
      more: (page) => this.load(page),
      create: (button) => this.create(this.context, button),
    });
    onOtherOrganization(() => this.#start());
    onStale(this.list, {
      start: () => this.#start(),
      open: loadOrganization,
      again: () => this.load(undefined, true),
    });
    void this.#start();
  }

  protected get context(): Context {
    if (!this.#context) throw new Error('nothing is listed before the organization is open');
    return this.#context;
  }

  /** Lists the next page; without one, all pages that are shown. `quiet` is for what nobody has asked for. */
  protected async load(next?: number, quiet = false): Promise<void> {
    const [first, last] = next ? [next, next] : [1, this.list.pages];
    this.list.await();
    const { context } = this;
    const result = await this.#latest.run((init) =>
      readPages(first, last, (page) => this.read(context, page, init)),
    );
    // Overtaken, or the reader has turned to another organization.
    if (!result || context !== this.#context) return;
    if (result.ok) await this.list.render(result.body.items, result.body.total, last, first);
    else this.list.fail(result.problem, quiet);
  }

  /**
   * Runs an action of a module that is loaded for it. One at a time: they share the dialogs, and what one has read would
   * be shown in the form of another.
   */
  protected async act<Actions>(
    button: HTMLElement,
    loading: Promise<Actions>,
    action: (actions: Actions) => Promise<unknown>,
  ): Promise<void> {
    if (this.#acting) return;
    this.#acting = true;
    try {
      const actions = await busyWhile(
        button,
        loading.catch(() => undefined),
      );
      if (actions) await action(actions);
      else this.list.announce(UNLOADED);
    } finally {
      this.#acting = false;
    }
  }

  /** Lists anew, and says what has happened. */
  protected async done(notice: Notice, id?: string): Promise<void> {
    await this.load();
    if (id) this.list.announceNew(notice, id);
    else this.list.announce(notice);
  }

  async #start(): Promise<void> {
    this.list.show('loading');
    const opened = await loadOrganization();
    if (!opened.ok) return this.list.fail(opened.problem);
    this.#context = opened;
    await this.load();
  }
}
