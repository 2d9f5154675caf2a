/**
 * The credentials that a guide follows: reads them again and again while the page is visible, shows their state in the
 * stages of the guide, and runs the actions on them. Loaded when credentials are chosen.
 */
import { type AccessKeyCredentials, type NatsCredentials, natsCredentials } from '../../api/api.ts';
import { type Problem, sentence } from '../../api/errors.ts';
import { type CredentialProductId, credentialEndpoints } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { markSteps } from '../../guide/progress.ts';
import { busyWhile, fill, find } from '../../ui/dom.ts';
import { failure, info, type Notice, say, success } from '../../ui/panels/notice.ts';
import { showTime } from '../../ui/time.ts';
import { choose } from '../../workspace/selection.ts';
import type { Action } from '../allowed-actions.ts';
import { change } from '../dialogs/changes.ts';
import { keyOf, oldKeyOf, showRotation } from '../dialogs/rotation-facts.ts';
import type { Subject } from '../dialogs/subject.ts';
import { showConnected } from '../nats/connected-clients.ts';
import { credentialPage } from '../permalink.ts';
import { fromAddress, toAddress } from './followed-address.ts';
import { createLink, readReplacement, showReplacement } from './followed-replacement.ts';
import { type FollowedState, isStepDone } from './followed-steps.ts';
import { adviceOf, readAccount, subjectOf, whereOf } from './followed-subject.ts';
import { readUse } from './followed-use.ts';

type Credentials = AccessKeyCredentials | NatsCredentials;

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;

/** See the file's head. */
export class FollowedCredentials {
  readonly #guide: HTMLElement;
  readonly #product: CredentialProductId;
  readonly #changed: () => unknown;
  #credentials: Credentials;
  /** For the dialogs. Undefined until it is loaded. */
  #subject: Subject | undefined;
  #state: FollowedState;
  /** Whether the API no longer has them. */
  #gone = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT_MS;
  /** When the API last returned their state, in RFC 3339 format. */
  #checkedAt = new Date().toISOString();
  /** Whether the last attempt failed. */
  #failed = false;
  /** Aborted when a response is no longer of use. */
  #reading = new AbortController();
  /** Aborted when other credentials are followed. */
  readonly #life = new AbortController();

