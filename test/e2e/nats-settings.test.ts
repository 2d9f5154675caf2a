/**
 * The settings of enforcement on a real nats-server: bounded revocation lists, leases of account JWTs, expiry of
 * users, account limits, and several websocket addresses of which the first two do not work.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, describe, expect, it } from 'vitest';
import { accountJwt } from '../../functions/nats/jwt.ts';
import { importSeed } from '../../functions/nats/keys.ts';
import type { RegionsVar } from '../../functions/shared/regions.ts';
import { freePort } from '../stack/ports.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import { api, useStack } from './local-stack.ts';
import {
  access,
  accountJwtOf,
  bystander,
  type Creds,
  CUT,
  claimsOf,
  connectWith,
  endOf,
  newAccount,
  newCreds,
  pushJwt,
  revoke,
  userJwtOf,
} from './nats-client.ts';
import { pastCreds } from './past-creds.ts';
import { itUnlessFault } from './server-faults.ts';

const REGION = 'fr-par';
/** The region with two websocket addresses that do not work. */
const ELSEWHERE = 'nl-ams';
const HOUR = 3_600;
const MOST = 20;
const MIB = 1024 ** 2;
const NATS = {
  max_revocations: MOST,
  account_lease_seconds: HOUR,
  user_expiry_seconds: 24 * HOUR,
  account_limits: { connections: 4, payload: 1_000, streams: 1, disk: MIB },
  guest_limits: { disk: MIB },
};

const closedPort = await freePort();
const silentPort = await freePort();
// Accepts connections and never responds.
const silent = createServer(() => {}).listen(silentPort, '127.0.0.1');

const local = useStack({
  vars: ({ REGIONS }) => ({
    NATS,
    REGIONS: {
      ...REGIONS,
      ...withUnusableWebsockets(REGIONS, ELSEWHERE, [
        `ws://127.0.0.1:${closedPort}`,
        `ws://127.0.0.1:${silentPort}`,
      ]),
    },
  }),
});
afterAll(() => {
  silent.close();
  // The Worker keeps trying the two addresses, and logs that.
  const left = local.logged.filter((line) => !line.includes(`127.0.0.1:${closedPort}`));
  local.logged.splice(0, local.logged.length, ...left);
});

function withUnusableWebsockets(regions: RegionsVar, name: string, urls: string[]): RegionsVar {
  const region = regions[name];
  return region ? { [name]: { ...region, nats_websockets: [...urls, ...region.nats_websockets] } } : {};
}

const urlOf = (region: string) => local.stack.nats.get(region)?.url ?? '';
const url = () => urlOf(REGION);
const seconds = () => Math.floor(Date.now() / 1000);
const revocationsOf = async (account: string) =>
  claimsOf(await accountJwtOf(local, REGION, account)).nats.revocations ?? {};

async function revokeAll(all: readonly Creds[]): Promise<void> {
  for (const one of all) expect((await revoke(local, one)).enforcement).toBe('enforced; servers=1');
}

async function expectRefused(all: readonly Creds[]): Promise<void> {
  for (const { content } of all) expect(await access(url(), content)).toBe('refused');
}

const repeat = <Item>(times: number, make: () => Promise<Item>) =>
  Promise.all(Array.from({ length: times }, make));

it('with several websocket addresses, one refusing connections and one hanging, a revocation reaches the running server', async () => {
  const creds = await newCreds(local, ELSEWHERE);
  const connection = await connectWith(urlOf(ELSEWHERE), creds.content);
  const { enforcement, receipt } = await revoke(local, creds);
  // Servers behind the other two addresses could let the client in.
  expect(enforcement).toBe('pending; acknowledged=1; servers=3');
  expect(receipt).toMatch(/^connections=1;/);
  expect(await endOf(connection)).toMatch(CUT);
  expect(await access(urlOf(ELSEWHERE), creds.content)).toBe('refused');
});

