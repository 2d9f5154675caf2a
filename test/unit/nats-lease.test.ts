/** When account JWTs end: on this the schedule renews them, a quarter of the lease apart. */
import { expect, it } from 'vitest';
import { leaseEnd } from '../../functions/nats/accounts.ts';
import { natsSettings } from '../../functions/shared/env.ts';

const LEASE = 3_600;
const settings = natsSettings.parse({ account_lease_seconds: LEASE });
const START = 1_800_000_000;

it('an account JWT never ends without a lease', () => {
  expect(leaseEnd(natsSettings.parse({}), START * 1000)).toBeUndefined();
});

it('a lease has three quarters to a whole left, and ends the same for everyone who asks in a quarter', () => {
  const ends = new Map<number, number>();
  for (let now = START; now < START + 2 * LEASE; now += 7) {
    const end = leaseEnd(settings, now * 1000) ?? 0;
    expect(end - now).toBeGreaterThan((3 * LEASE) / 4);
    expect(end - now).toBeLessThanOrEqual(LEASE);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  expect(ends.size).toBe(8);
  expect([...ends.keys()]).toEqual([...ends.keys()].sort((a, b) => a - b));
});

it('a lease shorter than an hour is refused, for the schedule could not renew it', () => {
  expect(natsSettings.safeParse({ account_lease_seconds: LEASE - 1 }).success).toBe(false);
});
