/**
 * The usage of credentials: what guards count and store, what the API reports, and what it costs. The gateway runs with a
 * function as the engine.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { DurableObjectNamespace } from '@cloudflare/workers-types';
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { HOUR_MS } from '../../functions/guard/usage.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { BATCH_SIZES, repair } from '../../functions/nats/repair.ts';
import { countConnections } from '../../functions/nats/sample.ts';
import type { Connection } from '../../functions/nats/servers.ts';
import { configOf } from '../../functions/shared/env.ts';
import { type Cost, counted } from './cost.ts';
import { envWithEngine as bindings, env } from './env.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';

/** Long enough for a report, which is sent after two seconds. */
const REPORTED = { timeout: 10_000, interval: 200 };
const DAY_MS = 24 * HOUR_MS;

let owner: Owner;
let api: ReturnType<typeof clientOf>;

interface Key {
  id: string;
  accessKey: string;
  signer: AwsClient;
}

beforeAll(async () => {
  owner = await newOwner();
  api = clientOf(owner, 'fr-par');
  for (const product of ['sqs', 'sns'])
    await api.post(`/activate-${product}`, { project_id: owner.project_id });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function newKey(permissions: object = { can_publish: true, can_receive: true }): Promise<Key> {
  const { body } = await api.post('/sqs-credentials', { project_id: owner.project_id, permissions });
  const { id, access_key: accessKeyId, secret_key: secretAccessKey } = body;
  return {
    id,
    accessKey: accessKeyId,
    signer: new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sqs' }),
  };
}

/** Sends a request for an action. `with` changes the environment. */
async function send(
  { signer }: Key,
  action: string,
  {
    headers = {},
    with: environment = bindings,
  }: { headers?: Record<string, string>; with?: typeof env } = {},
): Promise<Response> {
  const body = JSON.stringify({
    QueueUrl: `${ORIGIN}/project-${owner.project_id}/orders`,
    ...(action === 'SendMessage' && { MessageBody: 'x' }),
  });
  const request = await signer.sign(`${ORIGIN}/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` },
    body,
  });
  request.headers.set('Host', new URL(ORIGIN).host);
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  return app.fetch(new Request(request.url, { method: 'POST', headers: request.headers, body }), environment);
}

function engineReturns(answer: () => Response | Promise<Response>): void {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => answer());
}

