/** Defines the permissions of Queues and Topics and Events credentials: database bits, wire names and labels. */
import type * as z from 'zod';
import type { permissions as wirePermissions } from './schemas.ts';

/** Each permission's bit in the database, wire name and label. */
export const PERMISSIONS = [
  { bit: 1, wire: 'can_publish', label: 'Write' },
  { bit: 2, wire: 'can_receive', label: 'Read' },
  { bit: 4, wire: 'can_manage', label: 'Manage' },
] as const;

type Choice = { [Wire in (typeof PERMISSIONS)[number]['wire']]?: boolean | null | undefined };

/** Returns the bits that the choice sets to true. */
export function bitsOf(choice: Choice): number {
  return PERMISSIONS.reduce((bits, { bit, wire }) => (choice[wire] ? bits | bit : bits), 0);
}

/** Returns the bits that the choice sets and clears. Absent and null members leave a permission unchanged. */
export function mergeOf(choice: Choice): { set: number; clear: number } {
  const clear = PERMISSIONS.reduce((bits, { bit, wire }) => (choice[wire] === false ? bits | bit : bits), 0);
  return { set: bitsOf(choice), clear };
}

/** Converts permission bits to the wire format. */
export function toWirePermissions(bits: number): z.infer<typeof wirePermissions> {
  return { can_publish: (bits & 1) !== 0, can_receive: (bits & 2) !== 0, can_manage: (bits & 4) !== 0 };
}
