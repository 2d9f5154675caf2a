/**
 * The outcome of a revocation, or of another change of credentials, in words, from the headers of the response. Claims nothing
 * beyond them.
 */

import { type Notice, pending, success } from '../ui/panels/notice.ts';
import { pluralize } from '../ui/pluralize.ts';

/**
 * Returns the receipt: "2 connections cut, 2 of 2 servers, 24 ms.". Begins with a space; empty if the headers say nothing
 * about servers. Without `cuts`, for a change that closes no connections, it leaves them out.
 */
export function receipt(headers: Headers, cuts = true): string {
  const [state, { servers = 0 }] = parse(headers.get(ENFORCEMENT));
  if (!state) return '';
  const [, { connections, duration_ms: duration }] = parse(headers.get('Latchkey-Receipt'));
  const cut = connections === undefined || !cuts ? [] : [`${pluralize(connections, 'connection')} cut`];
  if (state === 'pending') return ` ${capital([...cut, confirmed(headers)].join(', '))} so far.`;
  const took = duration === undefined ? [] : [`${duration} ms`];
  return ` ${[...cut, `${servers} of ${pluralize(servers, 'server')}`, ...took].join(', ')}.`;
}

/** Returns the notice for a revocation: `pending` until all servers have confirmed it. */
export function revoked(name: string, headers: Headers): Notice {
  return outcome(`Revoked ${name}.`, headers);
}

/** Returns the notice for an action, with its {@link receipt}. */
export function outcome(done: string, headers: Headers, cuts = true): Notice {
  const text = `${done}${receipt(headers, cuts)}`;
  return pendingText(headers) ? pending(text) : success(text);
}

/** Returns the state of a pending revocation: "Revoked, 1 of 2 servers confirmed". Undefined if it is not pending. */
export function pendingText(headers: Headers): string | undefined {
  const [state] = parse(headers.get(ENFORCEMENT));
  return state === 'pending' ? `Revoked, ${confirmed(headers)}` : undefined;
}

/** What a change of access keys does: once it is enforced, and within which time otherwise. */
export interface Effect {
  enforced: string;
  /** `within` is a time such as "within 31 seconds". */
  pending: (within: string) => string;
}

/** Returns the notice for a change of credentials of Queues or of Topics and Events. */
export function changed(done: string, effect: Effect, headers: Headers): Notice {
  const within = delay(headers);
  if (within !== undefined) return pending(`${done} ${effect.pending(within)}`);
  const [state] = parse(headers.get(ENFORCEMENT));
  return success(state === 'enforced' && effect.enforced ? `${done} ${effect.enforced}` : done);
}

/** Returns the time within which a pending change applies: "within 31 seconds". Undefined if it is not pending. */
export function delay(headers: Headers): string | undefined {
  const [state, { within }] = parse(headers.get(ENFORCEMENT));
  if (state !== 'pending') return undefined;
  return within === undefined ? 'soon' : `within ${pluralize(within, 'second')}`;
}

function confirmed(headers: Headers): string {
  const [, { acknowledged = 0, servers = 0 }] = parse(headers.get(ENFORCEMENT));
  return servers === 0
    ? 'no server confirmed'
    : `${acknowledged} of ${pluralize(servers, 'server')} confirmed`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const ENFORCEMENT = 'Latchkey-Enforcement';

/** Parses a header: `state; a=1; b=2` or `a=1; b=2`. */
function parse(header: string | null): [state: string | undefined, Partial<Record<string, number>>] {
  const parts = header?.split(/\s*;\s*/) ?? [];
  const members = parts.filter((part) => part.includes('=')).map((part) => part.split('='));
  const numbers = members.map(([name = '', value]): [string, number] => [name, Number(value)]);
  return [parts.find((part) => !part.includes('=')), Object.fromEntries(numbers)];
}