const SENT = { MessageId: 'm', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' };
const sent = () => Response.json(SENT);

type Totals = Record<string, number>;

/** Returns the totals of a credential's usage: each action, and the outcomes. */
async function totals({ id }: Pick<Key, 'id'>, period = 'day'): Promise<Totals> {
  const { status, body } = await api.get(`/sqs-credentials/${id}/usage?period=${period}`);
  expect(status).toBe(200);
  const sum: Totals = { denied: 0, throttled: 0, failed: 0 };
  for (const { requests, denied, throttled, failed } of body.buckets as unknown as {
    requests: Totals;
    denied: number;
    throttled: number;
    failed: number;
  }[]) {
    for (const [name, count] of Object.entries({ ...requests, denied, throttled, failed }))
      sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

const guardOf = ({ accessKey }: Key) => {
  const { CREDENTIAL_GUARD: guards } = env;
  return guards.get(guards.idFromName(`fr-par/${accessKey}`)) as never;
};

/** Wraps the guards to count the calls of their methods. */
function countedGuards(calls: string[], fail = (_method: string) => false): DurableObjectNamespace {
  const { CREDENTIAL_GUARD: guards } = env;
  const get = (id: never) => {
    const stub = guards.get(id) as unknown as Record<string, (...given: unknown[]) => unknown>;
    const methods = ['admit', 'changed', 'record', 'usage', 'requestsSince', 'fetch'].map((method) => [
      method,
      async (...given: unknown[]) => {
        calls.push(method);
        if (fail(method)) throw new Error('the guard is unreachable');
        return stub[method]?.(...given);
      },
    ]);
    return Object.fromEntries(methods);
  };
  return { idFromName: (name: string) => guards.idFromName(name), get } as unknown as DurableObjectNamespace;
}

describe('the requests of an access key', () => {
  it('are reported to its guard in one call, with one write to the database', async () => {
    engineReturns(sent);
    const key = await newKey();
    const calls: string[] = [];
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const counting = {
      ...bindings,
      CREDENTIAL_GUARD: countedGuards(calls),
      REGION_FR_PAR: counted(env.REGION_FR_PAR, cost),
    };
    for (let time = 0; time < 50; time++)
      expect((await send(key, 'SendMessage', { with: counting })).status).toBe(200);
    expect(calls.filter((method) => method === 'record').length).toBeLessThanOrEqual(1);
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 50 });
    const reports = calls.filter((method) => method === 'record').length;
    expect([1, 2]).toContain(reports);
    // The front makes no round trip. The guard writes one row.
    expect(cost.trips).toBe(0);
    const lastUse = () => rows('fr-par', 'select last_used_at from credentials where id = ?', key.id);
    const [first] = await lastUse();
    expect(first).toEqual({ last_used_at: expect.any(Number) });
    await send(key, 'SendMessage', { with: counting });
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 51 });
    expect(await lastUse()).toEqual([first]);
  });

  it('are counted by action and outcome, with the network and the client', async () => {
    const key = await newKey({ can_publish: true });
    const headers = (address: string, agent: string) => ({
      'CF-Connecting-IP': address,
      'User-Agent': agent,
    });
    engineReturns(sent);
    await send(key, 'SendMessage', { headers: headers('192.0.2.77', 'aws-sdk-js/3.1 ua/2.1') });
    await send(key, 'ReceiveMessage', { headers: headers('192.0.2.99', 'aws-sdk-js/3.1') });
    await send(key, 'NoSuchAction', { headers: headers('2001:db8:1:2::3', '<b>"') });
    engineReturns(() => Response.json({ __type: 'RequestThrottled', message: '' }, { status: 403 }));
    await send(key, 'SendMessage', { headers: headers('192.0.2.77', '__proto__') });
    engineReturns(() => {
      throw new Error('no connection');
    });
    vi.spyOn(console, 'warn').mockReturnValue();
    await send(key, 'SendMessage', { headers: headers('192.0.2.77', 'aws-sdk-js/3.1') });
    await expect
      .poll(() => totals(key), REPORTED)
      .toEqual({
        SendMessage: 3,
        ReceiveMessage: 1,
        other: 1,
        denied: 1,
        throttled: 1,
        failed: 2,
      });
    const { body } = await api.get(`/sqs-credentials/${key.id}/usage`);
    const last_seen_at = expect.any(String);
    expect(body).toMatchObject({
      step_seconds: 3600,
      networks: [
        { network: '192.0.2.0/24', requests: 4, last_seen_at },
        { network: '2001:db8:1::/48', requests: 1, last_seen_at },
      ],
      last_used: { network: '192.0.2.0/24', client: 'aws-sdk-js/3.1' },
    });
    const names = (body.clients as unknown as { name: string; requests: number }[]).map(
      ({ name, requests }) => [name, requests],
    );
    expect(names.sort()).toEqual([
      ['__proto__', 1],
      ['aws-sdk-js/3.1', 3],
      ['unknown', 1],
    ]);
  });

  it('count as denied while the credentials are disabled, and not at all with a bad signature', async () => {
    engineReturns(sent);
    const key = await newKey();
    await api.post(`/sqs-credentials/${key.id}/disable`, {});
    expect((await send(key, 'SendMessage')).status).toBe(403);
    const wrong = new AwsClient({ ...key.signer, secretAccessKey: 'wrong' } as never);
    expect((await send({ ...key, signer: wrong }, 'SendMessage')).status).toBe(403);
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 1, denied: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await totals(key)).toMatchObject({ SendMessage: 1, denied: 1 });
  });

  it('succeed without delay when the guard takes no report', async () => {
    engineReturns(sent);
    vi.spyOn(console, 'warn').mockReturnValue();
    const key = await newKey();
    const calls: string[] = [];
    const failing = { ...bindings, CREDENTIAL_GUARD: countedGuards(calls, (method) => method === 'record') };
    const start = performance.now();
    expect((await send(key, 'SendMessage', { with: failing })).status).toBe(200);
    expect(performance.now() - start).toBeLessThan(1500);
    await expect.poll(() => calls, REPORTED).toContain('record');
    // The next report is complete again.
    expect((await send(key, 'SendMessage')).status).toBe(200);
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 1 });
  });

  it('are in the hour in which they began', async () => {
    engineReturns(sent);
    const key = await newKey();
    const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const at of [hour - 1, hour, hour + HOUR_MS / 2]) {
      vi.setSystemTime(at);
      expect((await send(key, 'SendMessage')).status).toBe(200);
    }
    const buckets = async () => {
      const { body } = await api.get(`/sqs-credentials/${key.id}/usage`);
      return (body.buckets as unknown as { start: string; requests: Totals }[]).map(({ start, requests }) => [
        start,
        requests.SendMessage,
      ]);
    };
    await expect
      .poll(async () => (await buckets()).slice(-2), REPORTED)
      .toEqual([
        [new Date(hour - HOUR_MS).toISOString(), 1],
        [new Date(hour).toISOString(), 2],
      ]);
    expect(await buckets()).toHaveLength(24);
    // A day later, the first of the two hours is no longer listed.
    vi.setSystemTime(hour + 23 * HOUR_MS);
    expect((await buckets())[0]).toEqual([new Date(hour).toISOString(), 2]);
    vi.setSystemTime(hour + DAY_MS);
    expect(await totals(key)).toEqual({ denied: 0, throttled: 0, failed: 0 });
    expect(await totals(key, 'week')).toMatchObject({ SendMessage: 3 });
    expect(await totals(key, 'month')).toMatchObject({ SendMessage: 3 });
    vi.setSystemTime(hour + 31 * DAY_MS);
    expect(await totals(key, 'month')).toEqual({ denied: 0, throttled: 0, failed: 0 });
  });
});

