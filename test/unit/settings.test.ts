/** Invalid settings are rejected with the name of the setting. */
import { expect, it } from 'vitest';
import { parseVars } from '../../functions/shared/env.ts';

const region = { label: 'Paris', nats_endpoint: 'tls://nats.example.com:4222' };
const parsed = (vars: object) => () => parseVars({ REGIONS: { 'fr-par': region }, ...vars });

it.each([
  // 10,500 revocations fit in a JWT, but leave no room for roles. 11,300 cannot be pushed, and would lock out every
  // client after a restart.
  [{ max_revocations: 9_501 }, /^.*: NATS\.max_revocations: .*9500/],
  [{ account_limits: { streams: 0 } }, /NATS\.account_limits\.streams: must be -1 for no limit, or 1 to/],
  [{ account_limits: { consumers: 0 } }, /NATS\.account_limits\.consumers: must be/],
  [{ account_limits: { connections: 0 } }, /NATS\.account_limits\.connections: must be/],
  [{ account_limits: { payload: 0 } }, /NATS\.account_limits\.payload: must be/],
  [{ account_limits: { payload: 2 ** 31 } }, /NATS\.account_limits\.payload: must be/],
  [{ account_limits: { disk: 0 } }, /NATS\.account_limits: memory and disk cannot both be 0/],
  [{ guest_limits: { disk: 0 } }, /NATS\.guest_limits: memory and disk cannot both be 0/],
  [{ guest_limits: { streams: 1.5 } }, /NATS\.guest_limits\.streams: must be/],
  [
    { account_lease_seconds: 1e10 },
    /NATS\.account_lease_seconds: must be 0 for no limit, or 3600 to 315360000/,
  ],
  [{ account_lease_seconds: 60 }, /NATS\.account_lease_seconds: must be/],
  [{ user_expiry_seconds: 1e12 }, /NATS\.user_expiry_seconds: must be/],
  [{ push_deadline_ms: 5 }, /NATS\.push_deadline_ms: /],
  [{ max_revocation: 100 }, /NATS: .*"max_revocation"/],
  [{ account_limits: { discs: 100 } }, /NATS\.account_limits: .*"discs"/],
])('rejects NATS = %j', (NATS, message) => {
  expect(parsed({ NATS })).toThrow(message);
});

it('rejects limits that exceed what a region’s servers can store', () => {
  const REGIONS = { 'fr-par': { ...region, nats_storage: 1024 ** 2, nats_memory: 10 } };
  expect(parsed({ REGIONS })).toThrow(
    /NATS\.account_limits\.disk: must be at most REGIONS\.fr-par\.nats_storage, 1048576: no account/,
  );
  const disk = { disk: 1024 ** 2 };
  expect(parsed({ REGIONS, NATS: { account_limits: { ...disk, memory: 11 }, guest_limits: disk } })).toThrow(
    /NATS\.account_limits\.memory: must be at most REGIONS\.fr-par\.nats_memory, 10/,
  );
  expect(parsed({ REGIONS, NATS: { account_limits: disk, guest_limits: disk } })).not.toThrow();
});

it('accepts unlimited values, and names every invalid setting', () => {
  const none = { connections: -1, payload: -1, memory: -1, disk: -1, streams: -1, consumers: -1 };
  expect(parsed({ NATS: { account_limits: none, guest_limits: none } })).not.toThrow();
  expect(parsed({ NATS: { push_deadline_ms: 5 }, QUOTAS: { credential: 5 }, GUESTS: { minute: 5 } })).toThrow(
    /NATS\.push_deadline_ms.*QUOTAS: .*GUESTS: |GUESTS: .*QUOTAS: /s,
  );
});

it('requires the site’s URL, for links in emails, when email is enabled', () => {
  const MAIL = { transport: 'console' };
  expect(parsed({ MAIL })).toThrow(/SITE\.url: is required with MAIL/);
  expect(parsed({ MAIL, SITE: { url: 'https://latchkey.example.com/path' } })).toThrow(/SITE\.url: must be/);
  expect(parsed({ MAIL, SITE: { url: 'https://latchkey.example.com' } })).not.toThrow();
  expect(parsed({})).not.toThrow();
});
