/**
 * Reads the problem that an answer other than 2xx stands for, and words it for a person. Errors of the API are read by
 * their `type`, never by their message.
 */
import type { Problem } from './problems.ts';

interface ErrorBody {
  type?: string;
  message?: string;
  help_message?: string;
  details?: Record<string, string | undefined>[];
}

/** The problem that an answer other than 2xx stands for. `body` is whatever JSON came with it. */
export function problemOf(status: number, headers: Headers, body: unknown): Problem {
  const { type, message = '', help_message, details = [] } = (body ?? {}) as ErrorBody;
  switch (type) {
    case 'denied_authentication':
      return { kind: 'signed-out' };
    case 'permissions_denied':
      return { kind: 'denied', message: denial(details) };
    case 'invalid_arguments':
      return { kind: 'fields', message: complaints(details), fields: details.map(fieldOf) };
    case 'not_found':
      return {
        kind: 'gone',
        message: 'This no longer exists: someone else deleted it. Reload the page to see what is there now.',
      };
    case 'quotas_exceeded':
      return { kind: 'refused', message: quota(details[0]) };
    case 'already_exists':
    case 'precondition_failed':
      return { kind: 'refused', message: capitalised(help_message ?? message) };
  }
  if (status === 401) return { kind: 'signed-out' };
  if (status === 429) {
    const seconds = Number(headers.get('Retry-After')) || 60;
    return { kind: 'wait', message: `Too many attempts. Wait ${seconds} seconds, then try again.` };
  }
  const request = headers.get('X-Request-Id');
  const report = request ? ` If it happens again, report request ${request}.` : '';
  return { kind: 'failed', message: `Latchkey could not finish this. Try again in a moment.${report}` };
}

type Detail = Record<string, string | undefined>;

const fieldOf = ({ argument_name = '', reason = '' }: Detail) => ({ name: argument_name, reason });

const complaints = (details: Detail[]) =>
  details
    .map(({ argument_name = '', help_message = '' }) => `${words(argument_name)}: ${help_message}`)
    .join('; ');

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function quota(detail: Record<string, unknown> = {}): string {
  const resource = String(detail.resource);
  return `The quota is reached: ${detail.current} of ${detail.quota} ${RESOURCES[resource] ?? words(resource)}. Delete some that are no longer used, or ask for a higher quota.`;
}

/** What people call the resources that quotas are about. */
const RESOURCES: Record<string, string> = { nats_accounts: 'NATS accounts' };

const words = (identifier: string) => identifier.replaceAll('_', ' ');

/** Names what is missing by the permission set that grants the least of it. */
function denial(missing: Detail[]): string {
  const sets = missing.flatMap(({ resource, action }) => GRANTED_BY[`${resource}/${action}`] ?? []);
  if (missing.some(({ resource }) => resource === 'owner'))
    return 'Only an Owner of the organization may do this.';
  if (sets.length === 0) {
    const what = missing.map(({ resource = '', action }) => `${words(resource)}, ${action}`).join('; ');
    return `You are signed in, but without the permission for this: ${what}.`;
  }
  return `You are signed in, but without the permission for this. A policy with ${[...new Set(sets)].join(' and ')} grants it: ask an Owner of the organization for one.`;
}
