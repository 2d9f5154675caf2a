/** The buttons of password-field.astro: each shows or hides what is typed into the field that it controls. */
import { find } from '../dom.ts';

/** Wires the buttons under `root`. */
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
