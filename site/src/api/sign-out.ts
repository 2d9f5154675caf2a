/** The way out of a session. */

/** Ends the session, then loads the page anew as a stranger sees it. */
export async function signOut(): Promise<void> {
  await fetch('/auth/sign-out', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  }).catch(() => undefined);
  location.reload();
}
