/**
 * The element `<credential-page>`: shows the credentials in the page's address, and opens the dialogs that change them. Usage
 * and history load afterwards, in usage-panel.lazy.ts and history-panel.lazy.ts.
 */

import type { ProductId } from '../../../../db/products.ts';
import {
  type AccessKeyCredentials,
  type NatsAccount,
  type NatsCredentials,
  natsAccounts,
  projects,
} from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { credentialEndpoints, natsRoles } from '../../api/on-demand.ts';
import { type ApiResponse, fetchResult, LatestRequest } from '../../api/request.ts';
import { currentSession } from '../../api/session.ts';
import type { AccessKeyProductId } from '../../credentials/access-key/products.ts';
import type { Action } from '../../credentials/allowed-actions.ts';
import { loadFor } from '../../ui/dom.ts';
import { type Notice, UNLOADED } from '../../ui/panels/notice.ts';
import { onStale } from '../../ui/panels/panel.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { CredentialPanel } from './credential-panel.ts';

export type Credentials = AccessKeyCredentials | NatsCredentials;

type Actions = typeof import('./credential-page.actions.ts');

/** The panels below the credentials: each shows something about the credentials with this id. */
interface Below {
  load(credentials: Credentials, organization: string | undefined, quiet: boolean): Promise<void>;
}

class CredentialPage extends HTMLElement {
  readonly credentials = new CredentialPanel(this);
  #shown: Credentials | undefined;
  /** The account of NATS credentials, once it is loaded. */
  #account: NatsAccount | undefined;
  #latest = new LatestRequest();
  #below: Promise<Below[]> | undefined;

  connectedCallback(): void {
    this.credentials.bind({
      retry: () => this.#load(),
      act: (action, button) => this.#act(action, button),
    });
    onStale(this.credentials, {
      start: () => this.#load(),
      open: async () => {
        const session = await currentSession();
        return session.ok && !session.body ? { ok: false, problem: { kind: 'signed-out' } } : session;
      },
      again: () => this.#load(true),
    });
    void this.#load();
  }

  get product(): ProductId {
    return this.dataset.product as ProductId;
  }

  async #load(quiet = false): Promise<void> {
    const address = new URLSearchParams(location.search);
    const [id, region] = [address.get('id') ?? '', address.get('region') ?? ''];
    this.credentials.nameRegion(regionLabel(region));
    if (!id) return this.credentials.show('empty');
    this.credentials.await();
    const param = { region, credentials_id: id };
    const result = await this.#latest.fetchResult(
      (init): Promise<ApiResponse<Credentials>> =>
        credentialEndpoints[this.product].$get({ param }, { init }),
    );
    if (!result.ok) return this.#fail(result.problem, quiet);
    this.#shown = result.body;
    this.credentials.render(result.body);
    const parents = this.#loadParents(result.body);
    this.#below ??= loadBelow(this);
    const [below, organization] = await Promise.all([this.#below, parents]);
    if (this.#shown !== result.body) return;
    if (below.length === 0) this.credentials.say(UNLOADED);
    await Promise.all(below.map((panel) => panel.load(result.body, organization, quiet)));
  }

  #fail(problem: Problem, quiet: boolean): void {
    if (problem.kind === 'superseded') return;
    // An id or a region that is not well-formed names nothing, too.
    if (problem.kind === 'gone' || problem.kind === 'fields') this.credentials.show('gone');
    else this.credentials.fail(problem, quiet);
    if (!this.credentials.shown) for (const section of this.#sections) section.hidden = true;
  }

  get #sections(): NodeListOf<HTMLElement> {
    return this.querySelectorAll('[data-panel="usage"], [data-panel="history"]');
  }

  /**
   * Shows the names of the account, the role and the project. Returns the organization's id, if the reader can see the
   * project.
   */
  async #loadParents(credentials: Credentials): Promise<string | undefined> {
    const { region } = credentials;
    let project_id = 'project_id' in credentials ? credentials.project_id : undefined;
    if ('nats_account_id' in credentials) {
      if (credentials.nats_role_id) void this.#nameRole(region, credentials.nats_role_id);
      const param = { region, nats_account_id: credentials.nats_account_id };
      const account = await fetchResult(() => natsAccounts[':nats_account_id'].$get({ param }));
      if (account.ok) {
        this.#account = account.body;
        project_id = account.body.project_id;
        this.credentials.nameAccount(account.body);
      }
    }
    if (!project_id) return undefined;
    const param = { project_id };
    const project = await fetchResult(() => projects[':project_id'].$get({ param }));
    this.credentials.nameProject(
      this.product,
      region,
      project_id,
      project.ok ? project.body.name : project_id,
    );
    return project.ok ? project.body.organization_id : undefined;
  }

  async #nameRole(region: string, id: string): Promise<void> {
    const param = { region, nats_role_id: id };
    const role = await fetchResult(() => natsRoles[':nats_role_id'].$get({ param }));
    if (role.ok) this.credentials.nameRole(role.body.name);
  }

  async #act(action: Action, button: HTMLElement): Promise<void> {
    const credentials = this.#shown;
    const code = credentials && (await loadFor(button, import('./credential-page.actions.ts')));
    if (!code) return this.credentials.announce(UNLOADED);
    const notice = await this.#change(code, credentials, action);
    if (!notice) return;
    await this.#load(true);
    this.credentials.announce(notice);
  }

  async #change(code: Actions, credentials: Credentials, action: Action): Promise<Notice | undefined> {
    if (!('nats_account_id' in credentials)) {
      return code.changeAccessKey(this, this.product as AccessKeyProductId, credentials, action);
    }
    return this.#account && code.changeNats(this, credentials, this.#account, action);
  }
}

/** Loads the panels below the credentials, and shows them. Resolves to an empty list if they cannot be loaded. */
async function loadBelow(page: CredentialPage): Promise<Below[]> {
  const code = await import('./panels.lazy.ts').catch(() => undefined);
  return code
    ? [
        new code.UsagePanel(page, (last) => page.credentials.describeLastUse(last)),
        new code.HistoryPanel(page),
      ]
    : [];
}

customElements.define('credential-page', CredentialPage);
