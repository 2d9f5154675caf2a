/**
 * Sends what a reader says of the page (page-feedback.astro): once, with the remark, or without one when the reader goes
 * on to another page.
 */
import { ask } from '../lib/answers.ts';
import { fill, find, show } from '../lib/markup.ts';
import { sentence } from '../lib/problems.ts';

/** Takes an answer, and asks for a remark. */
export function answer(root: HTMLElement, helpful: boolean): void {
  const form = find(root, 'form', HTMLFormElement);
  const remark = find(root, 'textarea', HTMLTextAreaElement);
  const status = find(root, '[role="status"]', HTMLElement);
  let sent = false;
  const send = (text: string) => {
    sent = true;
    return ask(() =>
      fetch('/feedback', {
        method: 'POST',
        keepalive: true,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ page: location.pathname, helpful, remark: text }),
      }),
    );
  };
  fill(root, {
    question: helpful
      ? 'What helped, or is still missing? (optional)'
      : 'What is missing, or wrong? (optional)',
  });
  show(root, 'answered');
  remark.focus();
  addEventListener('pagehide', () => void (sent || send('')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (sent) return;
    const result = await send(remark.value);
    sent = result.ok;
    if (result.ok) show(root, 'thanked');
    status.textContent = result.ok ? 'Thank you. It was sent.' : sentence(result.problem);
  });
}
