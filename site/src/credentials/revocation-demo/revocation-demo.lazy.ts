/** Loads revocation-demo.ts on the first click on Start, and starts it. */
import { find, loadFor } from '../../ui/dom.ts';
import { say, UNLOADED } from '../../ui/panels/notice.ts';

for (const demo of document.querySelectorAll('revocation-demo')) {
  const button = find(demo, '[data-action="start"]', HTMLButtonElement);
  button.disabled = false;
  button.addEventListener('click', async () => {
    // The element handles the click once its script has loaded.
    if (customElements.get('revocation-demo')) return;
    const code = await loadFor(button, import('./revocation-demo.ts'));
    if (!code) say(demo, UNLOADED);
    else if (demo instanceof code.RevocationDemo) await demo.start();
  });
}
