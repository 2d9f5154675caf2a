/** Opens revoke-dialog.astro. */
import type { Result } from '../../api/request.ts';
import { dialogIn, type FormDialog } from '../../ui/dialogs/form-dialog.ts';
import type { Values } from '../../ui/forms/form.ts';
import type { Notice } from '../../ui/panels/notice.ts';

/**
 * Asks for confirmation in the dialog under `root` and revokes credentials. `showFacts` fills in how the credentials are used;
 * its signal aborts when the dialog closes. Returns the notice to show, or undefined if the person cancels or `send` sends
 * nothing.
 */
export async function confirmRevocation(
  root: ParentNode,
  send: (values: Values) => Promise<Result<unknown>> | undefined,
  texts: Record<string, string>,
  done: (headers: Headers) => Notice,
  showFacts: (dialog: FormDialog, signal: AbortSignal) => void,
): Promise<Notice | undefined> {
  const dialog = dialogIn(root, 'revoke');
  if (dialog.isOpen) return undefined;
  const closed = new AbortController();
  showFacts(dialog, closed.signal);
  const notice = await dialog.confirm(send, texts, done, `${texts.name} was already revoked.`);
  closed.abort();
  return notice;
}
