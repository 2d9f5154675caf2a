/** The actions of `<iam-policies>`. Loaded on first use. */

import { iam, type Policy, type Rule } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import { failure, type Notice, success } from '../../ui/panels/notice.ts';
import { listProjects } from '../../workspace/list-projects.ts';
import { RuleEditor, type RuleSpec } from './policy-rule-editor.ts';
import { fillPrincipalOptions } from './principal-options.ts';
import type { Principal } from './principals.ts';

type Saved = Pick<Policy, 'id' | 'name'>;

/**
 * Asks for a policy's principal and rules, and saves it. Without `policy`, creates one. Returns undefined if the person
 * cancels, and a notice if the rules cannot be loaded.
 */
export async function edit(
  root: ParentNode,
  organization: string,
  principals: readonly Principal[],
  policy?: Policy,
): Promise<Saved | Notice | undefined> {
  const [listed, ruled] = await Promise.all([listProjects(organization), rulesOf(policy)]);
  if (!ruled.ok) return failure(sentence(ruled.problem, 'action'));
  const editor = new RuleEditor(root, organization, listed.ok ? listed.body : []);
  editor.show(ruled.body);
  const principal = find(root, 'select[name="principal"]', HTMLSelectElement);
  const current = policy && principalIn(policy);
  // Owners have all permissions without a policy.
  const grantees = principals.filter(({ id, owner }) => !owner || id === current?.id);
  fillPrincipalOptions(principal, grantees, current);
  find(root, '#policies-edit-dialog-title', HTMLElement).textContent = policy
    ? 'Edit policy'
    : 'Create a policy';
  principal.append(new Option('No one for now', ''));
  return dialogIn(root, 'edit').submit<Saved>(
    async (values) => {
      const fields = { name: values.name ?? '', ...principalOf(values.principal ?? '') };
      const rules = editor.read();
      if (typeof rules === 'string') return { ok: false, problem: { kind: 'refused', message: rules } };
      return policy
        ? update(policy, fields, rules)
        : create({ ...fields, organization_id: organization, rules });
    },
    {},
    { name: policy?.name ?? '', principal: policy && !principalIn(policy) ? '' : principal.value },
  );
}

async function rulesOf(policy?: Policy): Promise<Result<Rule[]>> {
  if (!policy) return { ok: true, body: [], headers: new Headers() };
  const result = await fetchResult(() =>
    iam.rules.$get({ query: { policy_id: policy.id, page_size: '100' } }),
  );
  return result.ok ? { ...result, body: result.body.rules } : result;
}

type Fields = { name: string } & ReturnType<typeof principalOf>;

const create = (json: Fields & { organization_id: string; rules: RuleSpec[] }): Promise<Result<Saved>> =>
  fetchResult(() => iam.policies.$post({ json }));

/** Sends the rules first, because the API may reject them. Then nothing has changed. */
async function update({ id }: Policy, json: Fields, rules: RuleSpec[]): Promise<Result<Saved>> {
  const ruled = await fetchResult(() => iam.rules.$put({ json: { policy_id: id, rules } }));
  return ruled.ok
    ? fetchResult(() => iam.policies[':policy_id'].$patch({ param: { policy_id: id }, json }))
    : ruled;
}

function principalOf(value: string) {
  const [kind, id] = value.split(':');
  if (kind === 'member') return { user_id: id };
  return kind === 'application' ? { application_id: id } : { no_principal: true };
}

function principalIn({ user_id, application_id }: Policy): Pick<Principal, 'kind' | 'id'> | undefined {
  if (user_id) return { kind: 'member', id: user_id };
  return application_id ? { kind: 'application', id: application_id } : undefined;
}

/** Asks for confirmation and deletes a policy. Returns the notice to show, or undefined if the person cancels. */
export function remove(
  root: ParentNode,
  { id, name }: Policy,
  principal: string,
): Promise<Notice | undefined> {
  const send = () =>
    fetchResult<unknown>(() => iam.policies[':policy_id'].$delete({ param: { policy_id: id } }));
  return dialogIn(root, 'delete').confirm(send, { name, principal }, () => success(`Deleted ${name}.`));
}
