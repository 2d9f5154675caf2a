/** Creates members for tests through the API: invites them, joins as them, and attaches a policy. */
import type { SignIn } from './browser.ts';
import { api, type LocalStack } from './local-stack.ts';

/** A policy rule in the API's request format. */
type Rule = { permission_set_names: string[] } & ({ project_ids: string[] } | { organization_id: string });

/** Creates a member of the Owner's organization. Without rules, the member has no permissions. */
export async function newMember(
  local: LocalStack,
  name: string,
  rules: Rule[] = [],
): Promise<SignIn & { id: string }> {
  const organization_id = local.owner.organization_id;
  const email = `${name.toLowerCase()}-${crypto.randomUUID()}@example.com`;
  const password = crypto.randomUUID();
  const invited = await api<{ id: string; invitation_url: string }>(local, 'POST', '/iam/v1alpha1/users', {
    organization_id,
    email,
  });
  const accepted = await fetch(`${local.stack.origin}/auth/accept-invitation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: local.stack.origin },
    body: JSON.stringify({ token: new URL(invited.invitation_url).hash.slice(1), name, password }),
  });
  if (!accepted.ok) throw new Error(`accepting the invitation responded with ${accepted.status}`);
  if (rules.length > 0) {
    const policy = { organization_id, name: `What ${name} may do`, user_id: invited.id, rules };
    await api(local, 'POST', '/iam/v1alpha1/policies', policy);
  }
  return { id: invited.id, email, password };
}
