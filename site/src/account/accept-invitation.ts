/**
 * The element `<accept-invitation>`: shows the invitation that the address names, and accepts it. New people choose a
 * password; people with an account sign in first. The server does not reveal which of the two applies.
 */

import { type Problem, sentence } from '../api/errors.ts';
import { currentSession } from '../api/session.ts';
import { fill, find, show } from '../ui/dom.ts';
import { bindForm, type Send } from '../ui/forms/form.ts';
import { bindPasswordToggles } from '../ui/forms/password-field.ts';
import { postAuth, problemOf, signIn, tokenInAddress } from './auth-client.ts';

interface Invitation {
  organization_name: string;
  email: string;
}

const USED = 'This invitation has been used, or a newer one has replaced it. Ask the person who invited you.';

const KNOWN: Problem = {
  kind: 'refused',
  message:
    'This email address already has an account. Select “I have an account”, then join with its password.',
};

class AcceptInvitation extends HTMLElement {
  #email = '';
  /** Whether a request to join got no response, so it may have succeeded. */
  #unanswered = false;

  connectedCallback(): void {
    this.#bind('new', async ({ name, password = '' }) => {
      const problem = await this.#accept({ name, password });
      // The server responds with 401 or 403 only if the invited person has an account.
      if (problem?.kind === 'signed-out' || problem?.kind === 'denied') return KNOWN;
      return problem ?? signIn(this.#email, password);
    });
    this.#bind('known', async ({ password = '' }) => {
      return (await signIn(this.#email, password)) ?? this.#accept({});
    });
    this.#bind('joined', () => this.#accept({}));
    for (const state of ['new', 'known']) {
      find(this, `[data-action="${state}"]`, HTMLButtonElement).addEventListener('click', () => {
        show(this, state);
        find(this, `[data-form="${state}"] input`, HTMLInputElement).focus();
      });
    }
    bindPasswordToggles(this);
    find(this, '[data-action="retry"]', HTMLButtonElement).addEventListener('click', () => void this.#open());
    addEventListener('hashchange', () => void this.#open());
    void this.#open();
  }

  #bind(form: string, send: Send): void {
    bindForm(find(this, `[data-form="${form}"]`, HTMLFormElement), send, () =>
      location.assign('/console/#welcome'),
    );
  }

  async #open(): Promise<void> {
    if (!tokenInAddress()) return show(this, 'no-token');
    show(this, 'loading');
    const [result, session] = await Promise.all([
      postAuth<Invitation>('/invitation', { token: tokenInAddress() }),
      currentSession(),
    ]);
    if (!result.ok) return this.#fail(result.problem);
    const { organization_name: organization, email } = result.body;
    this.#email = email;
    fill(this, { organization, email });
    const signedIn = session.ok && session.body?.email === email;
    show(this, signedIn ? 'joined' : 'new');
  }

  #fail(problem: Problem): void {
    const final = { gone: USED, fields: USED, refused: sentence(problem, 'form') }[problem.kind as string];
    fill(this, final ? { reason: final } : { problem: sentence(problem, 'form') });
    show(this, final ? 'not-good' : 'problem');
  }

  async #accept(choice: object): Promise<Problem | undefined> {
    const result = await postAuth('/accept-invitation', { token: tokenInAddress(), ...choice });
    const problem = problemOf(result);
    this.#unanswered ||= problem?.kind === 'unreachable' || problem?.kind === 'failed';
    if (problem?.kind !== 'gone') return problem;
    // The link works once. If the first response was lost, it was used by the previous attempt.
    return this.#unanswered ? undefined : { kind: 'refused', message: USED };
  }
}

customElements.define('accept-invitation', AcceptInvitation);
