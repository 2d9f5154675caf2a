/** Reads the problem in an error response. Errors of the API are identified by `type`, never by their message. */
import type { Problem } from './errors.ts';
import { currentSession, forgetSession } from './session.ts';

interface ErrorBody {
  type?: string;
  message?: string;
  help_message?: string;
  details?: Record<string, string | undefined>[];
}

/**
 * Returns the problem in an error response. `body` is its JSON and `url` the URL of the request. After a 401, the page
 * requests its session again.
 */
export async function parseError(
  status: number,
  headers: Headers,
  body: unknown,
  url = '',
): Promise<Problem> {
  const { type, message = '', help_message, details = [] } = (body ?? {}) as ErrorBody;
  switch (type) {
    case 'denied_authentication':
      return signedOut();
    case 'permissions_denied':
      return { kind: 'denied', message: (await isGuest()) ? GUEST_DENIED : denial(details) };
    case 'invalid_arguments':
      return { kind: 'fields', message: complaints(details), fields: details.map(fieldOf) };
    case 'not_found':
      return {
        kind: 'gone',
        message: 'This no longer exists. It may have been deleted in another tab, or by someone else.',
      };
    case 'quotas_exceeded':
      return { kind: 'refused', message: quota(details[0], await isGuest()) };
    case 'already_exists':
    case 'precondition_failed':
      return { kind: 'refused', message: capitalised(help_message ?? message) };
  }
  if (status === 401) return signedOut();
  if (status === 429) {
    const seconds = Number(headers.get('Retry-After')) || 60;
    return { kind: 'wait', message: `Too many attempts. Wait ${seconds} seconds, then try again.` };
  }
  const request = headers.get('X-Request-Id');
  const report = request ? ` If it happens again, report request ${request}.` : '';
  if (status === 503) return { kind: 'down', message: `${outage(url)} Try again in a moment.${report}` };
  return { kind: 'failed', message: `Latchkey could not finish this. Try again in a moment.${report}` };
}

let doubted = Number.NEGATIVE_INFINITY;

/**
 * Makes the page request its session again if it believes that someone is signed in. Rate-limited, in case the server keeps
 * sending 401.
 */
async function signedOut(): Promise<Problem> {
  const known = await currentSession();
  if (known.ok && known.body && performance.now() > doubted + 10_000) {
    doubted = performance.now();
    forgetSession();
  }
  return { kind: 'signed-out' };
}

/** Guests have no Owner to ask for permissions. */
async function isGuest(): Promise<boolean> {
  const session = await currentSession();
  return session.ok && session.body?.guest !== undefined;
}

const GUEST_DENIED = 'Guests cannot use this. Sign in with an account to use it.';

/** Names what is down: the region in the URL, if any. */
function outage(url: string): string {
  const [, name] = /\/regions\/([^/?]+)/.exec(url) ?? [];
  const region = REGIONS.find((one) => one.name === name)?.label;
  return region
    ? `${region} is unavailable right now. Other regions are not affected.`
    : 'Latchkey is unavailable right now.';
}

type Detail = Record<string, string | undefined>;

const fieldOf = ({ argument_name = '', help_message = '' }: Detail) => ({
  name: argument_name,
  help: capitalised(help_message),
});

const complaints = (details: Detail[]) =>
  details
    .map(({ argument_name = '', help_message = '' }) => `${words(argument_name)}: ${help_message}`)
    .join('; ');

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function quota(detail: Record<string, unknown> = {}, guest = false): string {
  const resource = String(detail.resource);
  const way = guest
    ? 'Delete some first: a guest cannot have more.'
    : 'Delete some that are no longer used, or ask an Owner for a higher quota.';
  return `The quota is reached: ${detail.current} of ${detail.quota} ${RESOURCES[resource] ?? words(resource)}. ${way}`;
}

const RESOURCES: Record<string, string> = { nats_accounts: 'NATS accounts' };

const words = (identifier: string) => identifier.replaceAll('_', ' ');

/** Names the least permissive permission set that grants what is missing. */
function denial(missing: Detail[]): string {
  const sets = missing.flatMap(({ resource, action }) => GRANTED_BY[`${resource}/${action}`] ?? []);
  if (missing.some(({ resource }) => resource === 'owner'))
    return 'Only an Owner of the organization can do this.';
  if (missing.some(({ resource }) => resource === 'feedback'))
    return 'Only Owners of the organization that runs this deployment can read feedback.';
  if (sets.length === 0) {
    const what = missing.map(({ resource = '', action }) => `${words(resource)}, ${action}`).join('; ');
    return `You are signed in, but without the permission for this: ${what}.`;
  }
  return `You are signed in, but without the permission for this. A policy with ${[...new Set(sets)].join(' and ')} grants it: ask an Owner of the organization for one.`;
}
