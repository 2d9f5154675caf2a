/** The buttons of password-field.astro, which show or hide the password. */
import { find } from '../dom.ts';

export function bindPasswordToggles(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-action="reveal"]')) {
    button.addEventListener('click', () => {
      const input = find(root, `#${button.getAttribute('aria-controls')}`, HTMLInputElement);
      const shown = input.type === 'password';
      input.type = shown ? 'text' : 'password';
      button.ariaPressed = `${shown}`;
    });
  }
}
