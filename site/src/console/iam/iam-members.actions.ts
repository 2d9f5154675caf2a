/** The actions of `<iam-members>`. Loaded on first use. */
import type { InferResponseType } from 'hono/client';
import { iam, type Member } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { fill, find } from '../../ui/dom.ts';
import { failure, type Notice, success } from '../../ui/panels/notice.ts';

/** A new invitation. For Owners, it contains the link. */
export type Invited = InferResponseType<typeof iam.users.$post, 200>;

const send = (organization_id: string, email: string) =>
  fetchResult(() => iam.users.$post({ json: { organization_id, email } }));

/** Asks for an email address and sends an invitation. Returns undefined if the person cancels. */
export function invite(root: ParentNode, organization: string): Promise<Invited | undefined> {
  return dialogIn(root, 'invite').submit(({ email = '' }) => send(organization, email));
}

/** Replaces the link of an invitation. Returns a notice if that fails. */
export async function inviteAgain(
  _root: ParentNode,
  { organization_id, email }: Member,
): Promise<Invited | Notice> {
  const result = await send(organization_id, email);
  return result.ok ? result.body : failure(sentence(result.problem, 'action'));
}

/** Shows an Owner the link of an invitation until they close the dialog. Returns the notice to show. */
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

/** Asks for confirmation and changes a member's role. */
export function setRole(root: ParentNode, member: Member, type: Member['type']): Promise<Notice | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  return dialogIn(root, type === 'owner' ? 'promote' : 'demote').confirm(
    () => fetchResult<unknown>(() => iam.users[':user_id'].$patch({ ...request, json: { type } })),
    { name },
    () => success(type === 'owner' ? `${name} is an Owner now.` : `${name} is a member now.`),
  );
}

/** Asks for confirmation and removes a member from the organization. */
export function remove(root: ParentNode, member: Member): Promise<Notice | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  const sending = () => fetchResult<unknown>(() => iam.users[':user_id'].$delete(request));
  return dialogIn(root, 'remove').confirm(sending, { name }, () => success(`Removed ${name}.`));
}
