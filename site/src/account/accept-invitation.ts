/**
 * The element `<accept-invitation>`: says what the link in the address invites to, and joins. A person with an account signs
 * in on the way, or already has; one without chooses a password and is signed in with it. The server does not say in advance
 * which of them has opened the link.
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
  /** Whether joining was asked for without an answer: it may have been done. */
  #unanswered = false;

  connectedCallback(): void {
    this.#bind('new', async ({ name, password = '' }) => {
      const problem = await this.#accept({ name, password });
      // Only a person with an account is asked to sign in, or, signed in as somebody else, refused.
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
    // The link works once: it was used from here, and what was lost is the answer.
    return this.#unanswered ? undefined : { kind: 'refused', message: USED };
  }
}

customElements.define('accept-invitation', AcceptInvitation);
