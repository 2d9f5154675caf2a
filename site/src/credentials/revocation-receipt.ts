/**
 * What is known of the servers that must honour a revocation: what the headers of its answer say, and in which words.
 * Nothing is claimed that the API did not say.
 */

import { type Notice, pending, success } from '../ui/panels/notice.ts';
import { pluralize } from '../ui/pluralize.ts';

/**
 * The receipt that a person reads: "2 connections cut, 2 of 2 servers, 24 ms.". Begins with a space; empty where the
 * API says nothing about servers.
 */
export function receipt(headers: Headers): string {
  const [state, { servers = 0 }] = parse(headers.get(ENFORCEMENT));
  if (!state) return '';
  const [, { connections, duration_ms: duration }] = parse(headers.get('Latchkey-Receipt'));
  const cut = connections === undefined ? [] : [`${pluralize(connections, 'connection')} cut`];
  if (state === 'pending') return ` ${capital([...cut, confirmed(headers)].join(', '))} so far.`;
  const took = duration === undefined ? [] : [`${duration} ms`];
  return ` ${[...cut, `${servers} of ${pluralize(servers, 'server')}`, ...took].join(', ')}.`;
}

/** What to say of a revocation: pending for as long as a server has to confirm it. */
export function revoked(name: string, headers: Headers): Notice {
  return outcome(`Revoked ${name}.`, headers);
}

/** What was done, with its receipt, in the tone that the servers allow. */
export function outcome(done: string, headers: Headers): Notice {
  const text = `${done}${receipt(headers)}`;
  return pendingText(headers) ? pending(text) : success(text);
}

/** How far a pending revocation has come: "Revoked, 1 of 2 servers confirmed". Undefined when none is pending. */
export function pendingText(headers: Headers): string | undefined {
  const [state] = parse(headers.get(ENFORCEMENT));
  return state === 'pending' ? `Revoked, ${confirmed(headers)}` : undefined;
}

function confirmed(headers: Headers): string {
  const [, { acknowledged = 0, servers = 0 }] = parse(headers.get(ENFORCEMENT));
  return servers === 0
    ? 'no server confirmed'
    : `${acknowledged} of ${pluralize(servers, 'server')} confirmed`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const ENFORCEMENT = 'Latchkey-Enforcement';

/** A header `state; a=1; b=2`, or `a=1; b=2`, in its parts. */
function parse(header: string | null): [state: string | undefined, Partial<Record<string, number>>] {
  const parts = header?.split(/\s*;\s*/) ?? [];
  const members = parts.filter((part) => part.includes('=')).map((part) => part.split('='));
  const numbers = members.map(([name = '', value]): [string, number] => [name, Number(value)]);
  return [parts.find((part) => !part.includes('=')), Object.fromEntries(numbers)];
}
