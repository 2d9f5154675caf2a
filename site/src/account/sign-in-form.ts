/**
 * The element `<sign-in-form>`: signs in with an email address and a password, or with the token of a one-time link in the
 * fragment of the address.
 */

import { currentSession } from '../api/session.ts';
import { signOut } from '../api/sign-out.ts';
import { fill, find, show } from '../ui/dom.ts';
import { bindForm, showProblem } from '../ui/forms/form.ts';
import { bindPasswordToggles } from '../ui/forms/password-field.ts';
import { signIn, signInByLink, tokenInAddress } from './auth-client.ts';
import { returnAddress } from './return-url.ts';

/** Matches the token of a link, but not an anchor on the page. */
const LINK_TOKEN = /^[\w-]{43}$/;

class SignInForm extends HTMLElement {
  connectedCallback(): void {
    bindForm(
      find(this, 'form', HTMLFormElement),
      ({ email = '', password = '' }) => signIn(email, password),
      () => location.assign(returnAddress()),
    );
    bindPasswordToggles(this);
    find(this, '[data-when="signed-in"] a', HTMLAnchorElement).href = returnAddress();
    find(this, '[data-action="sign-out"]', HTMLButtonElement).addEventListener('click', () => void signOut());
    addEventListener('hashchange', () => void this.#useLink());
    void this.#useLink();
  }

  /** Signs in with the token in the address, if any. Removes the token from the address and the history first. */
  async #useLink(): Promise<void> {
    const token = tokenInAddress();
    if (!LINK_TOKEN.test(token)) return this.#render();
    history.replaceState(null, '', location.pathname + location.search);
    const problem = await signInByLink(token);
    if (!problem) return location.assign(returnAddress());
    showProblem(find(this, 'form', HTMLFormElement), problem);
  }

  async #render(): Promise<void> {
    const session = await currentSession();
    if (!session.ok || !session.body) return;
    fill(this, { name: session.body.name, email: session.body.email });
    show(this, 'signed-in');
  }
}

customElements.define('sign-in-form', SignInForm);
