/** The element `<console-audit>`: lists the changes that the filters let through, and leads to their export. */
import { Latest } from '../../lib/answers.ts';
import type { AuditEvent } from '../../lib/api.ts';
import { type AuditQuery, AuditTrail, exportAddress, GLOBAL } from '../../lib/audit-trail.ts';
import { happened } from '../../lib/audit-words.ts';
import { fill, find, showTime } from '../../lib/markup.ts';
import { onOtherOrganization, openOrganization } from '../../lib/open-organization.ts';
import { type Party, partiesOf, partyName, partyOptions } from '../../lib/parties.ts';
import { regionLabel } from '../../lib/place-fields.ts';
import { sentence } from '../../lib/problems.ts';
import { Part } from '../part.ts';

const FILTERS = ['where', 'resource_type', 'action', 'principal_id', 'from', 'until'] as const;
const PLACES = [GLOBAL, ...REGIONS.map(({ name }) => name)];
const placeLabel = (where: string) => (where === GLOBAL ? 'Organization' : regionLabel(where));

class AuditList extends Part {
  constructor(owner: ParentNode) {
    super(owner, 'audit');
  }

  wire(reactions: { retry: () => unknown; more: (page: number) => unknown }): void {
    this.on('retry', reactions.retry);
    this.onMore('more-audit', reactions.more);
  }

  render(events: AuditEvent[], parties: readonly Party[], more: boolean, page: number): void {
    const rows = events.map((event) => this.#row(event, parties));
    this.put('audit', rows, more ? Number.POSITIVE_INFINITY : 0, page);
  }

  sayUnread(text: string): void {
    fill(this.root, { unread: text });
  }

  offerExports(places: readonly string[], query: AuditQuery): void {
    const items = places.map((where) => {
      const item = this.copy('export');
      fill(item, { label: `${placeLabel(where)}, as NDJSON` });
      find(item, 'a', HTMLAnchorElement).href = exportAddress(where, query);
      return item;
    });
    find(this.root, '[data-list="exports"]', HTMLElement).replaceChildren(...items);
  }

  #row(event: AuditEvent, parties: readonly Party[]): HTMLElement {
    const row = this.copy('audit');
    const { principal, resource, before, after } = event;
    const thing = `${after?.name ?? before?.name ?? after?.email ?? before?.email ?? ''}`;
    const what = happened(event.action, resource.type);
    fill(row, {
      happened: what,
      thing,
      of: ` of: ${what} ${thing}`,
      who: principal.type === 'system' ? 'Latchkey' : partyName(parties, principal.id),
      where: placeLabel(event.locality),
    });
    showTime(find(row, 'time', HTMLTimeElement), event.recorded_at);
    const facts = factsOf(event).map(([name, value]) => {
      const fact = this.copy('fact');
      fill(fact, { name, value });
      return fact;
    });
    find(row, '[data-list="facts"]', HTMLElement).append(...facts);
    return row;
  }
}

function factsOf(event: AuditEvent): [name: string, value: string][] {
  const { resource, principal, before, after } = event;
  const facts: [string, string | null][] = [
    ['ID', resource.id],
    ...changesOf(before, after),
    ['By', principal.id],
    ['API key', principal.access_key],
    ['Address', event.source_ip],
    ['Project', event.project_id],
    ['Request', event.request_id],
    ['At', event.recorded_at],
  ];
  return facts.flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []));
}

type State = Record<string, unknown> | null;

/** What is different after a change, member by member: "false → true". Of something new or deleted, what it is or was. */
function changesOf(before: State, after: State): [name: string, value: string][] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].flatMap((name): [string, string][] => {
    const [was, is] = [text(before?.[name]), text(after?.[name])];
    if (was === is) return [];
    const label = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
    return [[label, before && after ? `${was || 'none'} → ${is || 'none'}` : was || is]];
  });
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(text).join(', ');
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([name, part]) => `${name.replaceAll('_', ' ')}: ${text(part)}`);
  return members.join(', ');
}

class ConsoleAudit extends HTMLElement {
  #list = new AuditList(this);
  #latest = new Latest();
  #organization = '';
  #parties: Party[] = [];
  #trail: AuditTrail | undefined;

  connectedCallback(): void {
    this.#list.wire({ retry: () => this.#start(), more: (page) => this.#load(page) });
    const form = find(this, 'form', HTMLFormElement);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', () => {
      this.#remember();
      void this.#load();
    });
    onOtherOrganization(() => this.#start());
    this.#recall();
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#list.show('loading');
    const opened = await openOrganization();
    if (!opened.ok) return this.#list.fail(opened.problem);
    const { id } = opened.organization;
    this.#organization = id;
    const parties = await partiesOf(id);
    // The reader has turned to another organization meanwhile.
    if (this.#organization !== id) return;
    this.#parties = parties;
    this.#offer();
    await this.#load();
  }

  #offer(): void {
    const who = this.#field('principal_id') as HTMLSelectElement;
    const [anyone] = who.options;
    const groups = partyOptions(this.#parties);
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

  async #load(page = 1): Promise<void> {
    if (page === 1) {
      this.#list.show('loading');
      const where = this.#field('where').value;
      const places = PLACES.filter((place) => !where || place === where);
      this.#trail = new AuditTrail(this.#query(), places);
      this.#list.offerExports(places, this.#query());
    }
    const trail = this.#trail;
    const events = await this.#latest.run((init) => trail?.read(init) ?? Promise.resolve([]));
    if (!trail || !events) return;
    this.#tell(trail, events, page);
  }

  #tell(trail: AuditTrail, events: AuditEvent[], page: number): void {
    const [first] = trail.unread;
    const where = trail.unread.map((one) => placeLabel(one.where)).join(', ');
    this.#list.sayUnread(first ? `Without the changes of ${where}: ${sentence(first.problem)}` : '');
    this.#list.render(events, this.#parties, trail.more, page);
    if (first && events.length === 0 && page === 1) {
      this.#list.sayUnread('');
      this.#list.fail(first.problem);
    }
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
