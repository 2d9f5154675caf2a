/** Requests to sign-in, below `/auth`: everything goes in the body, so that no address has a secret. */
import { ask, type Result, type Told } from './answers.ts';
import { problemOf as problemOfApi } from './problem-of.ts';
import type { Problem } from './problems.ts';

/** Sends a POST to sign-in. */
export function postAuth<T = unknown>(path: string, body: object): Promise<Result<T>> {
  const request = () =>
    fetch(`/auth${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  return ask<T>(request, signInProblem);
}

/** As the API's, but for errors of the sign-in library's, which have a `code` in place of a `type`. */
const signInProblem: Told = async (status, headers, body) => {
  const message = SIGN_IN[(body as { code?: string } | null)?.code ?? ''];
  return message ? { kind: 'refused', message } : problemOfApi(status, headers, body);
};

/** What errors of the sign-in library are about, by their code. */
const SIGN_IN: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD:
    'This e-mail address and this password do not belong together. Check both, then try again.',
};

/** The problem of a result, for forms that need no more of it. */
export const problemOf = (result: Result<unknown>): Problem | undefined =>
  result.ok ? undefined : result.problem;

/** Signs in with a password. */
export const signIn = async (email: string, password: string): Promise<Problem | undefined> =>
  problemOf(await postAuth('/sign-in/email', { email, password }));

/** The token in the page's address, behind the `#`: it reaches no server before a form sends it. */
export const tokenInAddress = (): string => location.hash.slice(1);