describe('a guard', () => {
  const used = async () => {
    engineReturns(sent);
    const key = await newKey();
    await send(key, 'SendMessage');
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 1 });
    return key;
  };
  const stored = (key: Key) =>
    runInDurableObject(guardOf(key), async (_guard, state) =>
      [...(await state.storage.list()).keys()].sort(),
    );

  it('stores its counts soon after the last use, and keeps them when it is evicted', async () => {
    const key = await used();
    expect(await stored(key)).toEqual(['key']);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 8000);
    expect(await runDurableObjectAlarm(guardOf(key))).toBe(true);
    expect(await stored(key)).toEqual([expect.stringMatching(/^hour \d{15}$/), 'key', 'last']);
    vi.useRealTimers();
    await evictDurableObject(guardOf(key));
    expect(await totals(key)).toMatchObject({ SendMessage: 1 });
    await send(key, 'SendMessage');
    await expect.poll(() => totals(key), REPORTED).toMatchObject({ SendMessage: 2 });
  });

  it('stores its counts at most once a minute while it is in use', async () => {
    const key = await used();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    const record = () =>
      (guardOf(key) as { record: (...given: unknown[]) => Promise<void> }).record(
        { region: 'fr-par', accessKey: key.accessKey },
        { id: key.id, lastUsedAt: Date.now() },
        {
          hours: new Map([
            [
              Math.floor(Date.now() / HOUR_MS) * HOUR_MS,
              {
                requests: new Map([['SendMessage', 1]]),
                denied: 0,
                throttled: 0,
                failed: 0,
                networks: new Map(),
                clients: new Map(),
              },
            ],
          ]),
          last: null,
        },
      );
    const writes: number[] = [];
    const puts = await runInDurableObject(guardOf(key), (_guard, state) => {
      const { put } = state.storage;
      state.storage.put = ((...given: unknown[]) => {
        writes.push(Date.now() - start);
        return (put as (...given: unknown[]) => unknown).apply(state.storage, given);
      }) as never;
      return writes;
    });
    for (let second = 2; second < 180; second += 2) {
      vi.setSystemTime(start + second * 1000);
      await record();
      if (second % 8 === 0) await runDurableObjectAlarm(guardOf(key));
    }
    expect(puts.length).toBeLessThanOrEqual(3);
    expect(await totals(key)).toMatchObject({ SendMessage: 90 });
  });

  it('deletes everything within a day after the credentials are revoked, and keeps it otherwise', async () => {
    const key = await used();
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 8000);
    await runDurableObjectAlarm(guardOf(key));
    vi.setSystemTime(Date.now() + DAY_MS);
    await runDurableObjectAlarm(guardOf(key));
    expect(await stored(key)).toHaveLength(3);
    expect((await api.delete(`/sqs-credentials/${key.id}`)).status).toBe(204);
    expect((await api.get(`/sqs-credentials/${key.id}/usage`)).status).toBe(404);
    vi.setSystemTime(Date.now() + DAY_MS);
    await runDurableObjectAlarm(guardOf(key));
    expect(await stored(key)).toEqual([]);
    expect(await runDurableObjectAlarm(guardOf(key))).toBe(false);
  });

  it('deletes hours after 35 days', async () => {
    const key = await used();
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 8000);
    await runDurableObjectAlarm(guardOf(key));
    vi.setSystemTime(Date.now() + 34 * DAY_MS);
    await runDurableObjectAlarm(guardOf(key));
    expect(await stored(key)).toHaveLength(3);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    await runDurableObjectAlarm(guardOf(key));
    expect(await stored(key)).toEqual([]);
  });
});

