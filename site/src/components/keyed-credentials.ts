/**
 * The element `<keyed-credentials>`: region and project → is the product active → credentials → generate, update or
 * revoke. Owns the order of things and what is read; what is changed is keyed-actions.ts's, how the list looks credentials-list.ts's.
 */
import { accessLevel } from '../lib/access-level.ts';
import { Latest } from '../lib/answers.ts';
import { type KeyedCredentials, keyed } from '../lib/api.ts';
import type { KeyedId } from '../lib/keyed.ts';
import { find } from '../lib/markup.ts';
import { openPlace } from '../lib/open-place.ts';
import { PLACE_CHANGED } from '../lib/place.ts';
import { type ChosenPlace, followPlace, regionLabel, wirePlaceFields } from '../lib/place-fields.ts';
import { type Problem, sentence } from '../lib/problems.ts';
import { type Facts, tickSteps } from '../lib/steps.ts';
import type { CodeSamples } from './code-samples.ts';
import { CredentialsList } from './credentials-list.ts';
import { offerMenu } from './row-menu-on-click.ts';

type Actions = typeof import('./keyed-actions.ts');

/** The event that the element receives when what it has been told of the product changes. */
export const TOLD = 'latchkey:told';

/** What the API has told of the product in the place; `asking` until it has. */
export type Told =
  | { state: 'asking' }
  | { state: 'problem'; problem: Problem }
  | { state: 'told'; place: ChosenPlace; active: boolean; endpoint: string };

