/**
 * Which permission sets grant what, read from the table that the API authorizes by while the site builds, so that the
 * pages can name the set that somebody is missing.
 */
import { type PermissionSet, permissionSets } from '../../../functions/iam/access/permission-sets.ts';

/** `resource/action` → the name of the permission set that grants it and least else. */
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

/** A permission set as the page about them shows it. */
export interface PermissionSetRow {
  name: string;
  description: string;
  scope: PermissionSet['scope'];
  grants: { resource: string; actions: readonly string[] }[];
}

/** Every permission set, in the order of the table. */
export function permissionSetRows(): PermissionSetRow[] {
  const sets: [string, PermissionSet][] = Object.entries(permissionSets);
  return sets.map(([name, { description, scope, grants }]) => ({
    name,
    description,
    scope,
    grants: Object.entries(grants).map(([resource, actions]) => ({ resource, actions })),
  }));
}
