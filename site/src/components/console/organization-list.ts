/**
 * What the lists of an organization have in common: open the organization, load a page, follow another choice, and load
 * what changes things only when somebody wants to. A subclass says what is listed and what can be done with it.
 */
import { Latest, type Result } from '../../lib/answers.ts';
import type { Organization, Principal } from '../../lib/api.ts';
import { onOtherOrganization, openOrganization } from '../../lib/open-organization.ts';
import { sentence } from '../../lib/problems.ts';
import { ResourceList, type Row } from './resource-list.ts';

/** Who looks at which organization. */
export interface Context {
  principal: Principal;
  organization: Organization;
}

/** A page of things. */
export interface Listing<Thing> {
  things: Thing[];
  total: number;
}

/** See the file's description. */
export abstract class OrganizationList<Thing> extends HTMLElement {
  protected readonly latest = new Latest();
  protected list!: ResourceList<Thing>;
  #context: Context | undefined;
  #acting = false;

  /** The panel's id. */
  protected abstract readonly panel: string;
  protected abstract read(context: Context, page: number): Promise<Result<Listing<Thing>>>;
  protected abstract describe(thing: Thing, context: Context): Row;
  protected abstract create(context: Context): Promise<unknown>;

  connectedCallback(): void {
    this.list = new ResourceList(this, this.panel, (thing) => this.describe(thing, this.context));
    this.list.wire({
      retry: () => this.#start(),
      more: (page) => this.load(page),
      create: () => this.create(this.context),
    });
    onOtherOrganization(() => this.#start());
    void this.#start();
  }

  protected get context(): Context {
    if (!this.#context) throw new Error('nothing is listed before the organization is open');
    return this.#context;
  }

  /** Lists from the beginning, or another page more. */
  protected async load(page = 1): Promise<void> {
    if (page === 1) this.list.show('loading');
    const { context } = this;
    const result = await this.read(context, page);
    // The reader has turned to another organization meanwhile.
    if (context !== this.#context) return;
    if (result.ok) this.list.render(result.body.things, result.body.total, page);
    else this.list.fail(result.problem);
  }

  /**
   * Runs an action of a module that is loaded for it. One at a time: they share the dialogs, and what one has read would
   * be shown in the form of another.
   */
  protected async act<Actions>(
    loading: Promise<Actions>,
    action: (actions: Actions) => Promise<unknown>,
  ): Promise<void> {
    if (this.#acting) return;
    this.#acting = true;
    try {
      const actions = await loading.catch(() => undefined);
      if (actions) await action(actions);
      else this.list.announce(sentence({ kind: 'unreachable' }));
    } finally {
      this.#acting = false;
    }
  }

  /** Lists anew, and says what has happened. */
  protected async done(notice: string, id?: string): Promise<void> {
    await this.load();
    if (id) this.list.announceNew(notice, id);
    else this.list.announce(notice);
  }

  async #start(): Promise<void> {
    this.list.show('loading');
    const opened = await openOrganization();
    if (!opened.ok) return this.list.fail(opened.problem);
    this.#context = opened;
    await this.load();
  }
}

/** The result of a list's request, as a listing. */
export async function listing<Body extends { total_count: number }, Thing>(
  result: Promise<Result<Body>>,
  things: (body: Body) => Thing[],
): Promise<Result<Listing<Thing>>> {
  const answer = await result;
  if (!answer.ok) return answer;
  return { ...answer, body: { things: things(answer.body), total: answer.body.total_count } };
}
