/** Defines the permissions of Queues and Topics and Events credentials: database bits, API names and labels. */
import { PERMISSION_BITS, type PermissionName } from '../../db/region/permissions.ts';

export type { PermissionName };

/** Permission → label shown to people. */
const LABELS = {
  can_publish: 'Write',
  can_receive: 'Read',
  can_manage: 'Manage',
} as const satisfies Record<PermissionName, string>;

/** Each permission's bit in the database, API name and label. */
export const PERMISSIONS = (Object.keys(LABELS) as PermissionName[]).map((apiName) => ({
  bit: PERMISSION_BITS[apiName],
  apiName,
  label: LABELS[apiName],
}));

type Choice = { [Name in PermissionName]?: boolean | null | undefined };

/** Returns the bits that the choice sets to true. */
export function bitsOf(choice: Choice): number {
  return PERMISSIONS.reduce((bits, { bit, apiName }) => (choice[apiName] ? bits | bit : bits), 0);
}

/** Returns the bits that the choice sets and clears. Absent and null members leave a permission unchanged. */
export function changedBits(choice: Choice): { set: number; clear: number } {
  const clear = PERMISSIONS.reduce(
    (bits, { bit, apiName }) => (choice[apiName] === false ? bits | bit : bits),
    0,
  );
  return { set: bitsOf(choice), clear };
}

/** Converts permission bits to the API's format. */
export function toApiPermissions(bits: number): Record<PermissionName, boolean> {
  const members = PERMISSIONS.map(({ bit, apiName }) => [apiName, (bits & bit) !== 0]);
  return Object.fromEntries(members) as Record<PermissionName, boolean>;
}
