/**
 * Offers to who is signed out to try the product without an account, where the operator allows it. What comes of it is
 * guest-session.ts's, which is loaded then.
 */
import { fetchResult } from '../api/request.ts';
import { fill, find } from '../ui/dom.ts';
import { UNLOADED } from '../ui/panels/notice.ts';

const allowed = fetchResult<{ enabled: boolean; minutes: number }>(() => fetch('/auth/guest'));

/** Shows the button "Try it without an account" in a notice that asks to sign in (panel-states.astro). */
export async function offerGuestAccess(notice: HTMLElement): Promise<void> {
  const guests = (unloaded: () => void = () => undefined) => import('./guest-session.ts').catch(unloaded);
  // A guest who is signed out all of a sudden was ended by the server.
  if (document.querySelector('[data-as-guest]')) return (await guests())?.end();
  const result = await allowed;
  if (!result.ok || !result.body.enabled) return;
  fill(notice, { minutes: `${result.body.minutes}` });
  for (const node of notice.querySelectorAll<HTMLElement>('[data-guest]')) node.hidden = false;
  const button = find(notice, '[data-action="try"]', HTMLButtonElement);
  button.onclick = async () =>
    (await guests(() => fill(notice, { 'guest-problem': UNLOADED.text })))?.enter(notice, button);
}
