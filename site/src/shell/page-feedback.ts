/** Sends a reader's feedback about the page once: with the comment, or without one if the reader leaves the page. */

import { type Problem, sentence } from '../api/errors.ts';
import { fill, find, show } from '../ui/dom.ts';
import { failure, say, success } from '../ui/panels/notice.ts';

/**
 * Records an answer and asks for a comment. The first answer counts, because both buttons can be pressed while this script
 * loads.
 */
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

/** Sends feedback, also while the page unloads. Does not use the typed client, which reading pages do not load. */
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
