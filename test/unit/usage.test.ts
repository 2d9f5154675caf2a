/** Counting uses of credentials: bounded sizes, hours, truncated networks, client names, and samples of connections. */
import { describe, expect, it } from 'vitest';
import {
  addUsage,
  addUse,
  HOUR_MS,
  MAX_NAMES,
  noUsage,
  OTHER,
  type Use,
} from '../../functions/guard/usage.ts';
import { clientNameOf } from '../../functions/guard/use-reports.ts';
import {
  addSample,
  noNatsUsage,
  parseNatsUsage,
  type SampledConnection,
  serializeNatsUsage,
} from '../../functions/nats/usage.ts';
import { truncateAddress } from '../../functions/shared/networks.ts';

const HOUR = 1_800_000_000_000 - (1_800_000_000_000 % HOUR_MS);

const use = (more: Partial<Use> = {}): Use => ({
  action: 'SendMessage',
  outcome: 'ok',
  at: HOUR,
  network: '192.0.2.0/24',
  client: 'aws-sdk-js/3.1',
  ...more,
});

const usageOf = (uses: readonly Use[]) => {
  const usage = noUsage();
  for (const one of uses) addUse(usage, one);
  return usage;
};

describe('the usage of an access key', () => {
  it('counts requests by action, whatever their outcome, and outcomes separately', () => {
    const usage = usageOf([
      use(),
      use({ outcome: 'denied' }),
      use({ action: 'ReceiveMessage', outcome: 'throttled' }),
      use({ action: OTHER, outcome: 'failed' }),
    ]);
    expect(usage.hours.get(HOUR)).toMatchObject({
      requests: new Map([
        ['SendMessage', 2],
        ['ReceiveMessage', 1],
        [OTHER, 1],
      ]),
      denied: 1,
      throttled: 1,
      failed: 1,
    });
  });

  it('starts a new hour at the full hour', () => {
    const usage = usageOf([use({ at: HOUR + HOUR_MS - 1 }), use({ at: HOUR + HOUR_MS })]);
    expect([...usage.hours.keys()]).toEqual([HOUR, HOUR + HOUR_MS]);
  });

  it('lists 20 networks and clients in an hour, the frequent ones and the latest, and counts the rest together', () => {
    const rare = Array.from({ length: 500 }, (_, i) =>
      use({ network: `network ${i}`, client: `client ${i}` }),
    );
    const frequent = Array.from({ length: 50 }, () => use());
    const usage = usageOf([...frequent, ...rare]);
    const { networks, clients } = usage.hours.get(HOUR) ?? noHour();
    for (const [names, known] of [
      [networks, '192.0.2.0/24'],
      [clients, 'aws-sdk-js/3.1'],
    ] as const) {
      expect(names.size).toBe(MAX_NAMES + 1);
      expect(names.get(known)?.requests).toBe(50);
      expect([...names.values()].reduce((sum, { requests }) => sum + requests, 0)).toBe(550);
    }
    expect(networks.has('network 499')).toBe(true);
    expect(usage.last).toEqual({ at: HOUR, network: 'network 499', client: 'client 499' });
  });

  it('is the sum of its parts in any order', () => {
    const [a, b] = [usageOf([use(), use({ at: HOUR + 5 })]), usageOf([use({ outcome: 'denied' })])];
    const sum = (parts: (typeof a)[]) => {
      const total = noUsage();
      for (const part of parts) addUsage(total, part);
      return total;
    };
    expect(sum([a, b])).toEqual(sum([b, a]));
    // The parts are not changed.
    expect(a.hours.get(HOUR)?.requests.get('SendMessage')).toBe(2);
  });

  it('treats names of members of objects like any other name', () => {
    const usage = usageOf([use({ client: '__proto__' }), use({ client: 'constructor' })]);
    expect([...(usage.hours.get(HOUR)?.clients.keys() ?? [])]).toEqual(['__proto__', 'constructor']);
  });
});

const noHour = () => ({ networks: new Map(), clients: new Map() });

describe('the network of an address', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2::3', '2001:db8:1::/48'],
    ['2001:DB8:0:2::3', '2001:db8::/48'],
    ['2001:db8::', '2001:db8::/48'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::1', '::/48'],
    ['', 'unknown'],
    [undefined, 'unknown'],
    ['local', 'unknown'],
    ['1:2', 'unknown'],
    ['<script>:', 'unknown'],
  ])('of %s is %s', (address, network) => {
    expect(truncateAddress(address)).toBe(network);
  });
});

