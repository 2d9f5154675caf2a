/** Search, filters, order and selection of a list of credentials. Loaded for long lists. */
import type { ProductId } from '../../../db/products.ts';
import { fill, find } from '../ui/dom.ts';
import { pluralize } from '../ui/pluralize.ts';
import {
  type ApiFilter,
  apiFilter,
  EVERYTHING,
  filtersOf,
  isFiltered,
  type ListQuery,
  type Order,
  readQuery,
  writeQuery,
} from './list-query.ts';
import { type ListElement, ListSelection } from './list-selection.ts';

/** How long to wait for more input before a search. */
const TYPING_MS = 250;

/** See the file's head. The markup is in list-tools.astro. */
export class ListTools {
  readonly #element: ListElement;
  /** What the list was shown for last. */
  #owner: unknown;
  readonly #panel: HTMLElement;
  readonly #root: HTMLElement;
  readonly #selection: ListSelection;
  /** Guides have several lists on a page, so their address has no query. */
  readonly #inAddress = location.pathname.startsWith('/console/');
  #query: ListQuery;
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(element: ListElement) {
    this.#element = element;
    this.#panel = find(element, '[data-panel="credentials"]', HTMLElement);
    this.#root = find(this.#panel, '[data-block="tools"]', HTMLElement);
    this.#query = this.#inAddress ? readQuery(new URLSearchParams(location.search)) : EVERYTHING;
    this.#selection = new ListSelection(element, this.#panel);
    this.#bindFields();
    this.#bindHeads();
    for (const button of this.#panel.querySelectorAll('[data-action="clear-filters"]'))
      button.addEventListener('click', () => {
        void this.#change({ ...EVERYTHING, sort: this.#query.sort });
        this.#field('search').focus();
      });
    addEventListener('popstate', () => {
      const query = readQuery(new URLSearchParams(location.search));
      if (this.#inAddress && JSON.stringify(query) !== JSON.stringify(this.#query)) void this.#change(query);
    });
    this.#show();
  }

  /** The query for the API. */
  get filter(): ApiFilter {
    return apiFilter(this.#panel.dataset.product as ProductId, this.#query, Date.now());
  }

  get filtered(): boolean {
    return isFiltered(this.#query);
  }

  /** Shows all credentials again, the newest first. The caller loads them. */
  reset(): void {
    this.#store(EVERYTHING);
  }

  /** Shows the tools if the list is long, and the number of results of a search. */
  update(total: number, isLong: boolean): void {
    // A list that gets shorter keeps its tools.
    if (this.#element.owner !== this.#owner) this.#root.hidden = true;
    this.#owner = this.#element.owner;
    if (isLong || this.filtered) this.#root.hidden = false;
    find(this.#panel, 'table', HTMLTableElement).toggleAttribute('data-tools', !this.#root.hidden);
    fill(this.#root, { results: this.filtered ? pluralize(total, 'result') : '' });
    const { listed } = this.#element.credentials;
    const tags = new Set([...listed.values()].flatMap((credentials) => credentials.tags));
    find(this.#root, 'datalist', HTMLDataListElement).replaceChildren(
      ...[...tags].sort().map((tag) => new Option(tag, tag)),
    );
    this.#selection.update();
  }

  #field(name: string): HTMLInputElement | HTMLSelectElement {
    return find(this.#root, `[name="${name}"]`, HTMLElement) as HTMLInputElement;
  }

  #bindFields(): void {
    this.#field('search').addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => void this.#read(), TYPING_MS);
    });
    for (const name of ['status', 'expires', 'unused', 'tags', 'sort'])
      this.#field(name).addEventListener('change', () => void this.#read());
  }

  /** Makes the heads of columns buttons that sort the list. */
  #bindHeads(): void {
    for (const head of this.#panel.querySelectorAll<HTMLElement>('th[data-sort]')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      const first = head.dataset.sort === 'name' ? 'asc' : 'desc';
      button.addEventListener('click', () => {
        const [by, direction] = sortOf(this.#query.sort);
        const next = by !== head.dataset.sort ? first : direction === 'asc' ? 'desc' : 'asc';
        void this.#change({ ...this.#query, sort: `${head.dataset.sort}_${next}` as Order });
      });
    }
  }

  /** Reads the fields and loads the list. */
  async #read(): Promise<void> {
    const value = (name: string) => this.#field(name).value.trim();
    const query: ListQuery = {
      search: value('search'),
      status: value('status') as ListQuery['status'],
      tags: [...new Set(value('tags').split(/\s*,\s*/))].filter(Boolean),
      expires: Number(value('expires')),
      unused: Number(value('unused')),
      sort: value('sort') as Order,
    };
    if (JSON.stringify(query) !== JSON.stringify(this.#query)) await this.#change(query);
  }

  async #change(query: ListQuery): Promise<void> {
    this.#store(query);
    this.#selection.clear();
    const table = find(this.#panel, 'table', HTMLTableElement);
    table.ariaBusy = 'true';
    await this.#element.loadCredentials(1);
    table.ariaBusy = 'false';
  }

  #store(query: ListQuery): void {
    clearTimeout(this.#typing);
    this.#query = query;
    this.#show();
    if (!this.#inAddress) return;
    const address = new URL(location.href);
    writeQuery(address, query);
    history.replaceState(history.state, '', address);
  }

  /** Shows the query in the fields, the heads of columns, and the list of filters. */
  #show(): void {
    const { tags, ...rest } = this.#query;
    for (const [name, value] of Object.entries({ ...rest, tags: tags.join(', ') })) {
      const field = this.#field(name);
      // What the person types can have a space at its end.
      if (field.value.trim() === `${value}`) continue;
      field.value = `${value}`;
      // An address can have a period that the form does not offer.
      if (field instanceof HTMLSelectElement && field.value !== `${value}`) {
        field.add(new Option(`${value} days`, `${value}`));
        field.value = `${value}`;
      }
    }
    const [by, direction] = sortOf(this.#query.sort);
    for (const head of this.#panel.querySelectorAll<HTMLElement>('th[data-sort]')) {
      if (head.dataset.sort === by) head.ariaSort = direction === 'asc' ? 'ascending' : 'descending';
      else head.removeAttribute('aria-sort');
    }
    const list = find(this.#root, '.active', HTMLElement);
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...filtersOf(this.#query).map((filter) => this.#itemOf(filter)));
    list.hidden = list.childElementCount === 0;
    if (focused) (list.querySelector('button') ?? this.#field('search')).focus();
  }

  #itemOf({ label, without }: { label: string; without: ListQuery }): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.ariaLabel = `Remove filter: ${label}`;
    button.append(label, ' ✕');
    button.addEventListener('click', () => void this.#change(without));
    const item = document.createElement('li');
    item.append(button);
    return item;
  }
}

/** `last_used_at_desc` → `last_used_at` and `desc`. */
function sortOf(order: Order): [by: string, direction: string] {
  const at = order.lastIndexOf('_');
  return [order.slice(0, at), order.slice(at + 1)];
}
