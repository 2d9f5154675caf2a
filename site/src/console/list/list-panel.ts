/** The list of list-panel.astro. OrganizationList sends the requests. */
import { fill, find } from '../../ui/dom.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { Panel, type State } from '../../ui/panels/panel.ts';
import { attachMenu, type Reactions } from '../../ui/panels/row-menu.lazy.ts';
import { showTime } from '../../ui/time.ts';

/** What a row shows. */
export interface Row {
  id: string;
  name: string;
  /** A second line below the name. */
  sub?: string;
  texts?: Record<string, string>;
  /** Times by field, in RFC 3339 format, or the text for a missing one. */
  times?: Record<string, string | { none: string }>;
  /** The items of its menu. */
  menu: Reactions;
}

export class ListPanel<Resource> extends Panel {
  readonly #name: string;
  readonly #describe: (resource: Resource) => Row;

  constructor(owner: ParentNode, name: string, describe: (resource: Resource) => Row) {
    super(owner, name);
    this.#name = name;
    this.#describe = describe;
  }

  bind(reactions: {
    retry: () => unknown;
    more: (page: number) => unknown;
    create: (button: HTMLElement) => unknown;
  }): void {
    this.on('retry', reactions.retry);
    this.on('create', reactions.create);
    this.onMore(`more-${this.#name}`, reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="create"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows the pages `first` to `last`. */
  render(resources: Resource[], total: number, last: number, first: number): Promise<void> {
    const items = resources.map((resource) => {
      const row = this.#describe(resource);
      const look = [resource, row, Object.keys(row.menu)];
      return { id: row.id, look, render: () => this.#row(row) };
    });
    return this.showPages(this.#name, items, total, last, first);
  }

  /** Announces an outcome and highlights the row of a new resource. */
  announceNew(notice: Notice, id: string): void {
    this.announce(notice);
    this.root.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
  }

  #row({ name, sub = '', texts = {}, times = {}, menu }: Row): HTMLElement {
    const row = this.copy(this.#name);
    fill(row, { name, sub, ...texts });
    if (!sub) row.querySelector('.sub')?.remove();
    for (const [field, value] of Object.entries(times)) {
      const node = find(row, `[data-time="${field}"]`, HTMLTimeElement);
      if (typeof value === 'string') showTime(node, value);
      else node.replaceWith(value.none);
    }
    attachMenu(row, name, menu, (notice) => this.announce(notice));
    return row;
  }
}
