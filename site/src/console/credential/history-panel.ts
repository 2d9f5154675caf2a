/** The changes of the credentials on the page, from the audit trail of their region. */

import { type AuditEvent, audit } from '../../api/api.ts';
import { LatestRequest } from '../../api/request.ts';
import { ACTIONS } from '../../build/audit-labels.ts';
import { fill, find } from '../../ui/dom.ts';
import { Panel } from '../../ui/panels/panel.ts';
import { showTime } from '../../ui/time.ts';
import { fillDetails } from '../audit/event-details.ts';
import { listPrincipals, type Principal, principalName } from '../iam/principals.ts';
import type { Credentials } from './credential-page.ts';

/** Actions whose label in the audit trail needs the resource after it. */
const HAPPENED: Record<string, string> = {
  finish_rotation: 'Old key ended',
  cancel_rotation: 'New key ended',
};

export class HistoryPanel extends Panel {
  readonly #latest = new LatestRequest();
  #next: string | null = null;
  #of: { region: string; query: Record<string, string> } | undefined;
  #principals: Principal[] = [];

  constructor(owner: ParentNode) {
    super(owner, 'history');
    this.on('retry', () => this.#read(1));
    this.onMore('more-history', (page) => this.#read(page));
  }

  /** Loads the latest changes. `organization` is only needed by readers with several. */
  async load({ id, region }: Credentials, organization: string | undefined, quiet: boolean): Promise<void> {
    // Later pages can only be read one after another, so a list with several pages is not refreshed.
    if (quiet && this.pages > 1) return;
    this.root.hidden = false;
    this.#of = {
      region,
      query: { resource_id: id, ...(organization && { organization_id: organization }) },
    };
    if (organization) this.#principals = await listPrincipals(organization);
    await this.#read(1, quiet);
  }

  async #read(page: number, quiet = false): Promise<void> {
    if (!this.#of) return;
    const { region, query } = this.#of;
    if (page === 1) this.await();
    const from = page > 1 && this.#next ? { page_token: this.#next } : {};
    const result = await this.#latest.fetchResult((init) =>
      audit.region.$get({ param: { region }, query: { ...query, ...from } }, { init }),
    );
    if (!result.ok) return this.fail(result.problem, quiet);
    const { events, next_page_token: next } = result.body;
    this.#next = next;
    const items = events.map((event) => ({ id: event.id, look: event, render: () => this.#row(event) }));
    await this.showPages('history', items, next === null ? 0 : Number.POSITIVE_INFINITY, page);
  }

  #row(event: AuditEvent): HTMLElement {
    const { action, principal } = event;
    const happened = HAPPENED[action] ?? ACTIONS[action] ?? action;
    const who = principal.type === 'system' ? 'Latchkey' : principalName(this.#principals, principal.id);
    const row = this.copy('event');
    fill(row, { happened, of: ` of: ${happened}`, who });
    showTime(find(row, 'time', HTMLTimeElement), event.recorded_at);
    fillDetails(row, event, () => this.copy('fact'));
    return row;
  }
}
