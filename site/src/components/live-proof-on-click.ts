/** Loads the element `<live-proof>` when the reader first presses "Start" in one, and starts it. */
import { find } from '../lib/markup.ts';
import { UNANSWERED } from '../lib/problems.ts';

for (const proof of document.querySelectorAll('live-proof')) {
  const button = find(proof, '[data-action="start"]', HTMLButtonElement);
  const load = async () => {
    button.ariaBusy = 'true';
    const code = await import('./live-proof.ts').catch(() => undefined);
    button.ariaBusy = 'false';
    if (!code) find(proof, '[role="status"]', HTMLElement).textContent = `${UNANSWERED}.`;
    else if (proof instanceof code.LiveProof) {
      // From now on the element does it itself.
      button.removeEventListener('click', load);
      await proof.start();
    }
  };
  button.addEventListener('click', load);
}
