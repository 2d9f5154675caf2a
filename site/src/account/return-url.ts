/** Where signing in leads back to: the address that session.ts's `signInLink` was made at. */

/** The page of this origin that `?return=` names by its path; the first page when it names anything else. */
export function returnAddress(): string {
  const wanted = new URLSearchParams(location.search).get('return') ?? '/';
  // A path may begin with two slashes, or a slash and a backslash, and then means another host.
  const target = wanted.startsWith('/') ? URL.parse(wanted, location.origin) : null;
  return target?.origin === location.origin ? target.href : '/';
}
