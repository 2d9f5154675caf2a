/** A known fault of a nats-server is confirmed by a failed assertion, and by nothing else. */
import { expect, it } from 'vitest';
import { expectFault } from '../e2e/server-faults.ts';

const KNOWN = 'known fault of nats-server 2.9.10';

it('takes a failed assertion as the fault', async () => {
  await expectFault(async () => expect(1).toBe(2), KNOWN);
  await expectFault(() => expect.poll(() => 1, { timeout: 10, interval: 1 }).toBe(2), KNOWN);
  await expectFault(() => expect(Promise.resolve()).rejects.toThrow(), KNOWN);
});

it('fails when the test passes, since then the table of faults is wrong', async () => {
  await expect(expectFault(async () => {}, KNOWN)).rejects.toThrow(`Passed, but is listed as ${KNOWN}`);
});

it('fails when the test breaks off for another reason', async () => {
  const broken = async () => {
    throw new TypeError('no server');
  };
  await expect(expectFault(broken, KNOWN)).rejects.toThrow('no server');
});
