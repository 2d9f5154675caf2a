/**
 * What can go wrong between a form and the API, as far as a form needs to tell problems apart, and the sentence for each.
 * How an answer is read is problem-of.ts's, which is loaded when there is one to read.
 */

/** A problem. `message` tells a person what happened and what to do. */
export type Problem =
  | { kind: 'unreachable' }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'denied' | 'gone' | 'wait' | 'refused' | 'failed'; message: string }
  | { kind: 'fields'; message: string; fields: { name: string; reason: string }[] };

/** The beginning of what to say where there was no answer. */
export const UNANSWERED = 'Latchkey did not answer. Check the connection, then try again';

/** The sentence that tells a person what happened and what to do. */
export function sentence(problem: Problem): string {
  switch (problem.kind) {
    case 'unreachable':
      return `${UNANSWERED}: nothing that you typed is lost.`;
    case 'superseded':
      return '';
    case 'signed-out':
      return 'The session has ended. Sign in again to go on.';
    default:
      return problem.message;
  }
}
