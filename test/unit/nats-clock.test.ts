/** Clock skew between the Worker and a nats-server, and how it is reported to an operator. */
import { decode } from '@nats-io/jwt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shortLivedUser } from '../../functions/nats/client.ts';
import { createKey, importSeed } from '../../functions/nats/keys.ts';
import { warnAboutServer } from '../../functions/nats/server-warnings.ts';

const logged: string[] = [];
beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  logged.splice(0);
});

it('the Worker’s own user is valid on a server whose clock is almost an hour ahead', async () => {
  const { seed } = await createKey('account');
  const issuer = await importSeed(seed);
  const now = Math.floor(Date.now() / 1000);
  const { jwt } = await shortLivedUser({ id: issuer.publicKey, issuer }, now);
  const { exp = 0 } = decode(jwt) as { exp?: number };
  expect(exp - now).toBeGreaterThan(59 * 60);
  expect(exp - now).toBeLessThanOrEqual(60 * 60 + 1);
});

describe('the check of a server’s version and clock', () => {
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  let next = 0;
  const note = (ver: string, seconds: number) => {
    const server = { id: `N${next++}`, name: 'fr-par-1', ver, time: at(seconds) };
    warnAboutServer('fr-par', server);
    return server;
  };

  it('logs nothing for a supported version and a correct clock', () => {
    for (const seconds of [0, 20, -20]) note('2.15.3', seconds);
    expect(logged).toEqual([]);
  });

  it.each([
    [120, '120 seconds ahead'],
    [-90, '90 seconds behind'],
  ])('logs a clock that is %i seconds off', (seconds, words) => {
    note('2.15.3', seconds);
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      {
        nats_server: 'fr-par-1',
        region: 'fr-par',
        version: '2.15.3',
        reason: expect.stringContaining(words),
      },
    ]);
  });

  it('logs an unsupported version once, with its known faults', () => {
    const server = note('2.9.10', 0);
    warnAboutServer('fr-par', server);
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        version: '2.9.10',
        reason: expect.stringContaining('not supported'),
        faults: expect.arrayContaining([expect.any(String)]),
      }),
    ]);
  });
});
