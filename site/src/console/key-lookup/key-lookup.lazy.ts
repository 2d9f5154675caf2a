/** Loads key-lookup.ts on a click and opens the dialog of `<key-lookup>`. */

import { find, loadFor } from '../../ui/dom.ts';
import { say, UNLOADED } from '../../ui/panels/notice.ts';

for (const element of document.querySelectorAll('key-lookup')) {
  const button = find(element, '[data-action="look-up"]', HTMLButtonElement);
  button.addEventListener('click', async () => {
    const code = await loadFor(button, import('./key-lookup.ts'));
    say(find(element, '[data-block="trouble"]', HTMLElement), code ? undefined : UNLOADED);
    code?.open(element);
  });
}
