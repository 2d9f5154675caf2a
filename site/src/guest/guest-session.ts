/** Guest access: starts it, and shows the time left. Loaded for guests only. guest-offer.ts offers it. */

import { sentence } from '../api/errors.ts';
import { fetchResult } from '../api/request.ts';
import { forgetSession, signInLink } from '../api/session.ts';
import { fill, find } from '../ui/dom.ts';

/** When the guest's access ends, in milliseconds since the epoch. */
let ends: number | undefined;
let clock: ReturnType<typeof setInterval> | undefined;
let entering = false;

/**
 * Makes the reader a guest. `button` is the one in `notice` that was pressed. A page creates one guest, whichever button is
 * pressed.
 */
export async function enter(notice: HTMLElement, button: HTMLButtonElement): Promise<void> {
  if (entering) return;
  entering = true;
  button.ariaBusy = 'true';
  const result = await fetchResult(() => fetch('/auth/guest', { method: 'POST' }));
  button.ariaBusy = 'false';
  entering = false;
  if (!result.ok) {
    fill(notice, { 'guest-problem': refusal(result.problem) });
    return;
  }
  const panel = notice.closest('[data-panel]');
  renew();
  panel?.querySelector<HTMLElement>('[tabindex="-1"]')?.focus();
}

function refusal(problem: Parameters<typeof sentence>[0]): string {
  if (problem.kind === 'wait') return 'All guest sandboxes are in use. Try again in a few minutes.';
  return sentence(problem, 'action');
}

/** Makes all panels of the page load their data again. */
function renew(): void {
  forgetSession();
  // Every panel has this button (panel-states.astro).
  for (const button of document.querySelectorAll<HTMLElement>('[data-panel] [data-action="retry"]'))
    button.click();
}

/**
 * Shows a guest the time left, or that it is over. `until` and `serverTime`, the server's time at the response, are in RFC
 * 3339 format. The browser's clock may be wrong.
 */
export function present(until: string, serverTime: string | null): void {
  const now = Date.now();
  const left = Date.parse(until) - (Date.parse(serverTime ?? '') || now);
  // The server just reported the session as valid, whatever the clocks say.
  ends = now + Math.max(left, 60_000);
  showTimeLeft();
  clearInterval(clock);
  clock = setInterval(showTimeLeft, 5_000);
}

function showTimeLeft(): void {
  const left = (ends ?? 0) - Date.now();
  if (left <= 0) {
    end();
    return;
  }
  const minutes = Math.ceil(left / 60_000);
  const time = `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  show('now', { time });
  label({ name: `Guest, ${time} left`, initial: `${minutes} min`, email: '', 'guest-over': '' });
}

/** Shows that guest access has ended. */
export function end(): void {
  if (ends === undefined) return;
  clearInterval(clock);
  ends = undefined;
  show('over', {});
  label({ 'guest-over': 'Your sandbox has expired.' }, false);
  renew();
}

/** Fills in the session menu, for a guest or for anyone else. */
function label(texts: Record<string, string>, asGuest = true): void {
  const menu = document.querySelector('session-menu');
  if (!menu) return;
  menu.toggleAttribute('data-as-guest', asGuest);
  fill(menu, texts);
  find(menu, '.guest', HTMLAnchorElement).href = signInLink();
}

/** Shows the notices for guests (guest-notice.astro): `now` while access lasts, `over` afterwards. */
function show(state: 'now' | 'over', texts: Record<string, string>): void {
  for (const note of document.querySelectorAll<HTMLElement>('[data-guest-note]')) {
    note.hidden = note.dataset.guestNote !== state;
    fill(note, texts);
    find(note, 'a', HTMLAnchorElement).href = signInLink(note.closest('[data-step]')?.id);
  }
}
