/** What each permission set grants, from the table that authorizes API requests. */
import { type PermissionSet, permissionSets } from '../../../functions/iam/access/permission-sets.ts';

/** Returns the least permissive permission set for each `resource/action`. */
export function grantedBy(): Record<string, string> {
  const found: Record<string, string> = {};
  const sets: [string, PermissionSet][] = Object.entries(permissionSets);
  for (const [name, set] of sets.toSorted(([, a], [, b]) => breadth(a) - breadth(b))) {
    for (const [resource, actions] of Object.entries(set.grants)) {
      for (const action of actions) {
        found[`${resource}/${action}`] ??= name;
      }
    }
  }
  return found;
}

const breadth = ({ grants }: PermissionSet) => Object.values(grants).flat().length;

export interface PermissionSetRow {
  name: string;
  description: string;
  scope: PermissionSet['scope'];
  grants: { resource: string; actions: readonly string[] }[];
}

/** Returns all permission sets, in the order of the table. */
export function permissionSetRows(): PermissionSetRow[] {
  const sets: [string, PermissionSet][] = Object.entries(permissionSets);
  return sets.map(([name, { description, scope, grants }]) => ({
    name,
    description,
    scope,
    grants: Object.entries(grants).map(([resource, actions]) => ({ resource, actions })),
  }));
}
