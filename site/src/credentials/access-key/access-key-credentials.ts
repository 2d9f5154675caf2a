/**
 * The element `<access-key-credentials>`: loads whether the product is active in the chosen project and region, and its
 * credentials. Owns the order of steps and the GET requests. access-key-credentials.actions.ts sends the requests that
 * change data; credentials-panel.ts displays the list.
 *
 * "Generate credentials": once the list has loaded, credentials-panel.ts calls `#generate` here on a click. It imports
 * access-key-credentials.actions.ts, whose `generate` opens the dialog (ui/dialogs/form-dialog.ts). On submit,
 * ui/forms/form.ts validates the fields and calls back to send the POST. Then guide/progress.ts marks the guide's step as done,
 * ui/dialogs/secret-dialog.ts shows the secret, and after it is closed the list is loaded again.
 */

import { type AccessKeyCredentials, accessKeyEndpoints } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { LatestRequest, type PageQuery, type Result, type Slice, sliceOf } from '../../api/request.ts';
import type { CodeSamples } from '../../guide/code-samples.ts';
import { type GuideProgress, tickSteps } from '../../guide/progress.ts';
import { busyWhile, find } from '../../ui/dom.ts';
import { type Notice, UNLOADED } from '../../ui/panels/notice.ts';
import { onStale, PRODUCT_STATE_CHANGED } from '../../ui/panels/panel.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { loadProject } from '../../workspace/load-project.ts';
import {
  bindProjectRegionFields,
  followSelection,
  type ProjectRegion,
} from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { SELECTION_CHANGED } from '../../workspace/selection.ts';
import { CredentialsPanel } from '../credentials-panel.ts';
import type { AccessKeyProductId } from './products.ts';

type Actions = typeof import('./access-key-credentials.actions.ts');

/** What the API has told of the product in the place; `loading` until it has. */
export type ProductState =
  | { state: 'loading' }
  | { state: 'problem'; problem: Problem }
  | { state: 'known'; selection: ProjectRegion; active: boolean; endpoint: string };