describe('the usage', () => {
  it('of another organization’s credentials looks missing, alone and among several', async () => {
    const other = await newOwner();
    const key = await newKey();
    const stranger = clientOf(other, 'fr-par');
    expect((await stranger.get(`/sqs-credentials/${key.id}/usage`)).status).toBe(404);
    expect((await stranger.get(`/sqs-usage?credentials_id=${key.id}`)).body).toEqual({ usage: [] });
    expect((await api.get(`/sns-credentials/${key.id}/usage`)).status).toBe(404);
    expect((await api.get(`/sns-usage?credentials_id=${key.id}`)).body).toEqual({ usage: [] });
  });

  it('of credentials that were never used asks no guard', async () => {
    const [one, two] = [await newKey(), await newKey()];
    const calls: string[] = [];
    const counting = { env: { ...env, CREDENTIAL_GUARD: countedGuards(calls) } };
    const { body } = await api.get(`/sqs-credentials/${one.id}/usage?period=week`, undefined, counting);
    expect(body).toMatchObject({ step_seconds: 6 * 3600, networks: [], clients: [], last_used: null });
    expect(body.buckets).toHaveLength(28);
    const several = `/sqs-usage?credentials_id=${one.id}&credentials_id=${two.id}`;
    expect((await api.get(several, undefined, counting)).body).toEqual({
      usage: [
        { credentials_id: one.id, requests: 0 },
        { credentials_id: two.id, requests: 0 },
      ],
    });
    expect(calls).toEqual([]);
  });

  it('of several credentials in the last day takes one request, one query and a call for each used one', async () => {
    engineReturns(sent);
    const [used, unused] = [await newKey(), await newKey()];
    await send(used, 'SendMessage');
    await expect.poll(() => totals(used), REPORTED).toMatchObject({ SendMessage: 1 });
    const calls: string[] = [];
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const counting = {
      ...env,
      CREDENTIAL_GUARD: countedGuards(calls),
      REGION_FR_PAR: counted(env.REGION_FR_PAR, cost),
    };
    const path = `/sqs-usage?credentials_id=${used.id}&credentials_id=${unused.id}`;
    expect((await api.get(path, undefined, { env: counting })).body).toEqual({
      usage: [
        { credentials_id: used.id, requests: 1 },
        { credentials_id: unused.id, requests: 0 },
      ],
    });
    expect([cost.trips, calls]).toEqual([1, ['requestsSince']]);
  });

  it('of credentials in a rotation is that of both keys', async () => {
    engineReturns(sent);
    const old = await newKey();
    await send(old, 'SendMessage');
    await expect.poll(() => totals(old), REPORTED).toMatchObject({ SendMessage: 1 });
    const { body } = await api.post(`/sqs-credentials/${old.id}/rotate`, {});
    const { access_key: accessKeyId, secret_key: secretAccessKey } = body;
    const signer = new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sqs' });
    await send({ id: old.id, accessKey: accessKeyId, signer }, 'SendMessage');
    await expect.poll(() => totals(old), REPORTED).toMatchObject({ SendMessage: 2 });
    const several = await api.get(`/sqs-usage?credentials_id=${old.id}`);
    expect(several.body).toEqual({ usage: [{ credentials_id: old.id, requests: 2 }] });
  });

  it('needs one to 100 valid ids and a known period', async () => {
    const key = await newKey();
    const many = Array.from({ length: 101 }, () => `credentials_id=${crypto.randomUUID()}`).join('&');
    for (const path of [
      '/sqs-usage',
      '/sqs-usage?credentials_id=x',
      `/sqs-usage?${many}`,
      `/sqs-credentials/${key.id}/usage?period=year`,
    ])
      expect((await api.get(path)).status, path).toBe(400);
  });

  it('gets 503 while the guard is unreachable', async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    const key = await newKey();
    await rows('fr-par', 'update credentials set last_used_at = ? where id = ?', Date.now(), key.id);
    const failing = { env: { ...env, CREDENTIAL_GUARD: countedGuards([], () => true) } };
    const response = await api.get(`/sqs-credentials/${key.id}/usage`, undefined, failing);
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
  });
});

