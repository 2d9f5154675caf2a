/**
 * The element `<access-key-credentials>`: whether Queues or Topics and Events is active in the selected project and region, and
 * the credentials for it.
 *
 * "Generate credentials": a click on the button loads access-key-credentials.actions.ts, whose `generate` opens the dialog. On
 * submit, ui/forms/form.ts validates the fields and `generate` sends the POST. Then show-new.ts marks the guide's step as
 * done, shows the secret and loads the list again.
 */

import { type AccessKeyCredentials, accessKeyEndpoints } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { PRODUCT_STATE_CHANGED } from '../../ui/panels/panel.ts';
import type { ProjectRegion } from '../../workspace/project-region-fields.ts';
import { CredentialsElement } from '../credentials-element.ts';
import { CredentialsPanel } from '../credentials-panel.ts';
import type { ApiFilter } from '../list-query.ts';
import type { AccessKeyProductId } from './products.ts';

type Actions = typeof import('./access-key-credentials.actions.ts');

/** What is known about the product in the selected project and region. */
export type ProductState =
  | { state: 'loading' }
  | { state: 'problem'; problem: Problem }
  | { state: 'known'; selection: ProjectRegion; active: boolean; endpoint: string };

/** See access-key-credentials.astro. */
export class AccessKeyCredentialsElement extends CredentialsElement<
  ProjectRegion,
  AccessKeyCredentials,
  Actions
> {
  readonly credentials: CredentialsPanel<AccessKeyCredentials> = new CredentialsPanel(
    this,
    ({ permissions }, code) => code.accessLevel(permissions),
    (action, credentials, button) => this.act(button, (actions) => actions.change(this, credentials, action)),
  );
  readonly panel = this.credentials;
  protected readonly loadActions = () => import('./access-key-credentials.actions.ts');
  endpoint = '';
  #productState: ProductState = { state: 'loading' };

  override connectedCallback(): void {
    this.credentials.bind({
      retry: () => this.start(),
      more: (page) => this.loadCredentials(page),
      generate: (button) => this.act(button, (actions) => actions.generate(this)),
    });
    this.credentials.bindProduct({
      activate: (button) => this.act(button, (actions) => actions.activate(this)),
      deactivate: (button) => this.act(button, (actions) => actions.deactivate(this)),
    });
    super.connectedCallback();
  }

  /** For the elements inside, which need not request it again. */
  get productState(): ProductState {
    return this.#productState;
  }

  retry(): void {
    void this.start();
  }

  /** Activates the product. `announce` shows the outcome. */
  activate(button: HTMLElement, announce: (notice: Notice) => void): void {
    void this.act(button, (actions) => actions.activate(this, announce), announce);
  }

  #setProductState(productState: ProductState): void {
    this.#productState = productState;
    this.dispatchEvent(new Event(PRODUCT_STATE_CHANGED));
  }

  override fail(problem: Problem, quiet = false): void {
    this.credentials.fail(problem, quiet);
    const shown = this.credentials.state === 'problem' || this.credentials.state === 'signed-out';
    if (problem.kind !== 'superseded' && shown) this.#setProductState({ state: 'problem', problem });
  }

  get product(): AccessKeyProductId {
    return this.dataset.product as AccessKeyProductId;
  }

  get owner(): ProjectRegion | undefined {
    return this.selection;
  }

  async load(): Promise<void> {
    this.resetProgress(false);
    this.#setProductState({ state: 'loading' });
    // `unchosen` disables "Generate credentials" until the product's state is known; `loading` alone would leave it enabled.
    this.credentials.show('unchosen');
    this.credentials.show('loading');
    await this.#loadProductState();
  }

  protected reload(): Promise<void> {
    return this.#loadProductState(true);
  }

  /** Loads whether the product is active, and lists the credentials if it is. */
  async #loadProductState(quiet = false): Promise<void> {
    const { selection } = this;
    if (!selection) return;
    const request = { param: { region: selection.region }, query: { project_id: selection.project } };
    const result = await this.latest.fetchResult<{ status: string }>((init) =>
      accessKeyEndpoints[this.product].info.$get(request, { init }),
    );
    if (!result.ok) return this.fail(result.problem, quiet);
    const info: { status: string } & Partial<Record<string, unknown>> = result.body;
    this.endpoint = String(info[`${this.product}_endpoint_url`]);
    this.updateProgress({ regionLoaded: true });
    const active = info.status === 'enabled';
    this.#setProductState({ state: 'known', selection, active, endpoint: this.endpoint });
    if (active) await this.loadCredentials(undefined, quiet);
    else this.credentials.show('inactive');
  }

  protected readPage(
    { region, project: project_id }: ProjectRegion,
    page: PageQuery & ApiFilter,
    init: RequestInit,
  ) {
    const query = { project_id, order_by: 'created_at_desc', ...page } as const;
    return sliceOf<Listed, AccessKeyCredentials>(
      () => accessKeyEndpoints[this.product].credentials.$get({ param: { region }, query }, { init }),
      (body) => ('sqs_credentials' in body ? body.sqs_credentials : body.sns_credentials),
    );
  }
}

type Listed = { total_count: number } & (
  | { sqs_credentials: AccessKeyCredentials[] }
  | { sns_credentials: AccessKeyCredentials[] }
);

customElements.define('access-key-credentials', AccessKeyCredentialsElement);
