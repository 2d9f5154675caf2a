/** A test of a known nats-server fault must fail by an assertion, and by nothing else. */
import { expect, it } from 'vitest';
import { expectFault } from '../e2e/server-faults.ts';

const KNOWN = 'known fault of nats-server 2.9.10';

it('a known fault is confirmed by a failed assertion', async () => {
  await expectFault(async () => expect(1).toBe(2), KNOWN);
  await expectFault(() => expect.poll(() => 1, { timeout: 10, interval: 1 }).toBe(2), KNOWN);
  await expectFault(() => expect(Promise.resolve()).rejects.toThrow(), KNOWN);
});

it('a known fault fails the test when the assertion passes, because the table of faults is wrong', async () => {
  await expect(expectFault(async () => {}, KNOWN)).rejects.toThrow(`Passed, but is listed as ${KNOWN}`);
});

it('a known fault fails the test when it stops for another reason', async () => {
  const broken = async () => {
    throw new TypeError('no server');
  };
  await expect(expectFault(broken, KNOWN)).rejects.toThrow('no server');
});
