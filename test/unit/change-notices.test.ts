/** Notices about changes of access keys claim what the headers of the response say, and nothing beyond them. */
import { expect, it } from 'vitest';
import { changed, delay } from '../../site/src/credentials/revocation-receipt.ts';

const effect = {
  enforced: 'Its next request is denied.',
  pending: (within: string) => `Its requests are denied ${within}.`,
};

it.each([
  ['enforced', 'success', 'Revoked orders. Its next request is denied.'],
  ['pending; within=31', 'pending', 'Revoked orders. Its requests are denied within 31 seconds.'],
  ['pending; within=1', 'pending', 'Revoked orders. Its requests are denied within 1 second.'],
  ['pending', 'pending', 'Revoked orders. Its requests are denied soon.'],
  // The previous version of the Worker sends no header.
  [undefined, 'success', 'Revoked orders.'],
])('a revocation that is %s is a %s notice', (enforcement, kind, text) => {
  const headers = new Headers(enforcement === undefined ? {} : { 'Latchkey-Enforcement': enforcement });
  expect(changed('Revoked orders.', effect, headers)).toEqual({ kind, text });
});

it('only a pending change has a delay', () => {
  expect(delay(new Headers({ 'Latchkey-Enforcement': 'enforced' }))).toBeUndefined();
  expect(delay(new Headers())).toBeUndefined();
});
