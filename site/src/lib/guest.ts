/**
 * Guests: lets readers try the product without an account where the operator allows it, and says for how long they can.
 * Loaded for who is signed out, or is a guest. Sessions are session.ts's, and what forms show of them theirs.
 */
import { ask } from './answers.ts';
import { fill, find } from './markup.ts';
import { sentence } from './problems.ts';
import { forgetSession, signInLink } from './session.ts';

const allowed = ask<{ enabled: boolean; minutes: number }>(() => fetch('/auth/guest'));

/** When the time of the guest at this page ends, in milliseconds since the epoch. */
let ends: number | undefined;
let clock: ReturnType<typeof setInterval> | undefined;

/** Shows the button "Try it without an account" in a notice that asks to sign in (unavailable.astro). */
export async function offer(notice: HTMLElement): Promise<void> {
  // A guest who is signed out all of a sudden was ended by the server.
  if (ends !== undefined) return end();
  const result = await allowed;
  if (!result.ok || !result.body.enabled) return;
  fill(notice, { 'guest-terms': terms(result.body.minutes) });
  for (const node of notice.querySelectorAll<HTMLElement>('[data-guest]')) node.hidden = false;
  const button = find(notice, '[data-action="try"]', HTMLButtonElement);
  button.onclick = () => void enter(notice, button);
}

const terms = (minutes: number) =>
  `Or try it with a project of your own, which is deleted with all that you make after ${minutes} minutes.`;

async function enter(notice: HTMLElement, button: HTMLButtonElement): Promise<void> {
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  const result = await ask(() => fetch('/auth/guest', { method: 'POST' }));
  button.ariaBusy = 'false';
  if (!result.ok) {
    fill(notice, { 'guest-problem': refusal(result.problem) });
    return;
  }
  const panel = notice.closest('[data-part]');
  renew();
  panel?.querySelector<HTMLElement>('[tabindex="-1"]')?.focus();
}

function refusal(problem: Parameters<typeof sentence>[0]): string {
  if (problem.kind === 'wait') return 'There are as many guests as there can be. Try again in a few minutes.';
  return sentence(problem);
}

/** Has every form of the page begin anew with whoever is at the browser now. */
function renew(): void {
  forgetSession();
  // Each part of a form has it beside what it shows to strangers, in unavailable.astro.
  for (const button of document.querySelectorAll<HTMLElement>('[data-part] [data-action="retry"]'))
    button.click();
}

/** Shows to a guest how long is left, and that it is over when it is. `until` is RFC 3339. */
export function present(until: string): void {
  ends = Date.parse(until);
  tell();
  clearInterval(clock);
  clock = setInterval(tell, 5_000);
}

function tell(): void {
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

function end(): void {
  clearInterval(clock);
  ends = undefined;
  show('over', {});
  label({ 'guest-over': 'Your time as a guest is over.' }, false);
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

/** Shows the notes for guests (guest-note.astro): `now` while the time runs, `over` when it has run out. */
function show(state: 'now' | 'over', texts: Record<string, string>): void {
  for (const note of document.querySelectorAll<HTMLElement>('[data-guest-note]')) {
    note.hidden = note.dataset.guestNote !== state;
    fill(note, texts);
    find(note, 'a', HTMLAnchorElement).href = signInLink(note.closest('[data-step]')?.id);
  }
}
