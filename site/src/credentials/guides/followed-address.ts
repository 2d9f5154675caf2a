/**
 * The credentials that a guide follows, in the page's address: a reload or a bookmark returns to the same step. Contains
 * no secrets.
 */

/** `from` is the public part of the key that a rotation replaces. */
type Member = 'product' | 'credentials' | 'from';

/** Returns a member of the address. */
export const fromAddress = (member: Member): string | undefined =>
  new URLSearchParams(location.search).get(member) ?? undefined;

/** Changes members of the address. Removes those that are undefined. */
export function toAddress(members: Partial<Record<Member, string | undefined>>): void {
  const address = new URL(location.href);
  for (const [member, value] of Object.entries(members)) {
    if (value) address.searchParams.set(member, value);
    else address.searchParams.delete(member);
  }
  history.replaceState(history.state, '', address);
}
