/** The actions of `<console-projects>`. Loaded on first use. */

import { idempotent, type Project, projects } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { type Notice, success } from '../../ui/panels/notice.ts';

/** Asks for a name and creates a project. Returns undefined if the person cancels. */
export function create(root: ParentNode, organization: string): Promise<Project | undefined> {
  return dialogIn(root, 'create').submit(({ name = '', description = '' }, key) => {
    const json = { name, description, organization_id: organization };
    return fetchResult(() => projects.$post({ header: idempotent(key, organization), json }));
  });
}

/** Asks for a new name and description. Returns undefined if the person cancels. */
export function rename(root: ParentNode, { id, name, description }: Project): Promise<Project | undefined> {
  return dialogIn(root, 'rename').submit(
    (json) => fetchResult(() => projects[':project_id'].$patch({ param: { project_id: id }, json })),
    {},
    { name, description },
  );
}

/** Asks for confirmation and deletes a project. Returns the notice to show, or undefined if the person cancels. */
export function remove(root: ParentNode, { id, name }: Project): Promise<Notice | undefined> {
  const send = () =>
    fetchResult<unknown>(() => projects[':project_id'].$delete({ param: { project_id: id } }));
  return dialogIn(root, 'delete').confirm(send, { name }, () => success(`Deleted ${name}.`));
}
