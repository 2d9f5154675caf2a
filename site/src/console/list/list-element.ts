/** Base class of the lists in the console: loads a context and the pages of a list. A subclass says what it lists. */

import type { Problem } from '../../api/errors.ts';
import { LatestRequest, type PageQuery, type Result, type Slice } from '../../api/request.ts';
import { loadFor } from '../../ui/dom.ts';
import { type Notice, UNLOADED } from '../../ui/panels/notice.ts';
import { onStale } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { ListPanel, type Row } from './list-panel.ts';

/** `Context` is what the resources belong to, such as an organization or a NATS account. */
export abstract class ListElement<Resource, Context extends object> extends HTMLElement {
  readonly #latest = new LatestRequest();
  protected list!: ListPanel<Resource>;
  #context: Context | undefined;
  #acting = false;

  protected abstract readonly panel: string;
  protected abstract open(): Promise<({ ok: true } & Context) | { ok: false; problem: Problem }>;
  /** Calls `restart` when the context is another one. */
  protected abstract onOtherContext(restart: () => void): void;
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
    this.onOtherContext(() => void this.#start());
    onStale(this.list, {
      start: () => this.#start(),
      open: () => this.open(),
      again: () => this.load(undefined, true),
    });
    void this.#start();
  }

  protected get context(): Context {
    if (!this.#context) throw new Error('nothing is listed before the context is loaded');
    return this.#context;
  }

  /** Lists the given page; without one, all pages that are shown. `quiet` keeps the list if the request fails. */
  protected async load(next?: number, quiet = false): Promise<void> {
    const [first, last] = next ? [next, next] : [1, this.list.pages];
    this.list.await();
    const { context } = this;
    const result = await this.#latest.run((init) =>
      readPages(first, last, (page) => this.read(context, page, init)),
    );
    // A newer request replaced this one, or the context is another one.
    if (!result || context !== this.#context) return;
    if (result.ok) await this.list.render(result.body.items, result.body.total, last, first);
    else this.list.fail(result.problem, quiet);
  }

  /** Loads a module and runs an action of it. One at a time, because actions share dialogs. */
  protected async act<Actions>(
    button: HTMLElement,
    loading: Promise<Actions>,
    action: (actions: Actions) => Promise<unknown>,
  ): Promise<void> {
    if (this.#acting) return;
    this.#acting = true;
    try {
      const actions = await loadFor(button, loading);
      if (actions) await action(actions);
      else this.list.announce(UNLOADED);
    } finally {
      this.#acting = false;
    }
  }

  /** Loads the list again, then announces an outcome. */
  protected async done(notice: Notice, id?: string): Promise<void> {
    await this.load();
    if (id) this.list.announceNew(notice, id);
    else this.list.announce(notice);
  }

  async #start(): Promise<void> {
    this.list.show('loading');
    const opened = await this.open();
    if (!opened.ok) return this.list.fail(opened.problem);
    this.#context = opened;
    await this.load();
  }
}
