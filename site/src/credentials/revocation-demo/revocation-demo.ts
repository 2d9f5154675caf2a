/**
 * The element `<revocation-demo>`: creates trial credentials, uses them at intervals, revokes them and shows the outcome.
 * Ensures that they do not remain. The products differ in their `TrialCredentials`.
 */

import type { ProductId } from '../../../../db/products.ts';
import { type Problem, sentence } from '../../api/errors.ts';
import { currentSession, signInLink } from '../../api/session.ts';
import { copyOf, fill, find, show } from '../../ui/dom.ts';
import { failure, info, type Notice, say, success, UNLOADED } from '../../ui/panels/notice.ts';
import { markStale } from '../../ui/panels/panel.ts';
import { NAME, since, type TrialCredentials, type TrialResult, type Use } from './trial-credentials.ts';

const RHYTHM_MS = 1_000;
/** Revokes forgotten credentials after this time. */
const LONGEST_MS = 120_000;
/** The number of uses to show. */
const SHOWN = 6;

const STOPPED = success('Stopped. The credentials are revoked.');
const LEFT_OVER = `“${NAME}” is not revoked yet. Select Stop or Revoke now again, or revoke it in the panel above.`;

export class RevocationDemo extends HTMLElement {
  /** Undefined if no credentials exist. */
  #trial: TrialCredentials | undefined;
  #busy = false;
  #making = false;

  connectedCallback(): void {
    const on = (action: string, react: () => Promise<void>) =>
      this.#button(action).addEventListener('click', () => this.#once(action, react));
    on('start', () => this.#start());
    on('revoke', () => this.#revoke());
    on('stop', () => this.#stop(STOPPED));
    addEventListener('pagehide', () => this.#leave());
    addEventListener('beforeunload', (event) => {
      // Credentials that are being created have no id yet, so they cannot be revoked.
      if (this.#making) event.preventDefault();
    });
  }

  start(): Promise<void> {
    return this.#once('start', () => this.#start());
  }

  /** Runs one action at a time. The button is busy until it ends. */
  async #once(action: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const button = this.#button(action);
    button.ariaBusy = 'true';
    await work().finally(() => {
      this.#busy = false;
      button.ariaBusy = 'false';
    });
  }

  async #start(): Promise<void> {
    this.#list.replaceChildren();
    say(this);
    const session = await currentSession();
    if (!session.ok) return this.#fail(session.problem);
    if (!session.body) return this.#fail({ kind: 'signed-out' });
    this.#making = true;
    const made = await this.#make().finally(() => {
      this.#making = false;
    });
    if (!made.ok) return this.#fail(made.problem);
    this.#trial = made.trial;
    find(this, '[data-sign-in]', HTMLAnchorElement).hidden = true;
    fill(this, { where: made.trial.where });
    this.#show('running');
    say(this, info(`“${NAME}” is in use. Revoke it, and watch.`));
    markStale();
    void this.#beat(made.trial);
  }

  async #make(): Promise<TrialResult> {
    const product = this.dataset.product as ProductId;
    try {
      if (product === 'nats') return await (await import('./trial-nats.ts')).createNatsTrial();
      const { createAccessKeyTrial } = await import('./trial-access-key.ts');
      return await createAccessKeyTrial(product);
    } catch {
      return { ok: false, problem: { kind: 'refused', message: UNLOADED.text } };
    }
  }

  /** Uses the credentials until they are revoked, here or elsewhere, or for at most {@link LONGEST_MS}. */
  async #beat(trial: TrialCredentials): Promise<void> {
    let began = performance.now();
    while (this.#trial === trial) {
      const use = this.#busy ? undefined : await trial.use();
      // `observeRevocation` shows the uses during the revocation.
      if (this.#trial === trial && !this.#busy) {
        if (use) this.#log(use);
        if (use?.outcome === 'denied') {
          await this.#halt(info('Denied: the credentials were revoked, though not by this panel.'));
        } else if (performance.now() - began > LONGEST_MS) {
          began = performance.now();
          await this.#halt(success('Stopped after two minutes. The credentials are revoked.'));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, RHYTHM_MS));
    }
  }

  #halt(notice: Notice): Promise<void> {
    return this.#once('stop', () => this.#stop(notice));
  }

  async #revoke(): Promise<void> {
    const trial = this.#trial;
    if (!trial) return;
    const sentAt = performance.now();
    const result = await trial.revoke();
    const answeredAt = performance.now();
    if (!result.ok) return this.#keep(trial, result.problem);
    this.#trial = undefined;
    this.#log({ action: 'Revoke', outcome: 'unknown', text: `Answered, ${since(sentAt, answeredAt)}` });
    const answered = { sentAt, answeredAt, headers: result.headers };
    this.#end(trial, await trial.observeRevocation(answered, (use) => this.#log(use)));
  }

  async #stop(notice: Notice): Promise<void> {
    const trial = this.#trial;
    if (!trial) return;
    const result = await trial.revoke();
    if (!result.ok && result.problem.kind !== 'gone') return this.#keep(trial, result.problem);
    this.#end(trial, notice);
  }

  /** Reports that the credentials could not be revoked. */
  #keep(trial: TrialCredentials, problem: Problem): void {
    if (problem.kind === 'gone') this.#end(trial, info(`“${NAME}” was already revoked.`));
    else say(this, failure(`${sentence(problem, 'action')} ${LEFT_OVER}`));
  }

  #end(trial: TrialCredentials, notice: Notice): void {
    this.#trial = undefined;
    trial.close();
    this.#show('idle');
    say(this, notice);
    markStale();
  }

  #leave(): void {
    const trial = this.#trial;
    if (!trial) return;
    void trial.revoke({ keepalive: true });
    this.#end(trial, STOPPED);
  }

  #fail(problem: Problem): void {
    this.#show('idle');
    const link = find(this, '[data-sign-in]', HTMLAnchorElement);
    link.hidden = problem.kind !== 'signed-out';
    link.href = signInLink(this.id);
    say(
      this,
      problem.kind === 'signed-out'
        ? info('Sign in to try it. You return to this page afterwards.')
        : failure(sentence(problem, 'action')),
    );
  }

  /** Shows the buttons of a state, and moves the focus to the new button if the old one had it. */
  #show(state: 'idle' | 'running'): void {
    const here = this.contains(document.activeElement);
    show(this, state);
    if (here) this.#button(state === 'idle' ? 'start' : 'revoke').focus();
  }

  #log({ action, outcome, text }: Use): void {
    const row = copyOf(find(this, 'template', HTMLTemplateElement));
    fill(row, { at: new Date().toLocaleTimeString('en-GB'), action, outcome: text });
    row.dataset.outcome = outcome;
    this.#list.append(row);
    while (this.#list.childElementCount > SHOWN) this.#list.firstElementChild?.remove();
  }

  #button(action: string): HTMLButtonElement {
    return find(this, `[data-action="${action}"]`, HTMLButtonElement);
  }

  get #list(): HTMLElement {
    return find(this, '[data-list="uses"]', HTMLElement);
  }
}

customElements.define('revocation-demo', RevocationDemo);
