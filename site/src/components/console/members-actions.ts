/** What the list of members changes. Loaded when the reader first does so. */
import type { InferResponseType } from 'hono/client';
import { ask } from '../../lib/answers.ts';
import { iam, type Member } from '../../lib/api.ts';
import { fill, find } from '../../lib/markup.ts';
import { sentence } from '../../lib/problems.ts';
import { SecretDialog } from '../secret-dialog.ts';
import { confirmed, submitted } from './dialogs.ts';

/** A member who was invited just now, with the link for an Owner. */
export type Invited = InferResponseType<typeof iam.users.$post, 200>;

const send = (organization_id: string, email: string) =>
  ask(() => iam.users.$post({ json: { organization_id, email } }));

/** Asks for an address and invites. Undefined when the person cancels; a text says why nobody was. */
export function invite(root: ParentNode, organization: string): Promise<Invited | string | undefined> {
  return submitted(root, 'invite', ({ email = '' }) => send(organization, email));
}

/** Replaces the link of an invitation. A text says why it was not. */
export async function inviteAgain(
  _root: ParentNode,
  { organization_id, email }: Member,
): Promise<Invited | string | undefined> {
  const result = await send(organization_id, email);
  return result.ok ? result.body : sentence(result.problem);
}

/**
 * Shows the link of an invitation to an Owner, until they have said that it is passed on. Resolves to what to say of the
 * invitation.
 */
export async function told(root: ParentNode, { email, invitation_url: value }: Invited): Promise<string> {
  if (value === null) return `Invited ${email}. A mail with the link is on its way.`;
  const dialog = find(root, 'secret-dialog', SecretDialog);
  fill(dialog, { email });
  await dialog.show({ fields: [{ label: 'Invitation link', value }], files: [], commands: [] });
  return `Invited ${email}.`;
}

const nameOf = ({ first_name, email }: Member) => first_name || email;

/** Asks for confirmation and makes a member an Owner, or an Owner a member. */
export function setRole(root: ParentNode, member: Member, type: Member['type']): Promise<string | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  return confirmed(
    root,
    type === 'owner' ? 'promote' : 'demote',
    () => ask<unknown>(() => iam.users[':user_id'].$patch({ ...request, json: { type } })),
    { name },
    type === 'owner' ? `${name} is an Owner now.` : `${name} is a member now.`,
  );
}

/** Asks for confirmation and takes a member out of the organization. */
export function remove(root: ParentNode, member: Member): Promise<string | undefined> {
  const name = nameOf(member);
  const request = { param: { user_id: member.id }, query: { organization_id: member.organization_id } };
  const sending = () => ask<unknown>(() => iam.users[':user_id'].$delete(request));
  return confirmed(root, 'remove', sending, { name }, `Removed ${name}.`);
}
