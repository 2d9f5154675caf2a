/** What the console's dialogs have in common: they send one request and stay open until it has succeeded. */
import type { Result } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import type { Values } from '../../ui/forms/form.ts';
import { info, type Notice, success } from '../../ui/panels/notice.ts';
import { principalOptions } from '../iam/principal-options.ts';
import { type Principal, principalName } from '../iam/principals.ts';

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
 * Offers the parties in a drop-down and chooses `wanted`, or else the first. Who is wanted is there also when they could not
 * be read: the form would otherwise take from them what is theirs.
 */
export function fillPrincipalOptions(
  select: HTMLSelectElement,
  principals: readonly Principal[],
  wanted?: Pick<Principal, 'kind' | 'id'>,
): void {
  select.replaceChildren(...principalOptions(principals));
  if (!wanted) return;
  const { kind, id } = wanted;
  const value = `${kind}:${id}`;
  if (!principals.some((principal) => principal.id === id))
    select.prepend(new Option(principalName(principals, id), value));
  select.value = value;
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
): Promise<Notice | undefined> {
  let notice: Notice | undefined;
  await dialogIn(root, dialog).open(async () => {
    const result = await send();
    if (!result.ok && result.problem.kind !== 'gone') return result.problem;
    notice = result.ok ? success(done) : info(`${texts.name} was already deleted.`);
    return undefined;
  }, texts);
  return notice;
}
