/** What people call the permissions of credentials together. */
import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/** The access level of credentials, as lists show it: "Write, Read". */
export function accessLevel(permissions: Partial<Record<string, boolean>>): string {
  return PERMISSIONS.flatMap(({ apiName, label }) => (permissions[apiName] ? label : [])).join(', ');
}
