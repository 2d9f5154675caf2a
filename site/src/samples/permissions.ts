import { PERMISSIONS } from '../../../functions/shared/permissions.ts';

/**
 * Returns the values of samples for chosen permissions: `permissions` as JSON, `sdkPermissions` with the SDK's names. Empty
 * if none is chosen.
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
