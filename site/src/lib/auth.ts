/** Requests to sign-in, below `/auth`: everything goes in the body, so that no address has a secret. */
import { ask, type Result } from './answers.ts';
import type { Problem } from './problems.ts';

/** Sends a POST to sign-in. */
export function postAuth<T = unknown>(path: string, body: object): Promise<Result<T>> {
  return ask<T>(() =>
    fetch(`/auth${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

/** The problem of a result, for forms that need no more of it. */
export const problemOf = (result: Result<unknown>): Problem | undefined =>
  result.ok ? undefined : result.problem;

/** Signs in with a password. */
export const signIn = async (email: string, password: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/email', { email, password }));

/** The token in the page's address, behind the `#`: it reaches no server before a form sends it. */
export const tokenInAddress = (): string => location.hash.slice(1);
