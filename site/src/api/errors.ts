/** The problems of requests, and a sentence for each. parse-error.ts reads them from responses. */

/** A problem. `message` says what happened and what to do. `down` is a 503, `failed` any other error of the server. */
export type Problem =
  | { kind: 'unreachable' }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'denied' | 'gone' | 'wait' | 'refused' | 'down' | 'failed'; message: string }
  | { kind: 'fields'; message: string; fields: { name: string; help?: string }[] };

/** What the person was doing: reading a list, submitting a form, or pressing a button. */
export type Doing = 'list' | 'form' | 'action';

/** Returns a sentence that says what happened and what to do. */
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
