/** The element `<console-audit>`: lists the changes that match the filters, and downloads them. */

import type { AuditEvent } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { LatestRequest } from '../../api/request.ts';
import { fill, find } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { onStale, Panel } from '../../ui/panels/panel.ts';
import { loadOrganization, onOtherOrganization } from '../../workspace/load-organization.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { Principal } from '../iam/principals.ts';
import { type AuditQuery, AuditTrail, GLOBAL } from './merged-trail.ts';

const FILTERS = ['where', 'resource_type', 'action', 'principal_id', 'from', 'until'] as const;
const LOCALITIES = [GLOBAL, ...REGIONS.map(({ name }) => name)];
/** Returns the label of a trail's region, or of the organization's own trail. */
export const localityLabel = (where: string) => (where === GLOBAL ? 'Organization' : regionLabel(where));

class AuditList extends Panel {
  constructor(owner: ParentNode) {
    super(owner, 'audit');
  }

  bind(reactions: { retry: () => unknown; more: (page: number) => unknown }): void {
    this.on('retry', reactions.retry);
    this.onMore('more-audit', reactions.more);
  }

  /** `fillRow` is from audit-rows.ts. */
  render(
    events: AuditEvent[],
    fillRow: (row: HTMLElement, copyFact: () => HTMLElement, event: AuditEvent) => HTMLElement,
    more: boolean,
    page: number,
  ): Promise<void> {
    const items = events.map((event) => ({
      id: `${event.locality} ${event.id}`,
      look: event,
      render: () => fillRow(this.copy('audit'), () => this.copy('fact'), event),
    }));
    return this.showPages('audit', items, more ? Number.POSITIVE_INFINITY : 0, page);
  }

  sayUnread(text: string): void {
    fill(this.root, { unread: text });
  }

  /** Adds a download button for each trail. */
  fillExports(localities: readonly string[], query: AuditQuery): void {
    const list = find(this.root, '[data-list="exports"]', HTMLElement);
    const items = localities.map((where) => {
      const item = this.copy('export');
      fill(item, { label: `${localityLabel(where)}, as NDJSON` });
      item.addEventListener('click', async () => {
        list.hidePopover();
        const code = await import('./audit-export.ts').catch(() => undefined);
        this.say(code ? await code.exportTrail(where, query) : UNLOADED);
      });
      return item;
    });
    list.replaceChildren(...items);
  }
}

class ConsoleAudit extends HTMLElement {
  #list = new AuditList(this);
  #latest = new LatestRequest();
  #organization = '';
  #principals: Principal[] = [];
  #rows: typeof import('./audit-rows.ts') | undefined;
  #trail: AuditTrail | undefined;

  connectedCallback(): void {
    this.#list.bind({ retry: () => this.#start(), more: (page) => this.#load(page) });
    const form = find(this, 'form', HTMLFormElement);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', () => {
      this.#remember();
      this.#list.show('loading');
      void this.#load();
    });
    onStale(this.#list, {
      start: () => this.#start(),
      open: loadOrganization,
      // Later pages can only be read one after another, so a list with several pages is not refreshed.
      again: () => this.#list.pages === 1 && this.#load(1, true),
    });
    onOtherOrganization(() => this.#start());
    this.#recall();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#list.show('loading');
    const opened = await loadOrganization();
    if (!opened.ok) return this.#list.fail(opened.problem);
    const { id } = opened.organization;
    this.#organization = id;
    const code = await import('./audit-rows.ts').catch(() => undefined);
    if (!code) return this.#list.fail({ kind: 'refused', message: UNLOADED.text });
    this.#rows = code;
    const principals = await code.listPrincipals(id);
    // Another organization was chosen.
    if (this.#organization !== id) return;
    this.#principals = principals;
    this.#fillPrincipals();
    await this.#load();
  }

  #fillPrincipals(): void {
    const who = this.#field('principal_id') as HTMLSelectElement;
    const [anyone] = who.options;
    const groups = this.#rows?.principalOptions(this.#principals) ?? [];
    for (const option of groups.flatMap((group) => [...group.querySelectorAll('option')])) {
      option.value = option.value.split(':')[1] ?? '';
    }
    who.replaceChildren(...(anyone ? [anyone] : []), ...groups);
    this.#recall();
  }

  #recall(): void {
    const address = new URLSearchParams(location.search);
    for (const name of FILTERS) this.#field(name).value = address.get(name) ?? '';
  }

  #remember(): void {
    const address = new URL(location.href);
    for (const name of FILTERS) {
      const { value } = this.#field(name);
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(history.state, '', address);
  }

  async #load(page = 1, quiet = false): Promise<void> {
    if (page === 1) {
      this.#list.await();
      const where = this.#field('where').value;
      const localities = LOCALITIES.filter((locality) => !where || locality === where);
      this.#trail = new AuditTrail(this.#query(), localities);
    }
    const trail = this.#trail;
    const events = await this.#latest.run((init) => trail?.read(init) ?? Promise.resolve([]));
    if (!trail || !events) return;
    this.#showPage(trail, events, page, quiet);
  }

  #showPage(trail: AuditTrail, events: AuditEvent[], page: number, quiet: boolean): void {
    const [first] = trail.unread;
    if (first && events.length === 0 && page === 1) {
      this.#list.sayUnread('');
      this.#list.fail(first.problem, quiet);
      return;
    }
    const missing = trail.unread.map((one) => localityLabel(one.where)).join(', ');
    this.#list.sayUnread(
      first ? `Without the changes of ${missing}: ${sentence(first.problem, 'list')}` : '',
    );
    const unread = trail.unread.map((one) => one.where);
    const where = this.#field('where').value;
    const read = LOCALITIES.filter(
      (locality) => (!where || locality === where) && !unread.includes(locality),
    );
    this.#list.fillExports(read, this.#query());
    const fillRow = this.#rows?.rowsOf(this.#principals);
    if (fillRow) void this.#list.render(events, fillRow, trail.more, page);
  }

  #query(): AuditQuery {
    const query: AuditQuery = { organization_id: this.#organization };
    for (const name of ['resource_type', 'action', 'principal_id'] as const) {
      if (this.#field(name).value) query[name] = this.#field(name).value;
    }
    const day = (name: 'from' | 'until', days: number) => {
      const [year = 0, month = 1, date = 1] = this.#field(name).value.split('-').map(Number);
      return year ? new Date(year, month - 1, date + days).toISOString() : '';
    };
    const [after, before] = [day('from', 0), day('until', 1)];
    return { ...query, ...(after && { recorded_after: after }), ...(before && { recorded_before: before }) };
  }

  #field(name: (typeof FILTERS)[number]): HTMLInputElement | HTMLSelectElement {
    return find(this, `[name="${name}"]`, HTMLElement) as HTMLInputElement | HTMLSelectElement;
  }
}

customElements.define('console-audit', ConsoleAudit);
