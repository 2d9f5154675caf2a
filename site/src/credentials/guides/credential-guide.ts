/**
 * The element `<credential-guide>`: lets the reader choose credentials of any product. Once they are chosen,
 * followed-credentials.lazy.ts shows their state and runs the actions.
 */
import {
  type AccessKeyCredentials,
  accessKeyEndpoints,
  type NatsCredentials,
  natsAccounts,
  natsCredentials,
} from '../../api/api.ts';
import type { CredentialProductId } from '../../api/on-demand.ts';
import {
  fetchResult,
  LatestRequest,
  type PageQuery,
  type Result,
  type Slice,
  sliceOf,
} from '../../api/request.ts';
import { loadFor } from '../../ui/dom.ts';
import { say, UNLOADED } from '../../ui/panels/notice.ts';
import { readPages } from '../../ui/panels/read-pages.ts';
import { ProjectElement } from '../../workspace/project-element.ts';
import { followSelection } from '../../workspace/project-region-fields.ts';
import { choose } from '../../workspace/selection.ts';
import { type Choice, CredentialPicker } from './credential-picker.ts';
import { fromAddress, toAddress } from './followed-address.ts';
import type { FollowedCredentials } from './followed-credentials.lazy.ts';

type Credentials = Choice['credentials'];

/** See credential-guide.astro. */
export class CredentialGuide extends ProjectElement {
  readonly panel = new CredentialPicker(this);
  readonly #requests = new LatestRequest();
  /** Undefined until credentials are chosen. */
  #followed: FollowedCredentials | undefined;
  #chosen: string | undefined;

  override connectedCallback(): void {
    this.panel.bind({
      retry: () => this.start(),
      more: (page) => this.#list(page, page),
      search: () => this.#search(),
      choose: (credentials) => this.#follow(credentials),
    });
    this.panel.product.value = fromAddress('product') ?? this.panel.product.value;
    const find = this.querySelector<HTMLElement>('[data-action="find-key"]');
    find?.addEventListener('click', () => void this.#findKey(find));
    super.connectedCallback();
  }

  get product(): CredentialProductId {
    return this.panel.product.value as CredentialProductId;
  }

  /** Another project or region has other credentials. */
  protected override selectionChanged(): void {
    const before = this.selection;
    if (!before) return;
    const { region, project } = followSelection(this);
    if (region !== before.region || project !== before.project) this.#leave();
  }

  async load(): Promise<void> {
    this.#stop();
    this.showLoading();
    if (!(await this.#list(1, 1))) return;
    const id = fromAddress('credentials');
    if (id) await this.#open(id);
  }

  protected async reload(): Promise<void> {
    await Promise.all([this.#list(1, this.panel.pages, true), this.#followed?.check()]);
  }

  /** Follows credentials of the selected product and region. */
  async show(
    product: CredentialProductId,
    { region, project }: { region: string; project: string },
    id: string,
  ) {
    this.panel.product.value = product;
    this.panel.name = '';
    choose({ region, project });
    this.#leave();
    toAddress({ product, credentials: id });
    await this.load();
  }

  async #search(): Promise<void> {
    if (this.product !== (fromAddress('product') ?? 'nats')) {
      this.#leave();
      toAddress({ product: this.product });
      this.panel.show('loading');
    }
    await this.#list(1, 1);
  }

  async #list(first: number, last: number, quiet = false): Promise<boolean> {
    const { selection, product } = this;
    if (!selection) return false;
    const result = await this.#requests.run((init) =>
      readPages(first, last, (page) => this.#readPage(product, page, init)),
    );
    // A newer request has replaced this one.
    if (!result) return false;
    if (result.ok) await this.panel.render(result.body.items, result.body.total, last, first, this.#chosen);
    else this.panel.fail(result.problem, quiet);
    return result.ok;
  }

  async #readPage(
    product: CredentialProductId,
    page: PageQuery,
    init: RequestInit,
  ): Promise<Result<Slice<Choice>>> {
    const { region = '', project: project_id = '' } = this.selection ?? {};
    const { name } = this.panel;
    const request = {
      param: { region },
      query: { project_id, order_by: 'created_at_desc', ...(name && { name }), ...page } as const,
    };
    if (product !== 'nats') {
      return sliceOf<KeyList, Choice>(
        () => accessKeyEndpoints[product].credentials.$get(request, { init }),
        (body) =>
          ('sqs_credentials' in body ? body.sqs_credentials : body.sns_credentials).map((credentials) => ({
            credentials,
            about: credentials.access_key,
          })),
      );
    }
    const accounts = fetchResult(() =>
      natsAccounts.$get({ param: { region }, query: { project_id, page_size: '100' } }, { init }),
    );
    const listed = await sliceOf(
      () => natsCredentials.$get(request, { init }),
      (body) => body.nats_credentials,
    );
    const known = await accounts;
    const names = new Map(known.ok ? known.body.nats_accounts.map(({ id, name }) => [id, name]) : []);
    const choiceOf = (credentials: NatsCredentials) => {
      const { nats_account_id: id } = credentials;
      return { credentials, about: names.get(id) ?? `${id.slice(0, 5)}…${id.slice(-4)}` };
    };
    if (!listed.ok) return listed;
    return { ...listed, body: { ...listed.body, items: listed.body.items.map(choiceOf) } };
  }

  /** Follows the credentials in the page's address, which need not be on the first page of the list. */
  async #open(id: string): Promise<void> {
    const code = await import('./chosen-credentials.lazy.ts').catch(() => undefined);
    const param = { region: this.selection?.region ?? '', credentials_id: id };
    const found = code ? await code.readCredentials(this.product, param) : UNLOADED;
    if ('id' in found) {
      this.panel.select(id);
      return this.#follow(found, fromAddress('from'));
    }
    this.#leave();
    this.panel.say(found);
  }

  async #follow(credentials: Credentials, from?: string): Promise<void> {
    const { id } = credentials;
    this.#stop();
    this.#chosen = id;
    toAddress({ product: this.product, credentials: id, from });
    this.panel.say();
    const code = await import('./followed-credentials.lazy.ts').catch(() => undefined);
    if (this.#chosen !== id) return;
    if (!code) return this.panel.announce(UNLOADED);
    const followed = new code.FollowedCredentials(this, this.product, credentials, () =>
      this.#list(1, this.panel.pages, true),
    );
    this.#followed = followed;
    await followed.start();
  }

  /** Stops following credentials, and removes them from the page's address. */
  #leave(): void {
    this.#stop();
    toAddress({ credentials: undefined, from: undefined });
  }

  #stop(): void {
    this.#followed?.stop();
    this.#followed = undefined;
    this.#chosen = undefined;
  }

  async #findKey(button: HTMLElement): Promise<void> {
    const code = await loadFor(
      button,
      import('./find-key.lazy.ts').then((loaded) => loaded.findKey(this)),
    );
    if (!code) say(button.closest('section') ?? this, UNLOADED);
  }
}

type KeyList = { total_count: number } & (
  | { sqs_credentials: AccessKeyCredentials[] }
  | { sns_credentials: AccessKeyCredentials[] }
);

customElements.define('credential-guide', CredentialGuide);
