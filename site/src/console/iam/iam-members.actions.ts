/** What the list of members changes. Loaded when the reader first does so. */
import type { InferResponseType } from 'hono/client';
import { iam, type Member } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import { SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { fill, find } from '../../ui/dom.ts';
import { failure, type Notice, success } from '../../ui/panels/notice.ts';
import { confirmed, submitted } from '../list/list-dialogs.ts';

/** A member who was invited just now, with the link for an Owner. */
export type Invited = InferResponseType<typeof iam.users.$post, 200>;

const send = (organization_id: string, email: string) =>
  fetchResult(() => iam.users.$post({ json: { organization_id, email } }));

/** Asks for an address and invites. Undefined when the person cancels. */
export function invite(root: ParentNode, organization: string): Promise<Invited | undefined> {
  return submitted(root, 'invite', ({ email = '' }) => send(organization, email));
}

/** Replaces the link of an invitation. A notice says why it was not. */
export async function inviteAgain(
  _root: ParentNode,
  { organization_id, email }: Member,
): Promise<Invited | Notice> {
  const result = await send(organization_id, email);
  return result.ok ? result.body : failure(sentence(result.problem, 'action'));
}

/**
 * Shows the link of an invitation to an Owner, until they have said that it is passed on. Resolves to what to say of the
 * invitation.
 */
export async function showInvitation(
  root: ParentNode,
  { email, invitation_url: value }: Invited,
): Promise<Notice> {
  if (value === null) return success(`Invited ${email}. An email with the link is on its way.`);
  const dialog = find(root, 'secret-dialog', SecretDialog);
  fill(dialog, { email });
  await dialog.show({ fields: [{ label: 'Invitation link', value, secret: true }], files: [], commands: [] });
  return success(`Invited ${email}.`);
}

const nameOf = ({ first_name, email }: Member) => first_name || email;

/** Asks for confirmation and makes a member an Owner, or an Owner a member. */
export function setRole(root: ParentNode, member: Member, type: Member['type']): Promise<Notice | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  return confirmed(
    root,
    type === 'owner' ? 'promote' : 'demote',
    () => fetchResult<unknown>(() => iam.users[':user_id'].$patch({ ...request, json: { type } })),
    { name },
    type === 'owner' ? `${name} is an Owner now.` : `${name} is a member now.`,
  );
}

/** Asks for confirmation and takes a member out of the organization. */
export function remove(root: ParentNode, member: Member): Promise<Notice | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  const sending = () => fetchResult<unknown>(() => iam.users[':user_id'].$delete(request));
  return confirmed(root, 'remove', sending, { name }, `Removed ${name}.`);
}
