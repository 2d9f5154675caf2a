/**
 * The list of a console's page about an organization (list-panel.astro): shows what it is given, and the menus of its rows.
 * Requests are its owner's.
 */
import { fill, find, showTime } from '../../ui/dom.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { Panel, type State } from '../../ui/panels/panel.ts';
import { attachMenu, type Reactions } from '../../ui/panels/row-menu.lazy.ts';

/** How a thing is shown. */
export interface Row {
  id: string;
  name: string;
  /** A second line below the name. */
  sub?: string;
  texts?: Record<string, string>;
  /** Instants by their field; where there is none, what to say instead. */
  times?: Record<string, string | { none: string }>;
  /** What the menu offers for it, by item. */
  menu: Reactions;
}

/** See the file's description. */
export class ListPanel<Resource> extends Panel {
  readonly #name: string;
  readonly #describe: (resource: Resource) => Row;

  /** `name` is the panel's id. */
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

  /** Shows the pages `first` to `last` of the things. */
  render(resources: Resource[], total: number, last: number, first: number): Promise<void> {
    const items = resources.map((resource) => {
      const row = this.#describe(resource);
      const look = [resource, row, Object.keys(row.menu)];
      return { id: row.id, look, render: () => this.#row(row) };
    });
    return this.showPages(this.#name, items, total, last, first);
  }

  /** Says what has happened, and points at the row of something new. */
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
    const items = [...row.querySelectorAll<HTMLElement>('[data-item]')];
    const offered = items.filter(({ dataset }) => menu[dataset.item ?? ''] !== undefined);
    for (const item of items) if (!offered.includes(item)) item.remove();
    if (offered.length === 0) find(row, '.row-actions', HTMLElement).replaceChildren();
    else {
      offered[0]?.setAttribute('autofocus', '');
      attachMenu(row, name, menu, (notice) => this.announce(notice));
    }
    return row;
  }
}
