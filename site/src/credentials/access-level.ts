import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/** Returns the access level that lists show: "Write, Read". */
export function accessLevel(permissions: Partial<Record<string, boolean>>): string {
  return PERMISSIONS.flatMap(({ apiName, label }) => (permissions[apiName] ? label : [])).join(', ');
}
