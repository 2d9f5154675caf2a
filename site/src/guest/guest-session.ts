/**
 * Guests: makes a reader one, and says for how long they are. Loaded for who becomes one or is one already. Sessions are
 * session.ts's, and what forms show of them theirs; who may become one is asked by guest-offer.ts.
 */

import { sentence } from '../api/errors.ts';
import { fetchResult } from '../api/request.ts';
import { forgetSession, signInLink } from '../api/session.ts';
import { fill, find } from '../ui/dom.ts';

/** When the time of the guest at this page ends, in milliseconds since the epoch. */
let ends: number | undefined;
let clock: ReturnType<typeof setInterval> | undefined;
let entering = false;

/** Makes the reader a guest; `button` is the one of `notice` that they pressed. One guest for all the buttons of a page. */
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

/** Has every form of the page begin anew with whoever is at the browser now. */
function renew(): void {
  forgetSession();
  // Each part of a form has it beside what it shows to strangers, in panel-states.astro.
  for (const button of document.querySelectorAll<HTMLElement>('[data-panel] [data-action="retry"]'))
    button.click();
}

/**
 * Shows to a guest how long is left, and that it is over when it is. `until` is RFC 3339; `told` is what the server's clock
 * said when it told so, where it says that: the clock here may be wrong.
 */
export function present(until: string, serverTime: string | null): void {
  const now = Date.now();
  const left = Date.parse(until) - (Date.parse(serverTime ?? '') || now);
  // What the server has just told is not over, whatever the clocks say.
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

/** Says that the time is over. */
export function end(): void {
  if (ends === undefined) return;
  clearInterval(clock);
  ends = undefined;
  show('over', {});
  label({ 'guest-over': 'Your sandbox has expired.' }, false);
  renew();
}

/** Writes into the menu of the session (session-menu.astro), as the one of a guest or of anybody. */
function label(texts: Record<string, string>, asGuest = true): void {
  const menu = document.querySelector('session-menu');
  if (!menu) return;
  menu.toggleAttribute('data-as-guest', asGuest);
  fill(menu, texts);
  find(menu, '.guest', HTMLAnchorElement).href = signInLink();
}

/** Shows the notes for guests (guest-notice.astro): `now` while the time runs, `over` when it has run out. */
function show(state: 'now' | 'over', texts: Record<string, string>): void {
  for (const note of document.querySelectorAll<HTMLElement>('[data-guest-note]')) {
    note.hidden = note.dataset.guestNote !== state;
    fill(note, texts);
    find(note, 'a', HTMLAnchorElement).href = signInLink(note.closest('[data-step]')?.id);
  }
}