describe('the client name of a User-Agent', () => {
  it.each([
    ['aws-sdk-js/3.1169.0 ua/2.1 os/linux#6 lang/js md/nodejs#24', 'aws-sdk-js/3.1169.0'],
    ['Boto3/1.40.1 md/Botocore#1.40.1', 'Boto3/1.40.1'],
    ['curl', 'curl'],
    ['<img src=x onerror=alert(1)>', 'unknown'],
    ['évil/1', 'unknown'],
    ['a\u202eb', 'a'],
    ['', 'unknown'],
    [undefined, 'unknown'],
    [`${'x'.repeat(5000)}/1`, 'x'.repeat(64)],
  ])('of %s is %s', (userAgent, name) => {
    expect(clientNameOf(userAgent)).toBe(name);
  });
});

describe('a sample of NATS connections', () => {
  const connection = (more: Partial<SampledConnection> = {}): SampledConnection => ({
    serverId: 'N1',
    id: 1,
    network: '192.0.2.0/24',
    client: 'orders',
    connectedAt: HOUR + 1000,
    lastActivityAt: HOUR + 2000,
    messagesIn: 10,
    messagesOut: 5,
    ...more,
  });
  const MINUTES = 60_000;

  it('counts each message once, over several samples, reconnections and restarts of a server', () => {
    const usage = noNatsUsage();
    let sampledAt: number | null = null;
    const sample = (at: number, ...connections: SampledConnection[]) => {
      const changed = addSample(usage, connections, at, sampledAt);
      if (changed) sampledAt = at;
      return changed;
    };
    const from = (minutes: number) => HOUR + minutes * MINUTES;
    sample(from(5), connection());
    sample(from(10), connection({ messagesIn: 17, messagesOut: 5 }));
    // Reconnected, and then another server with the same connection number.
    sample(from(15), connection({ id: 2, connectedAt: from(12), messagesIn: 3, messagesOut: 0 }));
    sample(
      from(20),
      connection({ serverId: 'N2', id: 2, connectedAt: from(18), messagesIn: 1, messagesOut: 1 }),
    );
    expect(usage.hours).toEqual([{ start: HOUR, connections: 1, messagesIn: 21, messagesOut: 6 }]);
    expect(usage.days[0]).toMatchObject({ messagesIn: 21 });
  });

  it('does not count messages that a connection had before the first sample', () => {
    const usage = noNatsUsage();
    addSample(usage, [connection({ connectedAt: HOUR - 5 * HOUR_MS, messagesIn: 1e9 })], HOUR, null);
    addSample(usage, [connection({ connectedAt: HOUR - 5 * HOUR_MS, messagesIn: 1e9 + 2 })], HOUR + 1, HOUR);
    expect(usage.hours).toEqual([{ start: HOUR, connections: 1, messagesIn: 2, messagesOut: 0 }]);
  });

  it('has nothing to store if an idle connection is still open in the same hour', () => {
    const usage = noNatsUsage();
    expect(addSample(usage, [connection()], HOUR, null)).toBe(true);
    expect(addSample(usage, [connection()], HOUR + 5 * MINUTES, HOUR)).toBe(false);
    expect(addSample(usage, [connection()], HOUR + 65 * MINUTES, HOUR)).toBe(true);
  });

  it('keeps the most connections at once, 20 names and 35 days, in a row of bounded size', () => {
    const usage = noNatsUsage();
    for (let hour = 0; hour < 24 * 40; hour++) {
      const connections = Array.from({ length: hour % 2 ? 300 : 20 }, (_, i) =>
        connection({ id: hour * 300 + i, client: `client ${hour} ${i}`, network: `network ${i}` }),
      );
      addSample(usage, connections, HOUR + hour * HOUR_MS, null);
    }
    expect([usage.hours.length, usage.days.length]).toEqual([8 * 24 + 1, 35]);
    expect(usage.hours.slice(-2).map(({ connections }) => connections)).toEqual([20, 300]);
    expect([usage.networks.length, usage.clients.length]).toEqual([20, 20]);
    const text = serializeNatsUsage(usage);
    expect(text.length).toBeLessThan(30_000);
    expect(parseNatsUsage(text)).toEqual(usage);
  });
});
