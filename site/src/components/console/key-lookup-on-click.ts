/** Opens the dialog of `<key-lookup>`, whose script is loaded for it. */
import { find } from '../../lib/markup.ts';
import { UNANSWERED } from '../../lib/problems.ts';

for (const element of document.querySelectorAll('key-lookup')) {
  const button = find(element, '[data-action="look-up"]', HTMLButtonElement);
  button.addEventListener('click', async () => {
    const code = await import('./key-lookup.ts').catch(() => undefined);
    find(element, '[data-part="trouble"]', HTMLElement).textContent = code ? '' : `${UNANSWERED}.`;
    code?.open(element);
  });
}
