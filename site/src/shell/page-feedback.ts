/**
 * Sends what a reader says of the page (page-feedback.astro): once, with the remark, or without one when the reader goes
 * on to another page.
 */

import { type Problem, sentence } from '../api/errors.ts';
import { fill, find, show } from '../ui/dom.ts';
import { failure, say, success } from '../ui/panels/notice.ts';

/** Takes an answer, and asks for a remark. The first answer counts: both buttons may be pressed before this script is here. */
export function answer(root: HTMLElement, helpful: boolean): void {
  const form = find(root, 'form', HTMLFormElement);
  if (!form.hidden) return;
  const remark = find(root, 'textarea', HTMLTextAreaElement);
  let sent = false;
  const send = (remark: string) => {
    sent = true;
    return post({ page: location.pathname, helpful, remark });
  };
  fill(root, {
    question: helpful
      ? 'What helped, or is still missing? (optional)'
      : 'What is missing or wrong? (optional)',
  });
  say(root);
  show(root, 'answered');
  remark.focus();
  addEventListener('pagehide', () => void (sent || send('')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (sent) return;
    const most = Number(remark.dataset.max);
    if (remark.value.trim().length > most) {
      return say(root, failure(`This is too long. Use at most ${most} characters.`));
    }
    const problem = await send(remark.value);
    sent = problem === undefined;
    if (sent) show(root, 'thanked');
    say(root, problem ? failure(sentence(problem, 'form')) : success('Thank you. It was sent.'));
  });
}

/** Sends it, also while the page is being left. By itself, since a page that is read loads nothing else of forms. */
async function post(body: object): Promise<Problem | undefined> {
  try {
    const { ok, status, headers } = await fetch('/feedback', {
      method: 'POST',
      keepalive: true,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return ok ? undefined : (await import('../api/parse-error.ts')).parseError(status, headers, null);
  } catch {
    return { kind: 'unreachable' };
  }
}
