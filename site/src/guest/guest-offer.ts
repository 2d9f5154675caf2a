/**
 * Offers guest access to signed-out readers if the operator allows it. guest-session.ts handles the rest and loads on a
 * click.
 */
import { fetchResult } from '../api/request.ts';
import { fill, find } from '../ui/dom.ts';
import { UNLOADED } from '../ui/panels/notice.ts';

const allowed = fetchResult<{ enabled: boolean; minutes: number }>(() => fetch('/auth/guest'));

/** Shows the button "Try it without an account" in a notice that asks to sign in. */
export async function offerGuestAccess(notice: HTMLElement): Promise<void> {
  const guests = (unloaded: () => void = () => undefined) => import('./guest-session.ts').catch(unloaded);
  // The guest's time is over, because the server ended the session.
  if (document.querySelector('[data-as-guest]')) return (await guests())?.end();
  const result = await allowed;
  if (!result.ok || !result.body.enabled) return;
  fill(notice, { minutes: `${result.body.minutes}` });
  for (const node of notice.querySelectorAll<HTMLElement>('[data-guest]')) node.hidden = false;
  const button = find(notice, '[data-action="try"]', HTMLButtonElement);
  button.onclick = async () =>
    (await guests(() => fill(notice, { 'guest-problem': UNLOADED.text })))?.enter(notice, button);
}
