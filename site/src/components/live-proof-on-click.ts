/** Loads the element `<live-proof>` when the reader first presses "Start" in one, and starts it. */
import { find } from '../lib/markup.ts';
import { UNANSWERED } from '../lib/problems.ts';

for (const proof of document.querySelectorAll('live-proof')) {
  const button = find(proof, '[data-action="start"]', HTMLButtonElement);
  button.addEventListener('click', async () => {
    // Its script is here, for this one or another on the page: the element does it itself.
    if (customElements.get('live-proof')) return;
    button.ariaBusy = 'true';
    const code = await import('./live-proof.ts').catch(() => undefined);
    button.ariaBusy = 'false';
    if (!code) find(proof, '[role="status"]', HTMLElement).textContent = `${UNANSWERED}.`;
    else if (proof instanceof code.LiveProof) await proof.start();
  });
}
