/**
 * Throw-away credentials that a page makes, uses and has revoked while the reader looks: what the revocation demo knows of
 * them, whatever their product. They live in the page's memory only.
 */

import { type Problem, sentence } from '../../api/errors.ts';
import { type ApiResponse, fetchResult, type Result } from '../../api/request.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import type { Outcome } from '../access-key/signed-request.ts';

/** The name that throw-away credentials have in lists. */
export const NAME = 'Watch me fail';

/** One use of the credentials. */
export interface Use {
  /** What was done, as the product calls it: "ListQueues". */
  action: string;
  outcome: Outcome;
  /** The outcome for a person: "Accepted, 12 ms". */
  text: string;
}

/** A revocation that was answered. Times as of `performance.now()`. */
export interface Answered {
  sentAt: number;
  answeredAt: number;
  headers: Headers;
}

/** See the file's description. */
export interface TrialCredentials {
  /** "Queues in Paris". */
  where: string;
  /** Uses the credentials once. Undefined when there is nothing to say of it. Never rejects. */
  use(): Promise<Use | undefined>;
  /** Revokes them. */
  revoke(init?: RequestInit): Promise<Result<unknown>>;
  /** Uses the credentials after their revocation, passes each use to `log`, and resolves to a notice with the result. */
  observeRevocation(answered: Answered, log: (use: Use) => void): Promise<Notice>;
  /** Lets go of what is open. */
  close(): void;
}

/** Credentials in the page's hands, or why there are none. */
export type TrialResult = { ok: true; trial: TrialCredentials } | { ok: false; problem: Problem };

/** Why there are no credentials, in a sentence of the page's own. */
export const notCreated = (message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { kind: 'refused', message },
});

/** Issues credentials. `request` gets the key that makes it the same request when there is no answer to the first. */
export async function issue<Issued>(
  request: (key: string) => Promise<ApiResponse<Issued>>,
): Promise<Result<Issued>> {
  const key = crypto.randomUUID();
  const unanswered = (result: Result<Issued>) => !result.ok && result.problem.kind === 'unreachable';
  const first = await fetchResult(() => request(key));
  const result = unanswered(first) ? await fetchResult(() => request(key)) : first;
  if (!unanswered(result)) return result;
  const lost = sentence({ kind: 'unreachable' }, 'action');
  return notCreated(`${lost} If “${NAME}” is in the panel above, revoke it first.`);
}

/** A time since `from`, of `performance.now()`, in words: "12 ms". */
export const since = (from: number, to = performance.now()): string => `${Math.round(to - from)} ms`;
