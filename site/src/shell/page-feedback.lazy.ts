/** Loads page-feedback.ts when the reader answers "Was this page helpful?". */
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
