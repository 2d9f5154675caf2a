/**
 * Base class of `<nats-credentials>` and `<access-key-credentials>`: lists credentials, marks steps of a guide as done, and
 * fills in the code samples. The requests that change data are in the `.actions.ts` of each, which loads on first use.
 */

import { LatestRequest, type PageQuery, type Result, type Slice } from '../api/request.ts';
import type { CodeSamples } from '../guide/code-samples.ts';
import { type GuideProgress, tickSteps } from '../guide/progress.ts';
import { loadFor } from '../ui/dom.ts';
import { type Notice, UNLOADED } from '../ui/panels/notice.ts';
import { readPages } from '../ui/panels/read-pages.ts';
import { ProjectElement } from '../workspace/project-element.ts';
import { followSelection } from '../workspace/project-region-fields.ts';
import type { CredentialsPanel, Listed } from './credentials-panel.ts';
import type { ApiFilter } from './list-query.ts';
import type { ListTools } from './list-tools.lazy.ts';

/** Lists of more credentials have tools: search, filters, selection. */
const FEW = 5;

/** The address of a page whose list is searched, filtered or sorted (list-query.ts). */
const QUERIED = /[?&](search|status|tag|expires|unused|sort)=/;

/** `Owner` is what the credentials belong to: a NATS account, or a project in a region. */
export abstract class CredentialsElement<Owner, Credentials extends Listed, Actions> extends ProjectElement {
  abstract readonly credentials: CredentialsPanel<Credentials>;
  /** Undefined until it is chosen. */
  abstract readonly owner: Owner | undefined;
  protected abstract readonly loadActions: () => Promise<Actions>;
  protected abstract readPage(
    owner: Owner,
    page: PageQuery & ApiFilter,
    init: RequestInit,
  ): Promise<Result<Slice<Credentials>>>;

  protected readonly latest = new LatestRequest();
  progress: GuideProgress = { regionLoaded: false };
  /** Values for the code samples from the form. */
  #choice: Record<string, string> = {};
  /** Undefined until the list is long, or the address has a query for it. */
  #tools: ListTools | undefined;

  override connectedCallback(): void {
    void customElements.whenDefined('code-samples').then(() => this.updateSamples());
    super.connectedCallback();
  }

  protected override selectionChanged(): void {
    this.updateSamples();
  }

  /** Lists the given page; without one, all pages that are shown. `quiet` keeps the list if the request fails. */
  async loadCredentials(next?: number, quiet = false): Promise<void> {
    const { owner, credentials } = this;
    if (!owner) return;
    const [first, last] = next ? [next, next] : [1, credentials.pages];
    credentials.await();
    // Load this at the same time as the data.
    void import('./credential-row.lazy.ts').catch(() => undefined);
    const result = await this.latest.run(async (init) => {
      if (QUERIED.test(location.search)) await this.#loadTools();
      const filter = this.#tools?.filter;
      return readPages(first, last, (page) => this.readPage(owner, { ...filter, ...page }, init));
    });
    // A newer request replaced this one, or another owner was chosen.
    if (!result || owner !== this.owner) return;
    if (!result.ok) return credentials.fail(result.problem, quiet);
    const { items, total } = result.body;
    credentials.filtered = this.#tools?.filtered ?? false;
    await credentials.render(items, total, last, first);
    if (total > FEW) await this.#loadTools();
    this.#tools?.update(total, total > FEW);
    this.updateProgress({ listed: new Set(credentials.listed.keys()) });
  }

  /** Shows all credentials again, the newest first. The caller loads them. */
  resetList(): void {
    this.#tools?.reset();
  }

  async #loadTools(): Promise<void> {
    const code = await import('./list-tools.lazy.ts').catch(() => undefined);
    if (code) this.#tools ??= new code.ListTools(this);
  }

  /** Loads the actions and runs one. `announce` reports that they could not be loaded. */
  protected async act(
    button: HTMLElement,
    action: (actions: Actions) => Promise<void>,
    announce = (notice: Notice) => this.credentials.announce(notice),
  ): Promise<void> {
    const actions = await loadFor(button, this.loadActions());
    if (actions) await action(actions);
    else announce(UNLOADED);
  }

  protected resetProgress(regionLoaded: boolean): void {
    this.progress = { regionLoaded };
    this.updateProgress({});
  }

  updateProgress(progress: Partial<GuideProgress>): void {
    this.progress = { ...this.progress, ...progress };
    tickSteps(this, this.progress);
  }

  /** Fills the selection and `choice` into the code samples. Samples that load later get all values. */
  updateSamples(choice: Record<string, string> = {}): void {
    this.#choice = { ...this.#choice, ...choice };
    const values = { ...followSelection(this), ...this.#choice };
    for (const samples of this.querySelectorAll<CodeSamples>('code-samples')) samples.update?.(values);
  }
}
