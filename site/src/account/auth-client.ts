/** Requests to sign-in, below `/auth`: everything goes in the body, so that no address has a secret. */

import type { Problem } from '../api/errors.ts';
import { type ErrorParser, fetchResult, type Result } from '../api/request.ts';

/** Sends a POST to sign-in. */
export function postAuth<T = unknown>(path: string, body: object): Promise<Result<T>> {
  const request = () =>
    fetch(`/auth${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  return fetchResult<T>(request, signInProblem);
}

/** As the API's, except that a wrong password is no session that has ended. */
const signInProblem: ErrorParser = async (status, headers, body) => {
  if ((body as { method?: string } | null)?.method === 'password')
    return { kind: 'refused', message: WRONG_PASSWORD };
  return (await import('../api/parse-error.ts')).parseError(status, headers, body);
};

const WRONG_PASSWORD = 'Incorrect email address or password. Check both, then try again.';

/** The problem of a result, for forms that need no more of it. */
export const problemOf = (result: Result<unknown>): Problem | undefined =>
  result.ok ? undefined : result.problem;

/** Signs in with a password. */
export const signIn = async (email: string, password: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/email', { email, password }));

/** Signs in with the token of a link that works once. */
export const signInByLink = async (token: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/link', { token }));

/** The token in the page's address, behind the `#`: it reaches no server before a form sends it. */
export const tokenInAddress = (): string => location.hash.slice(1);
