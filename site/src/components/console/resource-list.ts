/**
 * The list of a console's page about an organization (list-panel.astro): shows what it is given, and the menus of its rows.
 * Requests are its owner's.
 */
import { fill, find, showTime } from '../../lib/markup.ts';
import { Part, type State } from '../part.ts';
import { offerMenu } from '../row-menu-on-click.ts';

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
  menu: Record<string, () => unknown>;
}

/** See the file's description. */
export class ResourceList<Thing> extends Part {
  readonly #name: string;
  readonly #describe: (thing: Thing) => Row;

  /** `name` is the panel's id. */
  constructor(owner: ParentNode, name: string, describe: (thing: Thing) => Row) {
    super(owner, name);
    this.#name = name;
    this.#describe = describe;
  }

  wire(reactions: { retry: () => unknown; more: (page: number) => unknown; create: () => unknown }): void {
    this.on('retry', reactions.retry);
    this.on('create', reactions.create);
    this.onMore(`more-${this.#name}`, reactions.more);
  }

  override show(state: State): void {
    super.show(state);
    const usable = state === 'empty' || state === 'ready';
    find(this.root, '[data-action="create"]', HTMLButtonElement).disabled = !usable;
  }

  /** Shows a page of things. */
  render(things: Thing[], total: number, page: number): void {
    const rows = things.map((thing) => this.#row(this.#describe(thing)));
    this.put(this.#name, rows, total, page);
  }

  /** Says what has happened, and points at the row of something new. */
  announceNew(text: string, id: string): void {
    this.announce(text);
    this.root.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute('data-fresh', '');
  }

  #row({ id, name, sub = '', texts = {}, times = {}, menu }: Row): HTMLElement {
    const row = this.copy(this.#name);
    row.dataset.id = id;
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
    if (offered.length === 0) find(row, '.act', HTMLElement).replaceChildren();
    else {
      offered[0]?.setAttribute('autofocus', '');
      offerMenu(row, name, menu, (text) => this.announce(text));
    }
    return row;
  }
}