  /** `changed` is called after each change. */
  constructor(
    guide: HTMLElement,
    product: CredentialProductId,
    credentials: Credentials,
    changed: () => unknown,
  ) {
    this.#guide = guide;
    this.#product = product;
    this.#credentials = credentials;
    this.#changed = changed;
    this.#state = {
      status: credentials.status,
      rotation: 'none',
      newKeyUsed: false,
      useShown: false,
      replaced: false,
    };
    for (const button of guide.querySelectorAll<HTMLElement>('[data-stage] [data-run]')) {
      button.onclick = () => void this.#run(button);
    }
  }

  /** Shows the credentials, and begins to read them. */
  async start(): Promise<void> {
    for (const stage of this.#stages) say(stage);
    if ('nats_account_id' in this.#credentials) choose({ account: this.#credentials.nats_account_id });
    this.#see(this.#credentials);
    const loaded = await subjectOf(this.#product, this.#credentials);
    if (this.#life.signal.aborted) return;
    if (loaded.ok) this.#subject = loaded.body;
    else this.#report(loaded.problem);
    this.#show();
    this.#showConnected();
    await this.check();
  }

  /** Stops reading, and shows no credentials. */
  stop(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    this.#reading.abort();
    for (const stage of this.#stages) {
      say(stage);
      showStates(stage, new Set(['unchosen']));
    }
    markSteps(this.#guide, () => false);
  }

  /** Reads the credentials now. */
  async check(): Promise<void> {
    clearTimeout(this.#timer);
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const problem = await this.#read(signal);
    if (signal.aborted) return;
    this.#report(problem);
    this.#show();
    if (!this.#watches) return;
    this.#timer = setTimeout(() => this.#tick(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 1.5);
  }

  /** Reads nothing while the page is hidden. The guide checks when it becomes visible. */
  #tick(): void {
    if (document.hidden) this.#timer = setTimeout(() => this.#tick(), LONGEST_WAIT_MS);
    else void this.check();
  }

  /** Whether something can still change without this page. */
  get #watches(): boolean {
    if (this.#gone) return this.#state.status !== 'revoked';
    return this.#credentials.rotation !== null || this.#stage('use') !== null;
  }

  async #read(signal: AbortSignal): Promise<Problem | undefined> {
    const { id, region } = this.#credentials;
    const param = { region, credentials_id: id };
    if (this.#gone) return this.#confirm(signal);
    // The API records the uses of NATS credentials when it lists the open connections of the servers.
    if (this.#product === 'nats' && this.#credentials.rotation) {
      await fetchResult(() =>
        natsCredentials[':credentials_id'].connections.$get({ param }, { init: { signal } }),
      );
    }
    const result: Result<Credentials> = await fetchResult<Credentials>(() =>
      credentialEndpoints[this.#product].$get({ param }, { init: { signal } }),
    );
    if (signal.aborted) return undefined;
    if (!result.ok && result.problem.kind === 'gone') {
      this.#gone = true;
      return this.#confirm(signal);
    }
    if (!result.ok) return result.problem;
    this.#see(result.body);
    return this.#readUse(signal);
  }

  /** Reads how leaked credentials are used, and whether there is a replacement. */
  async #readUse(signal: AbortSignal): Promise<Problem | undefined> {
    const stage = this.#stage('use');
    if (!stage) return undefined;
    const [use, replacement] = await Promise.all([
      readUse(stage, this.#product, this.#credentials, signal),
      readReplacement(this.#product, this.#credentials, signal),
    ]);
    if (signal.aborted) return undefined;
    if (replacement.ok) {
      this.#state.replaced = replacement.body !== undefined;
      if (replacement.body) showReplacement(this.#stage('replace') ?? stage, replacement.body);
    }
    if (!use) this.#state.useShown = true;
    return use ?? (replacement.ok ? undefined : replacement.problem);
  }

  /** Loads the clients that are connected with leaked NATS credentials. Not on each check, which would move the list. */
  #showConnected(): void {
    const stage = this.#stage('use');
    if (!stage || this.#gone || !('nats_account_id' in this.#credentials)) return;
    void showConnected(stage, this.#credentials, this.#life.signal);
  }

  /** Reads whether all servers have confirmed a revocation. For the other products, the revocation is in the database. */
  async #confirm(signal: AbortSignal): Promise<Problem | undefined> {
    const account = this.#subject?.product === 'nats' ? this.#subject.account : undefined;
    if (account) {
      const now = await readAccount(account, signal);
      if (!now.ok && now.problem.kind !== 'gone') return now.problem;
      if (now.ok && now.body.enforcement.state !== 'enforced') return undefined;
    }
    this.#state.status = 'revoked';
    return undefined;
  }

  /** Takes over what the API returned. */
  #see(credentials: Credentials): void {
    const before = this.#state;
    const rotation = rotationOf(credentials);
    const newKeyUsed = credentials.rotation
      ? credentials.rotation.first_used_at !== null
      : rotation === 'finished' && before.newKeyUsed;
    this.#credentials = credentials;
    if (this.#subject) this.#subject = { ...this.#subject, credentials } as Subject;
    this.#state = { ...before, status: credentials.status, rotation, newKeyUsed };
    toAddress({ from: oldKeyOf(credentials) ?? (rotation === 'finished' ? fromAddress('from') : undefined) });
    if (newKeyUsed && !before.newKeyUsed && before.rotation === 'started') {
      this.#say('keys', success('The new key has been used for the first time.'));
    }
    if (rotation === 'finished' && before.rotation === 'started') {
      this.#say('finish', info('The old key has ended.'));
    }
  }

  async #run(button: HTMLElement): Promise<void> {
    const stage = button.closest<HTMLElement>('[data-stage]');
    const action = button.dataset.run as Action | 'check';
    this.#wait = FIRST_WAIT_MS;
    if (action === 'check') return void (await busyWhile(button, this.check()));
    if (!this.#subject || !stage) return;
    const dialogs = find(this.#guide, `[data-dialogs="${this.#product}"]`, HTMLElement);
    const subject = this.#subject;
    const done = await change(dialogs, subject, action);
    if (!done || this.#life.signal.aborted) return;
    for (const one of this.#stages) say(one);
    await this.check();
    if (this.#life.signal.aborted) return;
    this.#showConnected();
    // After the check, which has notices of its own.
    say(stage, done.notice);
    if (hasLostFocus()) find(stage, '[tabindex="-1"]', HTMLElement).focus();
    this.#changed();
  }

  #show(): void {
    if (this.#life.signal.aborted) return;
    const { status, rotation, replaced } = this.#state;
    const credentials = this.#credentials;
    const rotating = rotation === 'started' && !this.#gone;
    const states = new Set<string>([
      'chosen',
      replaced ? 'replaced' : 'not-replaced',
      ...(this.#gone ? ['gone'] : ['present', status]),
      ...(this.#product === 'nats' && !this.#gone ? ['connections'] : []),
      ...(this.#gone && status !== 'revoked' ? ['unconfirmed'] : []),
      ...(rotating ? ['rotating'] : rotation === 'finished' ? ['finished'] : ['not-rotating']),
      ...(status === 'enabled' && rotation === 'none' && !this.#gone ? ['rotatable'] : []),
    ]);
    const times = {
      started: credentials.rotation?.started_at,
      disabled: credentials.disabled_at,
      expired: credentials.expires_at,
      checked: this.#checkedAt,
    };
    for (const stage of this.#stages) {
      fill(stage, {
        name: credentials.name,
        key: keyOf(credentials),
        where: whereOf(this.#product, credentials, this.#subject),
        reason: credentials.disabled_reason ? `Reason: ${credentials.disabled_reason}` : '',
        advice: adviceOf(this.#product, credentials),
      });
      for (const [name, at] of Object.entries(times)) {
        const time = stage.querySelector<HTMLTimeElement>(`[data-time="${name}"]`);
        if (time && at) showTime(time, at);
      }
      showStates(stage, states);
    }
    const keys = this.#stage('keys');
    if (keys) showRotation(keys, this.#product, credentials);
    this.#link('page', credentialPage(this.#product, credentials));
    this.#link('create', createLink(this.#product, credentials));
    markSteps(this.#guide, (step) => isStepDone(step, this.#state));
  }

  /** Shows why the credentials could not be read, until they can be. */
  #report(problem: Problem | undefined): void {
    const [first] = this.#stages;
    if (first && (problem || this.#failed)) say(first, problem && failure(sentence(problem, 'list')));
    this.#failed = problem !== undefined;
    if (!problem) this.#checkedAt = new Date().toISOString();
  }

  #link(name: string, href: string): void {
    const links = this.#guide.querySelectorAll<HTMLAnchorElement>(`[data-link="${name}"]`);
    for (const link of links) link.href = href;
  }

  #say(name: string, notice: Notice): void {
    const stage = this.#stage(name);
    if (stage) say(stage, notice);
  }

  get #stages(): HTMLElement[] {
    return [...this.#guide.querySelectorAll<HTMLElement>('[data-stage]')];
  }

  #stage(name: string): HTMLElement | null {
    return this.#guide.querySelector(`[data-stage="${name}"]`);
  }
}

/** Shows the nodes whose `data-if` lists one of the states, and hides the others. */
function showStates(stage: HTMLElement, states: ReadonlySet<string>): void {
  for (const node of stage.querySelectorAll<HTMLElement>('[data-if]')) {
    node.hidden = !node.dataset.if?.split(' ').some((state) => states.has(state));
  }
}

function hasLostFocus(): boolean {
  const { activeElement: focused } = document;
  return !focused || focused === document.body || focused.closest('[hidden]') !== null;
}

/** The rotation of the key in the page's address is finished when the credentials have another key. */
function rotationOf(credentials: Credentials): FollowedState['rotation'] {
  if (credentials.rotation) return 'started';
  const from = fromAddress('from');
  return from && from !== keyOf(credentials) ? 'finished' : 'none';
}
