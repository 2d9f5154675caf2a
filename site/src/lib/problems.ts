/**
 * What can go wrong between a form and the API, and how to say it: what happened, and what to do. Owns these words for
 * every form. Errors of the API are read by their `type`, never by their message.
 */

/** A problem, as far as a form needs to tell them apart. */
export type Problem =
  | { kind: 'unreachable' }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'denied'; missing: { resource: string; action: string }[] }
  | { kind: 'fields'; fields: { name: string; reason: string; help: string }[] }
  | { kind: 'gone' }
  | { kind: 'wait'; seconds: number }
  | { kind: 'refused'; message: string }
  | { kind: 'failed'; requestId: string | null };

/** The beginning of what to say where there was no answer. */
export const UNANSWERED = 'Latchkey did not answer. Check the connection, then try again';

interface ErrorBody {
  type?: string;
  message?: string;
  help_message?: string;
  details?: Record<string, string | undefined>[];
}

/** The problem that an answer other than 2xx stands for. `body` is whatever JSON came with it. */
export function problemOf(status: number, headers: Headers, body: unknown): Problem {
  const { type, message, help_message, details = [] } = (body ?? {}) as ErrorBody;
  switch (type) {
    case 'denied_authentication':
      return { kind: 'signed-out' };
    case 'permissions_denied':
      return {
        kind: 'denied',
        missing: details.map(({ resource, action }) => ({ resource: resource ?? '', action: action ?? '' })),
      };
    case 'invalid_arguments':
      return {
        kind: 'fields',
        fields: details.map(({ argument_name, reason, help_message }) => ({
          name: argument_name ?? '',
          reason: reason ?? '',
          help: help_message ?? '',
        })),
      };
    case 'not_found':
      return { kind: 'gone' };
    case 'quotas_exceeded':
      return { kind: 'refused', message: quota(details[0]) };
    case 'already_exists':
    case 'precondition_failed':
      return { kind: 'refused', message: help_message ?? message ?? '' };
  }
  if (status === 401) return { kind: 'signed-out' };
  if (status === 429) {
    return { kind: 'wait', seconds: Number(headers.get('Retry-After')) || 60 };
  }
  return { kind: 'failed', requestId: headers.get('X-Request-Id') };
}

function quota(detail: Record<string, unknown> = {}): string {
  const resource = String(detail.resource);
  return `The quota is reached: ${detail.current} of ${detail.quota} ${RESOURCES[resource] ?? words(resource)}. Delete some that are no longer used, or ask for a higher quota.`;
}

/** What people call the resources that quotas are about. */
const RESOURCES: Record<string, string> = { nats_accounts: 'NATS accounts' };

const words = (identifier: string) => identifier.replaceAll('_', ' ');

/** Names what is missing by the permission set that grants the least of it. */
function denial(missing: { resource: string; action: string }[]): string {
  const sets = missing.flatMap(({ resource, action }) => GRANTED_BY[`${resource}/${action}`] ?? []);
  if (missing.some(({ resource }) => resource === 'owner'))
    return 'Only an Owner of the organization may do this.';
  if (sets.length === 0) {
    const what = missing.map(({ resource, action }) => `${words(resource)}, ${action}`).join('; ');
    return `You are signed in, but without the permission for this: ${what}.`;
  }
  return `You are signed in, but without the permission for this. A policy with ${[...new Set(sets)].join(' and ')} grants it: ask an Owner of the organization for one.`;
}

/** The sentence that tells a person what happened and what to do. */
export function sentence(problem: Problem): string {
  switch (problem.kind) {
    case 'unreachable':
      return `${UNANSWERED}: nothing that you typed is lost.`;
    case 'superseded':
      return '';
    case 'signed-out':
      return 'The session has ended. Sign in again to go on.';
    case 'denied':
      return denial(problem.missing);
    case 'fields':
      return problem.fields.map(({ name, help }) => `${words(name)}: ${help}`).join('; ');
    case 'gone':
      return 'This no longer exists: someone else deleted it. Reload the page to see what is there now.';
    case 'wait':
      return `Too many attempts. Wait ${problem.seconds} seconds, then try again.`;
    case 'refused':
      return problem.message.charAt(0).toUpperCase() + problem.message.slice(1);
    case 'failed':
      return `Latchkey could not finish this. Try again in a moment.${problem.requestId ? ` If it happens again, report request ${problem.requestId}.` : ''}`;
  }
}
