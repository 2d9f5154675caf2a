/**
 * What can go wrong between a page and the API, and the sentence for each. How a response is read is parse-error.ts's,
 * which is loaded when there is one to read.
 */

/** A problem. `message` tells a person what happened and what to do. `down` is a 503, `failed` any other fault. */
export type Problem =
  | { kind: 'unreachable' }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'denied' | 'gone' | 'wait' | 'refused' | 'down' | 'failed'; message: string }
  | { kind: 'fields'; message: string; fields: { name: string; reason: string }[] };

/** What the person was at: reading a list, sending a form with what they typed, or pressing a button. */
export type Doing = 'list' | 'form' | 'action';

/** The sentence that tells a person what happened and what to do. */
export function sentence(problem: Problem, doing: Doing): string {
  const kept = doing === 'form' ? ' What you typed is still here.' : '';
  switch (problem.kind) {
    case 'unreachable':
      return `${navigator.onLine ? 'Latchkey did not respond' : 'You are offline'}. Check your connection, then try again.${kept}`;
    case 'superseded':
      return '';
    case 'signed-out':
      return `Your session has ended. Sign in again to continue.${kept}`;
    default:
      return problem.message;
  }
}