describe('the usage of NATS credentials', () => {
  const db = openDatabase(env.REGION_FR_PAR);
  const newCreds = async () => {
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const { id } = (await api.post('/nats-credentials', { nats_account_id: account })).body;
    const [{ key } = { key: '' }] = await rows<{ key: string }>(
      'fr-par',
      'select key from credentials where id = ?',
      id,
    );
    return { id: id as string, key };
  };
  const connection = (user: string, more: Partial<Connection> = {}): Connection => ({
    server: 'fr-par-1',
    serverId: 'N1',
    id: 1,
    user,
    address: '192.0.2.10:51234',
    client: 'orders\u202e\n',
    library: 'nats.js/3.4.0',
    connectedAt: new Date().toISOString(),
    lastActivityAt: new Date().toISOString(),
    messagesIn: 4,
    messagesOut: 2,
    ...more,
  });
  const usageOf = async (id: string, period = 'day') =>
    (await api.get(`/nats-credentials/${id}/usage?period=${period}`)).body as unknown as {
      buckets: { connections: number; messages_in: number; messages_out: number }[];
      networks: object[];
      clients: object[];
      last_used: object | null;
    };

  it('is the connections and messages in samples, in each period and among several', async () => {
    const [one, two] = [await newCreds(), await newCreds()];
    expect(await usageOf(one.id)).toMatchObject({ networks: [], clients: [], last_used: null });
    const now = Date.now() - 600_000;
    await countConnections(db, [connection(one.key), connection(one.key, { id: 2 })], now);
    // Overlapping runs count once.
    await countConnections(db, [connection(one.key, { messagesIn: 5 }), connection('UNKNOWN')], now + 1000);
    const grown = [connection(one.key, { messagesIn: 5 }), connection(one.key, { messagesIn: 5 })];
    await countConnections(db, grown, now + 300_000);
    const last_seen_at = expect.any(String);
    for (const period of ['day', 'week', 'month']) {
      const { buckets, networks, clients, last_used } = await usageOf(one.id, period);
      const sum = (of: 'messages_in' | 'messages_out') =>
        buckets.reduce((total, bucket) => total + bucket[of], 0);
      expect(Math.max(...buckets.map(({ connections }) => connections))).toBe(2);
      expect([sum('messages_in'), sum('messages_out')], period).toEqual([9, 4]);
      expect(networks).toEqual([{ network: '192.0.2.0/24', connections: 1, last_seen_at }]);
      expect(clients).toEqual([{ name: 'orders', connections: 1, last_seen_at }]);
      expect(last_used).toMatchObject({ network: '192.0.2.0/24', client: 'orders' });
    }
    const several = `/nats-usage?credentials_id=${one.id}&credentials_id=${two.id}`;
    expect((await api.get(several)).body).toEqual({
      usage: [
        { credentials_id: one.id, connections: 2, messages_in: 9, messages_out: 4 },
        { credentials_id: two.id, connections: 0, messages_in: 0, messages_out: 0 },
      ],
    });
    const other = clientOf(await newOwner(), 'fr-par');
    expect((await other.get(`/nats-credentials/${one.id}/usage`)).status).toBe(404);
    expect((await other.get(several)).body).toEqual({ usage: [] });
  });

  it('is that of both keys in a rotation', async () => {
    const { id, key } = await newCreds();
    expect((await api.post(`/nats-credentials/${id}/rotate`, {})).status).toBe(200);
    const [{ now: next } = { now: '' }] = await rows<{ now: string }>(
      'fr-par',
      'select key as now from credentials where id = ?',
      id,
    );
    expect(next).not.toBe(key);
    await countConnections(db, [connection(key), connection(next, { id: 2 })], Date.now());
    const { buckets } = await usageOf(id);
    expect(buckets).toContainEqual(
      expect.objectContaining({ connections: 2, messages_in: 8, messages_out: 4 }),
    );
  });

  it('of 1,000 users takes 40 queries, and a write only for those that changed', async () => {
    const users = Array.from({ length: 1000 }, (_, i) => `U${String(i).padStart(55, 'B')}`);
    const { id: account } = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
    await env.REGION_FR_PAR.prepare(
      `insert into credentials (id, product, organization_id, project_id, nats_account_id, name, key, checksum,
         created_at, updated_at) select value, 'nats', '', '', ?, '', value, '', 1, 1 from json_each(?)`,
    )
      .bind(account, JSON.stringify(users))
      .run();
    const cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
    const counting = openDatabase(counted(env.REGION_FR_PAR, cost));
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS + 60_000;
    const sample = (messagesIn: number) =>
      users.map((user, i) => connection(user, { messagesIn: i < 10 ? messagesIn : 0 }));
    await countConnections(counting, sample(1), now);
    expect(cost.trips).toBe(40);
    Object.assign(cost, { trips: 0, rowsRead: 0, rowsWritten: 0 });
    await countConnections(counting, sample(2), now + 300_000);
    expect([cost.trips, cost.rowsWritten]).toEqual([21, 10]);
    await rows('fr-par', `delete from credentials where nats_account_id = ?`, account);
  });

  it('is deleted by the schedule after revocation, and after 35 days without a sample', async () => {
    const [kept, revoked, idle] = [await newCreds(), await newCreds(), await newCreds()];
    const now = Date.now();
    await countConnections(db, [connection(kept.key), connection(revoked.key)], now);
    await countConnections(db, [connection(idle.key)], now - 36 * DAY_MS);
    await api.delete(`/nats-credentials/${revoked.id}`);
    expect((await api.get(`/nats-credentials/${revoked.id}/usage`)).status).toBe(404);
    const region = configOf(env).regions.get('fr-par');
    if (!region) throw new Error('no region');
    const left = async () =>
      (await rows<{ key: string }>('fr-par', 'select key from nats_usage')).map(({ key }) => key);
    const before = (await left()).length;
    expect(before).toBeLessThan(2 * BATCH_SIZES.usage);
    await repair(configOf(env), region);
    await repair(configOf(env), region);
    expect(await left()).toContain(kept.key);
    expect(await left()).not.toContain(revoked.key);
    expect(await left()).not.toContain(idle.key);
  });
});
