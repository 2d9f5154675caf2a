/** What the page of projects changes. Loaded when the reader first does so. */

import { idempotent, type Project, projects } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { confirmed, submitted } from '../list/list-dialogs.ts';

/** Asks for a name and creates a project. Undefined when the person cancels. */
export function create(root: ParentNode, organization: string): Promise<Project | undefined> {
  return submitted(root, 'create', ({ name = '', description = '' }, key) => {
    const json = { name, description, organization_id: organization };
    return fetchResult(() => projects.$post({ header: idempotent(key, organization), json }));
  });
}

/** Asks for another name and description. Undefined when the person cancels. */
export function rename(root: ParentNode, { id, name, description }: Project): Promise<Project | undefined> {
  return submitted(
    root,
    'rename',
    (json) => fetchResult(() => projects[':project_id'].$patch({ param: { project_id: id }, json })),
    { values: { name, description } },
  );
}

/** Asks for confirmation and deletes. Resolves to what to say of it, or to undefined when the person cancels. */
export function remove(root: ParentNode, { id, name }: Project): Promise<Notice | undefined> {
  const send = () =>
    fetchResult<unknown>(() => projects[':project_id'].$delete({ param: { project_id: id } }));
  return confirmed(root, 'delete', send, { name }, `Deleted ${name}.`);
}
