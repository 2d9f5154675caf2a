/**
 * Which permission sets grant what, read from the table that the API authorizes by while the site builds, so that the
 * pages can name the set that somebody is missing.
 */
import { type PermissionSet, permissionSets } from '../../../functions/iam/permission-sets.ts';

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
