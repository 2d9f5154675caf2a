/** Loads the element `<revocation-demo>` when the reader first presses "Start" in one, and starts it. */
import { busyWhile, find } from '../../ui/dom.ts';
import { say, UNLOADED } from '../../ui/panels/notice.ts';

for (const demo of document.querySelectorAll('revocation-demo')) {
  const button = find(demo, '[data-action="start"]', HTMLButtonElement);
  button.disabled = false;
  button.addEventListener('click', async () => {
    // Its script is here, for this one or another on the page: the element does it itself.
    if (customElements.get('revocation-demo')) return;
    const code = await busyWhile(
      button,
      import('./revocation-demo.ts').catch(() => undefined),
    );
    if (!code) say(demo, UNLOADED);
    else if (demo instanceof code.RevocationDemo) await demo.start();
  });
}
