/** Validates the rules of policies and converts them between the API and the database. */
import type { Membership } from '../../../db/identity/callers.ts';
import type { NewRule, Policy, RuleRow } from '../../../db/identity/policies.ts';
import { type ApiError, invalidArgument } from '../../shared/errors.ts';
import { denied } from '../access/organizations.ts';
import { type PermissionSetName, permissionSets } from '../access/permission-sets.ts';
import type { Rule, RuleSpec } from '../schemas.ts';

/**
 * Returns why the organization cannot have these rules, or null. Projects come from the caller's membership, so another
 * organization's project is indistinguishable from a missing one.
 */
export function problemOfRules(
  rules: readonly RuleSpec[],
  { organizationId, projectIds }: Membership,
): ApiError | null {
  const elsewhere = rules.findIndex(
    (rule) => rule.organization_id && rule.organization_id !== organizationId,
  );
  if (elsewhere >= 0) {
    return invalidArgument(
      `rules.${elsewhere}.organization_id`,
      'constraint',
      'must be the organization that the policy belongs to',
    );
  }
  const known = new Set(projectIds);
  const foreign = rules.some((rule) => rule.project_ids?.some((id) => !known.has(id)));
  return foreign ? denied('project', 'read') : null;
}

/** Converts rules for the database, without duplicate sets or projects. */
export function newRules(rules: readonly RuleSpec[]): NewRule[] {
  return rules.map((rule) => ({
    id: crypto.randomUUID(),
    permissionSets: [...new Set(rule.permission_set_names)],
    projectIds: rule.project_ids ? [...new Set(rule.project_ids)] : null,
  }));
}

/** Returns the API representation of a rule. Its scope type is `organization` if any of its sets has that scope. */
export function presentRule(policy: Policy, row: RuleRow): Rule {
  const names = JSON.parse(row.permissionSets) as string[];
  const wide = names.some((name) => permissionSets[name as PermissionSetName]?.scope === 'organization');
  return {
    id: row.id,
    permission_set_names: names,
    permission_sets_scope_type: wide ? 'organization' : 'projects',
    condition: '',
    project_ids: row.projectIds === null ? null : (JSON.parse(row.projectIds) as string[]),
    organization_id: row.projectIds === null ? policy.organizationId : null,
    account_root_user_id: null,
  };
}
