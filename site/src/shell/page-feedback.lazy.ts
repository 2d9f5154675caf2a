/** Takes the answer to "Was this page helpful?" (page-feedback.astro); the script for it is loaded then. */
import { say, UNLOADED } from '../ui/panels/notice.ts';

for (const root of document.querySelectorAll<HTMLElement>('page-feedback')) {
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-answer]')) {
    button.disabled = false;
    button.onclick = () =>
      import('./page-feedback.ts').then(
        (code) => code.answer(root, button.dataset.answer === 'yes'),
        () => say(root, UNLOADED),
      );
  }
}
