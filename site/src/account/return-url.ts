/** The page to return to after signing in: see `signInLink` in session.ts. */

/** Returns the path in `?return=`, or `/` if it is not on this origin. Prevents open redirects. */
export function returnAddress(): string {
  const wanted = new URLSearchParams(location.search).get('return') ?? '/';
  // `//host` and `/\host` begin with a slash, but lead to another host.
  const target = wanted.startsWith('/') ? URL.parse(wanted, location.origin) : null;
  return target?.origin === location.origin ? target.href : '/';
}
