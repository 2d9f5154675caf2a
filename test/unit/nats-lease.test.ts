/** Expiry of account JWTs. The schedule renews them every quarter of a lease. */
import { expect, it } from 'vitest';
import { leaseEnd } from '../../functions/nats/account-jwts.ts';
import { natsSettings } from '../../functions/shared/env.ts';

const LEASE = 3_600;
const settings = natsSettings.parse({ account_lease_seconds: LEASE });
const START = 1_800_000_000;

it('an account JWT without a lease never expires', () => {
  expect(leaseEnd(natsSettings.parse({}), START * 1000)).toBeUndefined();
});

it('a lease has between three quarters and all of its time left, and ends at the same time for every request in a quarter', () => {
  const expiryOf = new Map<number, number>();
  for (let now = START; now < START + 2 * LEASE; now += 7) {
    const end = leaseEnd(settings, now * 1000) ?? 0;
    expect(end - now).toBeGreaterThan((3 * LEASE) / 4);
    expect(end - now).toBeLessThanOrEqual(LEASE);
    expiryOf.set(end, (expiryOf.get(end) ?? 0) + 1);
  }
  expect(expiryOf.size).toBe(8);
  expect([...expiryOf.keys()]).toEqual([...expiryOf.keys()].sort((a, b) => a - b));
});

it('a lease shorter than an hour is rejected, because the schedule could not renew it', () => {
  expect(natsSettings.safeParse({ account_lease_seconds: LEASE - 1 }).success).toBe(false);
});
