/** Permissions as the samples write them. */
import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/**
 * The samples' values for a choice of permissions: `permissions` as JSON, `sdkPermissions` as the SDK names them. Empty
 * as long as nothing is chosen.
 */
export function permissionValues(choice: Partial<Record<string, boolean>>): Record<string, string> {
  const chosen = PERMISSIONS.filter(({ apiName }) => choice[apiName]).map(({ apiName }) => apiName);
  if (chosen.length === 0) return { permissions: '', sdkPermissions: '' };
  const sdk = chosen.map(
    (apiName) => `${apiName.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}: true`,
  );
  return {
    permissions: JSON.stringify(Object.fromEntries(chosen.map((apiName) => [apiName, true]))),
    sdkPermissions: `{ ${sdk.join(', ')} }`,
  };
}