/** See access-key-credentials.astro. */
export class AccessKeyCredentialsElement extends HTMLElement {
  #selection: ProjectRegion | undefined;
  #progress: GuideProgress = { regionLoaded: false };
  #endpoint = '';
  #credentials = new CredentialsPanel<AccessKeyCredentials>(
    this,
    ({ permissions }) => this.#rows?.accessLevel(permissions) ?? '',
    (row, credentials) =>
      this.#rows?.attachMenu(
        row,
        credentials.name,
        {
          update: (button) => this.#act(button, (actions) => this.#update(actions, credentials)),
          revoke: (button) => this.#act(button, (actions) => this.#revoke(actions, credentials)),
        },
        this.#announce,
      ),
  );
  #rows: typeof import('./credential-rows.lazy.ts') | undefined;
  #announce = (notice: Notice) => this.#credentials.announce(notice);
  #latest = new LatestRequest();
  #productState: ProductState = { state: 'loading' };

  connectedCallback(): void {
    bindProjectRegionFields(this);
    this.#credentials.bind({
      retry: () => this.#start(),
      more: (page) => this.#loadCredentials(page),
      generate: (button) => this.#act(button, (actions) => this.#generate(actions)),
    });
    this.#credentials.bindProduct({
      activate: (button) => this.#act(button, (actions) => this.#activate(actions)),
      deactivate: (button) => this.#act(button, (actions) => this.#deactivate(actions)),
    });
    document.addEventListener(SELECTION_CHANGED, () => this.#follow());
    onStale(this.#credentials, {
      start: () => this.#start(),
      open: () => loadProject(this),
      again: () => this.#loadProductState(true),
    });
    void customElements.whenDefined('code-samples').then(() => this.#updateSamples({}));
    this.#follow();
    void this.#start();
  }

  /** What the parts beside the list need to know, so that they don't have to ask for themselves. */
  get productState(): ProductState {
    return this.#productState;
  }

  /** Asks anew. */
  retry(): void {
    void this.#start();
  }

  /** Activates the product here, for a part that offers it; what came of it is said by `announce`. */
  activate(button: HTMLElement, announce: (notice: Notice) => void): void {
    void this.#act(button, (actions) => this.#activate(actions, announce), announce);
  }

  #setProductState(productState: ProductState): void {
    this.#productState = productState;
    this.dispatchEvent(new Event(PRODUCT_STATE_CHANGED));
  }

  /** Shows a problem in place of the list, and tells of it. */
  #fail(problem: Problem, quiet = false): void {
    this.#credentials.fail(problem, quiet);
    const shown = this.#credentials.state === 'problem' || this.#credentials.state === 'signed-out';
    if (problem.kind !== 'superseded' && shown) this.#setProductState({ state: 'problem', problem });
  }

  get #product(): AccessKeyProductId {
    return this.dataset.product as AccessKeyProductId;
  }

  async #start(): Promise<void> {
    this.#credentials.show('loading');
    const opened = await loadProject(this);
    if (!opened.ok) return this.#fail(opened.problem);
    this.#selection = opened.selection;
    await this.#load();
  }

  #follow(): void {
    const before = this.#selection;
    const selection = followSelection(this);
    this.#credentials.nameRegion(regionLabel(selection.region));
    this.#updateSamples({});
    if (!before || (before.region === selection.region && before.project === selection.project)) return;
    this.#selection = selection;
    void this.#load();
  }

  /** Asks whether the product is active, and lists the credentials if it is. */
  async #load(): Promise<void> {
    this.#progress = { regionLoaded: false };
    this.#updateProgress({});
    this.#setProductState({ state: 'loading' });
    // Nothing is offered before it is known of this place; while only the list is read anew, it stays.
    this.#credentials.show('unchosen');
    this.#credentials.show('loading');
    await this.#loadProductState();
  }

  async #loadProductState(quiet = false): Promise<void> {
    const selection = this.#selection;
    if (!selection) return;
    const request = { param: { region: selection.region }, query: { project_id: selection.project } };
    const result = await this.#latest.fetchResult<{ status: string }>((init) =>
      accessKeyEndpoints[this.#product].info.$get(request, { init }),
    );
    if (!result.ok) return this.#fail(result.problem, quiet);
    const info: { status: string } & Partial<Record<string, unknown>> = result.body;
    this.#endpoint = String(info[`${this.#product}_endpoint_url`]);
    this.#updateProgress({ regionLoaded: true });
    const active = info.status === 'enabled';
    this.#setProductState({ state: 'known', selection, active, endpoint: this.#endpoint });
    if (active) await this.#loadCredentials(undefined, quiet);
    else this.#credentials.show('inactive');
  }

  /** Lists the next page; without one, all pages that are shown. */
  async #loadCredentials(next?: number, quiet = false): Promise<void> {
    const selection = this.#selection;
    if (!selection) return;
    const [first, last] = next ? [next, next] : [1, this.#credentials.pages];
    this.#credentials.await();
    const rows = import('./credential-rows.lazy.ts').catch(() => undefined);
    const result = await this.#latest.run((init) =>
      readPages(first, last, (page) => this.#page(selection, page, init)),
    );
    this.#rows = await rows;
    if (!result) return;
    if (!result.ok) return this.#credentials.fail(result.problem, quiet);
    if (!this.#rows) return this.#credentials.fail({ kind: 'refused', message: UNLOADED.text });
    await this.#credentials.render(result.body.items, result.body.total, last, first);
    this.#updateProgress({ listed: this.#credentials.ids });
  }

  #page(
    { region, project: project_id }: ProjectRegion,
    page: PageQuery,
    init: RequestInit,
  ): Promise<Result<Slice<AccessKeyCredentials>>> {
    const query = { project_id, order_by: 'created_at_desc', ...page } as const;
    return sliceOf<Listed, AccessKeyCredentials>(
      () => accessKeyEndpoints[this.#product].credentials.$get({ param: { region }, query }, { init }),
      (body) => ('sqs_credentials' in body ? body.sqs_credentials : body.sns_credentials),
    );
  }

  async #activate({ activate }: Actions, announce = this.#announce): Promise<void> {
    const selection = this.#selection;
    if (!selection) return;
    this.#credentials.show('loading');
    const { problem, notice } = await activate(this.#product, selection);
    if (problem) return this.#fail(problem);
    await this.#load();
    announce(notice);
  }

  async #deactivate({ deactivate }: Actions): Promise<void> {
    const selection = this.#selection;
    const notice =
      selection && (await deactivate(this, this.#product, { ...selection, projectName: this.#projectName }));
    if (notice) await this.#done(notice, {}, this.#load());
  }

  async #generate({ generate, showSecret }: Actions): Promise<void> {
    const selection = this.#selection;
    const issued =
      selection &&
      (await generate(this, this.#product, { ...selection, projectName: this.#projectName }, (choice) =>
        this.#updateSamples(choice),
      ));
    if (!issued) return;
    this.#updateProgress({ issued: issued.id });
    await showSecret(this, this.#product, issued, this.#endpoint);
    // Only now: they may have been used, or revoked elsewhere, while the secret was on screen.
    await this.#loadCredentials();
    this.#credentials.announceNew(issued);
  }

  async #update({ update }: Actions, credentials: AccessKeyCredentials): Promise<void> {
    const notice = await update(this, this.#product, credentials);
    if (notice) await this.#done(notice, { updated: credentials.id });
  }

  async #revoke({ revoke }: Actions, credentials: AccessKeyCredentials): Promise<void> {
    const notice = await revoke(this, this.#product, credentials);
    if (notice) await this.#done(notice, { revoked: { id: credentials.id, pending: false } });
  }

  /** Says what was done once it is shown. */
  async #done(
    notice: Notice,
    progress: Partial<GuideProgress>,
    shown = this.#loadCredentials(),
  ): Promise<void> {
    this.#updateProgress(progress);
    await shown;
    this.#credentials.announce(notice);
  }

  /** Loads what changes things, for an action of a button; `announce` says that it could not be. */
  async #act(
    button: HTMLElement,
    action: (actions: Actions) => Promise<void>,
    announce = this.#announce,
  ): Promise<void> {
    const actions = await busyWhile(
      button,
      import('./access-key-credentials.actions.ts').catch(() => undefined),
    );
    if (actions) await action(actions);
    else announce(UNLOADED);
  }

  get #projectName(): string {
    return find(this, 'select[name="project"]', HTMLSelectElement).selectedOptions[0]?.text ?? '';
  }

  #updateProgress(progress: Partial<GuideProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    tickSteps(this, this.#progress);
  }

  #updateSamples(choice: Record<string, string>): void {
    const values = { ...followSelection(this), ...choice };
    for (const samples of this.querySelectorAll<CodeSamples>('code-samples')) samples.update?.(values);
  }
}

type Listed = { total_count: number } & (
  | { sqs_credentials: AccessKeyCredentials[] }
  | { sns_credentials: AccessKeyCredentials[] }
);

customElements.define('access-key-credentials', AccessKeyCredentialsElement);
