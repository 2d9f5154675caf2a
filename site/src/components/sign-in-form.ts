/** The element `<sign-in-form>`: exchanges an e-mail address and a password for a session cookie. */
import { signIn } from '../lib/auth.ts';
import { wireForm } from '../lib/form.ts';
import { fill, find, show } from '../lib/markup.ts';
import { returnAddress } from '../lib/return-address.ts';
import { wireReveal } from '../lib/reveal.ts';
import { currentSession, signOut } from '../lib/session.ts';

class SignInForm extends HTMLElement {
  connectedCallback(): void {
    wireForm(
      find(this, 'form', HTMLFormElement),
      ({ email = '', password = '' }) => signIn(email, password),
      () => location.assign(returnAddress()),
    );
    wireReveal(this);
    find(this, '[data-when="signed-in"] a', HTMLAnchorElement).href = returnAddress();
    find(this, '[data-action="sign-out"]', HTMLButtonElement).addEventListener('click', () => void signOut());
    void this.#render();
  }

  async #render(): Promise<void> {
    const session = await currentSession();
    if (!session.ok || !session.body) return;
    fill(this, { name: session.body.name, email: session.body.email });
    show(this, 'signed-in');
  }
}

customElements.define('sign-in-form', SignInForm);
