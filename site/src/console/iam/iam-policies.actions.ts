/** What the list of policies changes. Loaded when the reader first does so; the rules of the form are policy-rule-editor.ts's. */

import { iam, type Policy, type Rule } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { find } from '../../ui/dom.ts';
import { failure, type Notice } from '../../ui/panels/notice.ts';
import { listProjects } from '../../workspace/list-projects.ts';
import { confirmed, fillPrincipalOptions, submitted } from '../list/list-dialogs.ts';
import { RuleEditor, type RuleSpec } from './policy-rule-editor.ts';
import type { Principal } from './principals.ts';

type Saved = Pick<Policy, 'id' | 'name'>;

/**
 * Asks what a policy grants to whom, and saves it; a new one without `policy`. Undefined when the person cancels; a notice
 * says why there was nothing to edit.
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
  // Nothing is granted to an Owner.
  const grantees = principals.filter(({ id, owner }) => !owner || id === current?.id);
  fillPrincipalOptions(principal, grantees, current);
  find(root, '#policies-edit-dialog-title', HTMLElement).textContent = policy
    ? 'Edit policy'
    : 'Create a policy';
  principal.append(new Option('No one for now', ''));
  return submitted<Saved>(
    root,
    'edit',
    async (values) => {
      const fields = { name: values.name ?? '', ...principalOf(values.principal ?? '') };
      const rules = editor.read();
      if (typeof rules === 'string') return { ok: false, problem: { kind: 'refused', message: rules } };
      return policy
        ? update(policy, fields, rules)
        : create({ ...fields, organization_id: organization, rules });
    },
    {
      values: {
        name: policy?.name ?? '',
        principal: policy && !principalIn(policy) ? '' : principal.value,
      },
    },
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

/** The rules first: they are what may be refused, and the rest is then as it was. */
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

/** Asks for confirmation and deletes. Resolves to what to say of it, or to undefined when the person cancels. */
export function remove(
  root: ParentNode,
  { id, name }: Policy,
  principal: string,
): Promise<Notice | undefined> {
  const send = () =>
    fetchResult<unknown>(() => iam.policies[':policy_id'].$delete({ param: { policy_id: id } }));
  return confirmed(root, 'delete', send, { name, principal }, `Deleted ${name}.`);
}
