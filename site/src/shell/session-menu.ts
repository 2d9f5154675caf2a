/** The element `<session-menu>`: shows the session and signs out. */

import { currentSession, SESSION_CHANGED, SIGN_IN_SHOWN, signInLink } from '../api/session.ts';
import { fill, find, show } from '../ui/dom.ts';

class SessionMenu extends HTMLElement {
  connectedCallback(): void {
    for (const button of this.querySelectorAll('[data-action="sign-out"]'))
      button.addEventListener('click', () => import('../api/sign-out.ts').then((code) => code.signOut()));
    document.addEventListener(SESSION_CHANGED, () => void this.#render());
    document.addEventListener(SIGN_IN_SHOWN, ({ target }) =>
      import('../guest/guest-offer.ts').then(
        (code) => code.offerGuestAccess(target as HTMLElement),
        () => undefined,
      ),
    );
    void this.#render();
  }

  async #render(): Promise<void> {
    const result = await currentSession();
    const session = result.ok ? result.body : null;
    const guest = session?.guest;
    if (session) {
      const { name, email } = session;
      fill(this, { name, email: email === name ? '' : email, initial: name.slice(0, 1) });
    } else find(this, 'a', HTMLAnchorElement).href = signInLink();
    if (guest)
      await import('../guest/guest-session.ts').then(
        (code) => code.present(...guest),
        () => undefined,
      );
    document.documentElement.toggleAttribute('data-operator', session?.operator === true);
    show(this, session ? 'signed-in' : 'signed-out');
  }
}

customElements.define('session-menu', SessionMenu);
