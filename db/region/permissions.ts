/** The bits of a credential's permissions, as stored. functions/shared/permissions.ts has their labels. */

/** Permission → bit, named as in the API. */
export const PERMISSION_BITS = { can_publish: 1, can_receive: 2, can_manage: 4 } as const;

export type PermissionName = keyof typeof PERMISSION_BITS;

/** Every permission. A new bit also needs a migration, because a CHECK contains this number. */
export const ALL_PERMISSIONS = Object.values(PERMISSION_BITS).reduce<number>((all, bit) => all | bit, 0);
