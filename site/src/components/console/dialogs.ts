/** What the console's dialogs have in common: they send one request and stay open until it has succeeded. */
import type { Result } from '../../lib/answers.ts';
import type { Values } from '../../lib/form.ts';
import { dialogIn } from '../form-dialog.ts';

/** Opens a dialog and sends what was typed. Resolves to the answer, or to undefined when the person cancels. */
export async function submitted<T>(
  root: ParentNode,
  dialog: string,
  send: (values: Values, key: string) => Promise<Result<T>>,
  { texts = {}, values = {} }: { texts?: Record<string, string>; values?: Values } = {},
): Promise<T | undefined> {
  let answer: T | undefined;
  await dialogIn(root, dialog).open(
    async (typed, key) => {
      const result = await send(typed, key);
      if (!result.ok) return result.problem;
      answer = result.body;
      return undefined;
    },
    texts,
    values,
  );
  return answer;
}

/**
 * Asks for confirmation and sends. Resolves to what to say of it, or to undefined when the person cancels: `done`, or that
 * somebody else was faster.
 */
export async function confirmed(
  root: ParentNode,
  dialog: string,
  send: () => Promise<Result<unknown>>,
  texts: Record<string, string>,
  done: string,
): Promise<string | undefined> {
  let notice: string | undefined;
  await dialogIn(root, dialog).open(async () => {
    const result = await send();
    if (!result.ok && result.problem.kind !== 'gone') return result.problem;
    notice = result.ok ? done : `${texts.name} was gone already.`;
    return undefined;
  }, texts);
  return notice;
}
