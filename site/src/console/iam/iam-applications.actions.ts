/** What the list of applications changes. Loaded when the reader first does so. */

import { type Application, iam } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { confirmed, submitted } from '../list/list-dialogs.ts';

/** Asks for a name and creates an application. Undefined when the person cancels. */
export function create(root: ParentNode, organization: string): Promise<Application | undefined> {
  return submitted(root, 'create', ({ name = '', description = '' }) => {
    const json = { name, description, organization_id: organization };
    return fetchResult(() => iam.applications.$post({ json }));
  });
}

/** Asks for another name and description. Undefined when the person cancels. */
export function rename(
  root: ParentNode,
  { id, name, description }: Application,
): Promise<Application | undefined> {
  const param = { application_id: id };
  return submitted(
    root,
    'rename',
    (json) => fetchResult(() => iam.applications[':application_id'].$patch({ param, json })),
    { values: { name, description } },
  );
}

/** Asks for confirmation and deletes. Resolves to what to say of it, or to undefined when the person cancels. */
export function remove(root: ParentNode, { id, name }: Application): Promise<Notice | undefined> {
  const param = { application_id: id };
  const send = () => fetchResult<unknown>(() => iam.applications[':application_id'].$delete({ param }));
  return confirmed(root, 'delete', send, { name }, `Deleted ${name}.`);
}
