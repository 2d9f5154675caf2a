/** The interface of trial credentials, for all products. They exist in the page's memory only. */

import { type Problem, sentence } from '../../api/errors.ts';
import type { Result } from '../../api/request.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import type { Outcome } from '../access-key/signed-request.ts';

/** Their name in lists. */
export const NAME = 'Watch me fail';

/** One use of the credentials. */
export interface Use {
  /** The action: "ListQueues". */
  action: string;
  outcome: Outcome;
  /** The outcome as text: "Accepted, 12 ms". */
  text: string;
}

/** The response to a revocation. Times are from `performance.now()`. */
export interface Answered {
  sentAt: number;
  answeredAt: number;
  headers: Headers;
}

export interface TrialCredentials {
  /** "Queues in Paris". */
  where: string;
  /** Uses the credentials once. Returns undefined if there is nothing to show. Never rejects. */
  use(): Promise<Use | undefined>;
  revoke(init?: RequestInit): Promise<Result<unknown>>;
  /** Uses the credentials after their revocation, and passes each use to `log`. Returns the outcome. */
  observeRevocation(answered: Answered, log: (use: Use) => void): Promise<Notice>;
  /** Closes connections. */
  close(): void;
}

export type TrialResult = { ok: true; trial: TrialCredentials } | { ok: false; problem: Problem };

/** Returns the reason why no credentials were created. */
export const notCreated = (message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { kind: 'refused', message },
});

/** Creates credentials, with one retry. `request` receives an idempotency key. */
export async function issue<Issued>(
  request: (key: string) => Promise<Result<Issued>>,
): Promise<Result<Issued>> {
  const key = crypto.randomUUID();
  const unanswered = (result: Result<Issued>) => !result.ok && result.problem.kind === 'unreachable';
  const first = await request(key);
  const result = unanswered(first) ? await request(key) : first;
  if (!unanswered(result)) return result;
  const lost = sentence({ kind: 'unreachable' }, 'action');
  return notCreated(`${lost} If “${NAME}” is in the panel above, revoke it first.`);
}

/** Returns the time since `from`: "12 ms". Both are from `performance.now()`. */
export const since = (from: number, to = performance.now()): string => `${Math.round(to - from)} ms`;
