/** Other people than the Owner, for tests: invited and joined over the API, with what a policy grants them. */
import type { SignIn } from './browser.ts';
import { api, type LocalStack } from './local-stack.ts';

/** A rule of a policy as the API takes it. */
type Rule = { permission_set_names: string[] } & ({ project_ids: string[] } | { organization_id: string });

/** Somebody who has joined the Owner's organization. Without rules nothing is granted to them. */
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
  if (!accepted.ok) throw new Error(`accepting the invitation answered ${accepted.status}`);
  if (rules.length > 0) {
    const policy = { organization_id, name: `What ${name} may do`, user_id: invited.id, rules };
    await api(local, 'POST', '/iam/v1alpha1/policies', policy);
  }
  return { id: invited.id, email, password };
}
