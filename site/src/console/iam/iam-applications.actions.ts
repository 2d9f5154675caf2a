/** The actions of `<iam-applications>`. Loaded on first use. */

import { type Application, iam } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { type Notice, success } from '../../ui/panels/notice.ts';

/** Asks for a name and creates an application. Returns undefined if the person cancels. */
export function create(root: ParentNode, organization: string): Promise<Application | undefined> {
  return dialogIn(root, 'create').submit(({ name = '', description = '' }) => {
    const json = { name, description, organization_id: organization };
    return fetchResult(() => iam.applications.$post({ json }));
  });
}

/** Asks for a new name and description. Returns undefined if the person cancels. */
export function rename(
  root: ParentNode,
  { id, name, description }: Application,
): Promise<Application | undefined> {
  const param = { application_id: id };
  return dialogIn(root, 'rename').submit(
    (json) => fetchResult(() => iam.applications[':application_id'].$patch({ param, json })),
    {},
    { name, description },
  );
}

/** Asks for confirmation and deletes an application. Returns the notice to show, or undefined if the person cancels. */
export function remove(root: ParentNode, { id, name }: Application): Promise<Notice | undefined> {
  const param = { application_id: id };
  const send = () => fetchResult<unknown>(() => iam.applications[':application_id'].$delete({ param }));
  return dialogIn(root, 'delete').confirm(send, { name }, () => success(`Deleted ${name}.`));
}