describe('a revocation list', () => {
  it('rejects new credentials at its limit, never a revocation, and is shortened by the schedule', async () => {
    const account = { account: await newAccount(local, REGION), region: REGION };
    const kept = await pastCreds(local, account, { age: HOUR });
    const old = await repeat(MOST - 1, () => pastCreds(local, account, { age: 2 * HOUR }));
    const other = await bystander(url(), kept.content);
    await expect(newCreds(local, REGION, account.account)).rejects.toThrow(
      /403.*quotas_exceeded.*"quota":20/,
    );
    await revokeAll(old);
    expect(Object.keys(await revocationsOf(account.account))).toHaveLength(MOST - 1);
    await expect(newCreds(local, REGION, account.account)).rejects.toThrow(/403.*quotas_exceeded/);

    await local.stack.schedule();
    const { iat } = claimsOf(userJwtOf(kept.content));
    expect(await revocationsOf(account.account)).toEqual({ '*': iat - 1 });
    await expectRefused(old);
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    expect(await access(url(), kept.content)).toBe('yes');

    // As many as fit next to the one entry; then all of them are revoked.
    const young: Creds[] = [];
    for (let i = 0; i < MOST - 2; i++) young.push(await newCreds(local, REGION, account.account));
    await expect(newCreds(local, REGION, account.account)).rejects.toThrow(/403.*quotas_exceeded/);
    await revokeAll([...young, kept]);
    expect(Object.keys(await revocationsOf(account.account))).toHaveLength(MOST);
    await expect(newCreds(local, REGION, account.account)).rejects.toThrow(/403.*quotas_exceeded/);
    await expectRefused([...old, ...young, kept]);
  });

  it('is shortened to one entry when all credentials are revoked', async () => {
    const account = { account: await newAccount(local, REGION), region: REGION };
    const old = await repeat(MOST, () => pastCreds(local, account, { age: 2 * HOUR }));
    await revokeAll(old);
    await local.stack.schedule();
    expect(Object.keys(await revocationsOf(account.account))).toEqual(['*']);
    const young = await newCreds(local, REGION, account.account);
    expect(await access(url(), young.content)).toBe('yes');
    await expectRefused(old);
  });

  it('drops the revocations of expired users', async () => {
    const account = { account: await newAccount(local, REGION), region: REGION };
    const oldest = await pastCreds(local, account, { age: 4 * HOUR });
    const expired = await repeat(MOST / 2, () => pastCreds(local, account, { age: 3 * HOUR, life: HOUR }));
    const lasting = await pastCreds(local, account, { age: 3 * HOUR });
    await revokeAll([...expired, lasting]);
    await local.stack.schedule();
    const { sub } = claimsOf(userJwtOf(lasting.content));
    expect(Object.keys(await revocationsOf(account.account))).toEqual([sub]);
    await expectRefused([...expired, lasting]);
    expect(await access(url(), oldest.content)).toBe('yes');
  });
});

/**
 * Pushes an account JWT with another expiry to the server, as the Worker would have earlier, bypassing the Worker.
 */
async function pushUntil(account: string, expiresAt: number): Promise<void> {
  const { worker } = await ensureSecrets(local.state, [REGION]);
  const { nats } = claimsOf(await accountJwtOf(local, REGION, account));
  const jwt = await accountJwt({
    id: account,
    issuer: await importSeed(worker.OPERATOR_SIGNING_SEED ?? ''),
    signingKeys: nats.signing_keys ?? [],
    issuedAt: seconds(),
    revocations: {},
    limits: { disk: MIB },
    expiresAt,
  });
  await pushJwt(local, REGION, account, jwt);
}

describe('a lease', () => {
  it('ends within its configured time', async () => {
    const { exp = 0 } = claimsOf(await accountJwtOf(local, REGION, await newAccount(local, REGION)));
    expect(exp - seconds()).toBeGreaterThan(0.75 * HOUR - 5);
    expect(exp - seconds()).toBeLessThanOrEqual(HOUR);
  });

  it('disconnects everyone when it expires, and no one when the schedule renews it', async () => {
    const [left, renewed] = [await newCreds(local, REGION), await newCreds(local, REGION)];
    const cut = await connectWith(url(), left.content);
    const other = await bystander(url(), renewed.content);
    const end = seconds() + 6;
    await pushUntil(renewed.account, end);
    await local.stack.schedule();
    await pushUntil(left.account, end);
    expect(await endOf(cut)).toMatch(/expired|EPIPE|ECONNRESET/i);
    await sleep(Math.max(0, (end + 1) * 1000 - Date.now()));
    const { sent, gaps, disconnects } = await other.end();
    expect({ gaps, disconnects }).toEqual({ gaps: 0, disconnects: 0 });
    expect(sent).toBeGreaterThan(100);
    // The server requests the account again, because its JWT has expired.
    expect(await access(url(), left.content)).toBe('yes');
  });

  itUnlessFault(
    'jetstream-lost-after-lease',
    'that expires and is renewed leaves the account’s streams unchanged',
    async () => {
      const { account, content } = await newCreds(local, REGION);
      const first = await connectWith(url(), content);
      await (await jetstreamManager(first)).streams.add({ name: 'ONE', subjects: ['one'] });
      await jetstream(first).publish('one', 'before');
      await pushUntil(account, seconds() + 3);
      expect(await endOf(first)).toMatch(/expired|EPIPE|ECONNRESET/i);
      // In its last second, the account is still valid.
      await sleep(1_500);
      const second = await connectWith(url(), content);
      const published = jetstream(second).publish('one', 'after', { timeout: 5_000 });
      expect(await published.then(({ seq }) => seq, String)).toBe(2);
      const stored = await (await jetstreamManager(second)).streams.getMessage('ONE', { seq: 1 });
      expect(stored?.string()).toBe('before');
      await second.close();
    },
  );
});