/** See keyed-credentials.astro. */
export class KeyedCredentialsForm extends HTMLElement {
  #place: ChosenPlace | undefined;
  #facts: Facts = { regionTold: false };
  #endpoint = '';
  #credentials = new CredentialsList<KeyedCredentials>(
    this,
    ({ permissions }) => accessLevel(permissions),
    (row, credentials) =>
      offerMenu(
        row,
        credentials.name,
        {
          update: () => this.#act((actions) => this.#update(actions, credentials)),
          revoke: () => this.#act((actions) => this.#revoke(actions, credentials)),
        },
        this.#announce,
      ),
  );
  #announce = (text: string) => this.#credentials.announce(text);
  #latest = new Latest();
  #told: Told = { state: 'asking' };

  connectedCallback(): void {
    wirePlaceFields(this);
    this.#credentials.wire({
      retry: () => this.#start(),
      more: (page) => this.#loadCredentials(page),
      generate: () => this.#act((actions) => this.#generate(actions)),
    });
    this.#credentials.wireProduct({
      activate: () => this.#act((actions) => this.#activate(actions)),
      deactivate: () => this.#act((actions) => this.#deactivate(actions)),
    });
    document.addEventListener(PLACE_CHANGED, () => this.#follow());
    void customElements.whenDefined('code-samples').then(() => this.#updateSamples({}));
    this.#follow();
    void this.#start();
  }

  /** What the parts beside the list need to know, so that they don't have to ask for themselves. */
  get told(): Told {
    return this.#told;
  }

  /** Asks anew. */
  retry(): void {
    void this.#start();
  }

  /** Activates the product here, for a part that offers it; what came of it is said by `announce`. */
  activate(announce: (text: string) => void): void {
    void this.#act((actions) => this.#activate(actions, announce), announce);
  }

  #tell(told: Told): void {
    this.#told = told;
    this.dispatchEvent(new Event(TOLD));
  }

  /** Shows a problem in place of the list, and tells of it. */
  #fail(problem: Problem): void {
    this.#credentials.fail(problem);
    if (problem.kind !== 'superseded') this.#tell({ state: 'problem', problem });
  }

  get #product(): KeyedId {
    return this.dataset.product as KeyedId;
  }

  async #start(): Promise<void> {
    this.#credentials.show('loading');
    const opened = await openPlace(this);
    if (!opened.ok) return this.#fail(opened.problem);
    this.#place = opened.place;
    await this.#load();
  }

  #follow(): void {
    const before = this.#place;
    const place = followPlace(this);
    this.#credentials.nameRegion(regionLabel(place.region));
    this.#updateSamples({});
    if (!before || (before.region === place.region && before.project === place.project)) return;
    this.#place = place;
    void this.#load();
  }

  /** Asks whether the product is active, and lists the credentials if it is. */
  async #load(): Promise<void> {
    const place = this.#place;
    if (!place) return;
    this.#facts = { regionTold: false };
    this.#learn({});
    this.#tell({ state: 'asking' });
    // Nothing is offered before it is known of this place; while only the list is read anew, it stays.
    this.#credentials.show('unchosen');
    this.#credentials.show('loading');
    const request = { param: { region: place.region }, query: { project_id: place.project } };
    const result = await this.#latest.ask<{ status: string }>((init) =>
      keyed[this.#product].info.$get(request, { init }),
    );
    if (!result.ok) return this.#fail(result.problem);
    const info: { status: string } & Partial<Record<string, unknown>> = result.body;
    this.#endpoint = String(info[`${this.#product}_endpoint_url`]);
    this.#learn({ regionTold: true });
    const active = info.status === 'enabled';
    this.#tell({ state: 'told', place, active, endpoint: this.#endpoint });
    if (active) await this.#loadCredentials();
    else this.#credentials.show('inactive');
  }

  async #loadCredentials(page = 1): Promise<void> {
    const place = this.#place;
    if (!place) return;
    if (page === 1) this.#credentials.show('loading');
    const query = {
      project_id: place.project,
      order_by: 'created_at_desc',
      page: `${page}`,
      page_size: '50',
    } as const;
    const result = await this.#latest.ask<Listed>((init) =>
      keyed[this.#product].credentials.$get({ param: { region: place.region }, query }, { init }),
    );
    if (!result.ok) return this.#credentials.fail(result.problem);
    const { body } = result;
    const items = 'sqs_credentials' in body ? body.sqs_credentials : body.sns_credentials;
    this.#credentials.render(items, body.total_count, page);
    this.#learn({ listed: this.#credentials.ids });
  }

  async #activate({ activate }: Actions, announce = this.#announce): Promise<void> {
    const place = this.#place;
    if (!place) return;
    this.#credentials.show('loading');
    const { problem, notice } = await activate(this.#product, place);
    if (problem) return this.#fail(problem);
    await this.#load();
    announce(notice);
  }

  async #deactivate({ deactivate }: Actions): Promise<void> {
    const place = this.#place;
    const notice =
      place && (await deactivate(this, this.#product, { ...place, projectName: this.#projectName }));
    if (!notice) return;
    await this.#load();
    this.#credentials.announce(notice);
  }

  async #generate({ generate, showSecret }: Actions): Promise<void> {
    const place = this.#place;
    const issued =
      place &&
      (await generate(this, this.#product, { ...place, projectName: this.#projectName }, (choice) =>
        this.#updateSamples(choice),
      ));
    if (!issued) return;
    this.#learn({ issued: issued.id });
    const reload = this.#loadCredentials();
    await showSecret(this, this.#product, issued, this.#endpoint);
    await reload;
    this.#credentials.announceNew(`Generated ${issued.name}.`, issued.id);
  }

  async #update({ update }: Actions, credentials: KeyedCredentials): Promise<void> {
    const updated = await update(this, this.#product, credentials);
    if (!updated) return;
    await this.#loadCredentials();
    this.#learn({ updated: credentials.id });
    this.#credentials.announce(updated);
  }

  async #revoke({ revoke }: Actions, credentials: KeyedCredentials): Promise<void> {
    const notice = await revoke(this, this.#product, credentials);
    if (!notice) return;
    this.#learn({ revoked: { id: credentials.id, pending: false } });
    await this.#loadCredentials();
    this.#credentials.announce(notice);
  }

  /** Loads what changes things, for an action; `announce` says that it could not be. */
  async #act(action: (actions: Actions) => Promise<void>, announce = this.#announce): Promise<void> {
    const actions = await import('./keyed-actions.ts').catch(() => undefined);
    if (actions) await action(actions);
    else announce(sentence({ kind: 'unreachable' }));
  }

  get #projectName(): string {
    return find(this, 'select[name="project"]', HTMLSelectElement).selectedOptions[0]?.text ?? '';
  }

  #learn(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts };
    tickSteps(this, this.#facts);
  }

  #updateSamples(choice: Record<string, string>): void {
    const values = { ...followPlace(this), ...choice };
    for (const samples of this.querySelectorAll<CodeSamples>('code-samples')) samples.update?.(values);
  }
}

type Listed = { total_count: number } & (
  | { sqs_credentials: KeyedCredentials[] }
  | { sns_credentials: KeyedCredentials[] }
);

customElements.define('keyed-credentials', KeyedCredentialsForm);
