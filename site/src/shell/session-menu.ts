/** The element `<session-menu>`: shows the session that the API states, and ends it. */

import { currentSession, SESSION_CHANGED, signInLink } from '../api/session.ts';
import { fill, find, show } from '../ui/dom.ts';

class SessionMenu extends HTMLElement {
  connectedCallback(): void {
    for (const button of this.querySelectorAll('[data-action="sign-out"]'))
      button.addEventListener('click', async () => (await import('../api/sign-out.ts')).signOut());
    document.addEventListener(SESSION_CHANGED, () => void this.#render());
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
      await import('./guest/guest-session.ts').then(
        ({ present }) => present(...guest),
        () => undefined,
      );
    document.documentElement.toggleAttribute('data-operator', session?.operator === true);
    show(this, session ? 'signed-in' : 'signed-out');
  }
}

customElements.define('session-menu', SessionMenu);
