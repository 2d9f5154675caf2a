/** The three permissions of Queues and Topics and Events credentials: their bits, wire names and names on screen. */
import type * as z from 'zod';
import type { permissions as wirePermissions } from './schemas.ts';

/** The permissions: bit in the database, name on the wire, label on screen. */
export const PERMISSIONS = [
  { bit: 1, wire: 'can_publish', label: 'Write' },
  { bit: 2, wire: 'can_receive', label: 'Read' },
  { bit: 4, wire: 'can_manage', label: 'Manage' },
] as const;

type Choice = { [Wire in (typeof PERMISSIONS)[number]['wire']]?: boolean | null | undefined };

/** The bits that are true in the choice. */
export function bitsOf(choice: Choice): number {
  return PERMISSIONS.reduce((bits, { bit, wire }) => (choice[wire] ? bits | bit : bits), 0);
}

/** The bits that the choice sets and clears; what is absent or null stays. */
export function mergeOf(choice: Choice): { set: number; clear: number } {
  const clear = PERMISSIONS.reduce((bits, { bit, wire }) => (choice[wire] === false ? bits | bit : bits), 0);
  return { set: bitsOf(choice), clear };
}

/** The permissions as the wire has them. */
export function toWirePermissions(bits: number): z.infer<typeof wirePermissions> {
  return { can_publish: (bits & 1) !== 0, can_receive: (bits & 2) !== 0, can_manage: (bits & 4) !== 0 };
}
