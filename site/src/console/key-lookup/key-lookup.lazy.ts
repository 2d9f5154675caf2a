/** Opens the dialog of `<key-lookup>`, whose script is loaded for it. */

import { busyWhile, find } from '../../ui/dom.ts';
import { say, UNLOADED } from '../../ui/panels/notice.ts';

for (const element of document.querySelectorAll('key-lookup')) {
  const button = find(element, '[data-action="look-up"]', HTMLButtonElement);
  button.addEventListener('click', async () => {
    const code = await busyWhile(
      button,
      import('./key-lookup.ts').catch(() => undefined),
    );
    say(find(element, '[data-block="trouble"]', HTMLElement), code ? undefined : UNLOADED);
    code?.open(element);
  });
}