itUnlessFault(
  'limit-cuts-bystanders',
  'a revocation in an account with limits disconnects no one else, and its consumers continue',
  async () => {
    const kept = await newCreds(local, REGION);
    const unused = await newCreds(local, REGION, kept.account);
    const [maker, reader, publisher] = (await repeat(3, () => connectWith(url(), kept.content))) as [
      NatsConnection,
      NatsConnection,
      NatsConnection,
    ];
    const manager = await jetstreamManager(maker);
    await manager.streams.add({ name: 'ONE', subjects: ['one'] });
    const names = Array.from({ length: 12 }, (_, i) => `pull_${i}`);
    for (const durable_name of names)
      await manager.consumers.add('ONE', { durable_name, ack_policy: 'none' });
    const { enforcement, receipt } = await revoke(local, unused);
    expect([enforcement, receipt?.split(';')[0]]).toEqual(['enforced; servers=1', 'connections=0']);
    // The second push follows when the requests in flight have settled.
    await sleep(4_000);
    expect([maker, reader, publisher].map((connection) => connection.isClosed())).toEqual([
      false,
      false,
      false,
    ]);
    expect(
      await jetstream(publisher)
        .publish('one', 'x')
        .then(({ seq }) => seq, String),
    ).toBe(1);
    const delivered = names.map(async (name) => {
      const consumer = await jetstream(reader).consumers.get('ONE', name);
      return (await consumer.next({ expires: 5_000 }))?.string();
    });
    expect(await Promise.all(delivered.map((one) => one.catch(String)))).toEqual(names.map(() => 'x'));
    await Promise.all([maker, reader, publisher].map((connection) => connection.close()));
  },
  60_000,
);

it('new credentials expire as configured, in the API and in the JWT', async () => {
  const { id, content } = await newCreds(local, REGION);
  const { iat, exp = 0 } = claimsOf(userJwtOf(content));
  expect(exp - iat).toBe(NATS.user_expiry_seconds);
  const path = `/mnq/v1beta1/regions/${REGION}/nats-credentials/${id}`;
  const { expires_at } = await api<{ expires_at: string }>(local, 'GET', path);
  expect(Math.floor(Date.parse(expires_at) / 1000)).toBe(exp);
});

it('a server disconnects a user when it expires', async () => {
  const account = { account: await newAccount(local, REGION), region: REGION };
  const creds = await pastCreds(local, account, { age: HOUR, life: HOUR + 4 });
  const connection = await connectWith(url(), creds.content);
  expect(await endOf(connection)).toMatch(/expired|EPIPE|ECONNRESET/i);
  // In the very second of its expiry, the JWT is still valid.
  await expect.poll(() => access(url(), creds.content)).toBe('refused');
});

it('the server enforces the limits of an account', async () => {
  const { content } = await newCreds(local, REGION);
  const connections = await repeat(NATS.account_limits.connections, () => connectWith(url(), content));
  const oneMore = connectWith(url(), content);
  // The connection can close before the client has read the reason.
  await expect(oneMore).rejects.toThrow();
  const log = readFileSync(join(local.state, 'nats', REGION, 'server.log'), 'utf8');
  expect(log).toMatch(/maximum account active connections exceeded/);
  const [first] = connections;
  expect(first?.info?.max_payload).toBe(NATS.account_limits.payload);
  if (!first) throw new Error('not connected');
  const manager = await jetstreamManager(first);
  await manager.streams.add({ name: 'ONE', subjects: ['one'] });
  await expect(manager.streams.add({ name: 'TWO', subjects: ['two'] })).rejects.toThrow(
    /maximum number of streams/i,
  );
  await Promise.all(connections.map((connection) => connection.close()));
});
