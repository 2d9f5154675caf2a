/** Requests to `/auth`. Everything is in the body, to keep secrets out of URLs. */

import type { Problem } from '../api/errors.ts';
import { type ErrorParser, fetchResult, type Result } from '../api/request.ts';

export function postAuth<T = unknown>(path: string, body: object): Promise<Result<T>> {
  const request = () =>
    fetch(`/auth${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  return fetchResult<T>(request, signInProblem);
}

/** Like parseError, except that 401 means a wrong password instead of an ended session. */
const signInProblem: ErrorParser = async (status, headers, body) => {
  if ((body as { method?: string } | null)?.method === 'password')
    return { kind: 'refused', message: WRONG_PASSWORD };
  return (await import('../api/parse-error.ts')).parseError(status, headers, body);
};

const WRONG_PASSWORD = 'Incorrect email address or password. Check both, then try again.';

/** Returns the problem of a result, if any. */
export const problemOf = (result: Result<unknown>): Problem | undefined =>
  result.ok ? undefined : result.problem;

export const signIn = async (email: string, password: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/email', { email, password }));

/** Signs in with the token of a one-time link. */
export const signInByLink = async (token: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/link', { token }));

/** Returns the token in the fragment of the page's address. Browsers do not send fragments to servers. */
export const tokenInAddress = (): string => location.hash.slice(1);
