/** The element `<sign-in-form>`: exchanges an e-mail address and a password for a session cookie. */
import { ask } from '../lib/answers.ts';
import { type Values, wireForm } from '../lib/form.ts';
import { fill, find, show } from '../lib/markup.ts';
import type { Problem } from '../lib/problems.ts';
import { currentSession, returnAddress, signOut } from '../lib/session.ts';

const NO_MATCH: Problem = {
  kind: 'refused',
  message: 'This e-mail address and this password do not belong together. Check both, then try again.',
};

class SignInForm extends HTMLElement {
  connectedCallback(): void {
    wireForm(find(this, 'form', HTMLFormElement), signIn, () => location.assign(returnAddress()));
    find(this, 'a', HTMLAnchorElement).href = returnAddress();
    find(this, '[data-action="sign-out"]', HTMLButtonElement).addEventListener('click', () => void signOut());
    const reveal = find(this, '[data-action="reveal"]', HTMLButtonElement);
    reveal.addEventListener('click', () => this.#reveal(reveal));
    void this.#render();
  }

  async #render(): Promise<void> {
    const session = await currentSession();
    if (!session.ok || !session.body) return;
    fill(this, { name: session.body.name, email: session.body.email });
    show(this, 'signed-in');
  }

  #reveal(button: HTMLButtonElement): void {
    const input = find(this, '[name="password"]', HTMLInputElement);
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.ariaPressed = `${shown}`;
  }
}

async function signIn({ email, password }: Values): Promise<Problem | undefined> {
  const result = await ask(() =>
    fetch('/auth/sign-in/email', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password }),
    }),
  );
  if (result.ok) return undefined;
  return result.problem.kind === 'signed-out' ? NO_MATCH : result.problem;
}

customElements.define('sign-in-form', SignInForm);
