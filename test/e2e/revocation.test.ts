/**
 * Revocation on a real nats-server that is killed, frozen or slow to get account JWTs. After each fault, no client with
 * revoked credentials is connected or can connect, and other clients lose no message. For several servers, see
 * nats-cluster.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { signal } from '../stack/signal.ts';
import { api, useStack } from './local-stack.ts';
import {
  access,
  accountJwtOf,
  bystander,
  CUT,
  claimsOf,
  connectWith,
  endOf,
  enforcementOf,
  newAccount,
  newCreds,
  revoke,
  revokeInDatabase,
} from './nats-client.ts';
import { startResolverProxy } from './resolver-proxy.ts';

const REGION = 'fr-par';
const AT = `/mnq/v1beta1/regions/${REGION}`;

const proxy = await startResolverProxy();
const local = useStack({ nats: proxy.before });
afterAll(() => proxy.close());

const server = () => {
  const found = local.stack.nats.get(REGION);
  if (!found) throw new Error('no server');
  return found;
};

const stateOf = async (account: string) => (await enforcementOf(local, REGION, account)).state;

/** Restarts the server. The settling push of an earlier change can fail then, which the Worker logs and retries. */
async function restart(): Promise<void> {
  await server().stop();
  await server().start();
  for (const line of local.logged.splice(0)) expect(line).toContain('push failed');
}

describe('a revocation', () => {
  it('closes the live connection before the response, and no other connection', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const stranger = await newCreds(local, REGION);
    const others = [
      await bystander(server().url, sibling.content),
      await bystander(server().url, stranger.content),
    ];
    const connection = await connectWith(server().url, revoked.content);

    const { enforcement, receipt } = await revoke(local, revoked);
    expect(enforcement).toBe('enforced; servers=1');
    expect(receipt).toMatch(/^connections=1; duration_ms=\d+$/);
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await enforcementOf(local, REGION, revoked.account)).toMatchObject({
      state: 'enforced',
      servers: 1,
    });
    for (const other of others) {
      const { sent, gaps, disconnects } = await other.end();
      expect({ gaps, disconnects }).toEqual({ gaps: 0, disconnects: 0 });
      expect(sent).toBeGreaterThan(10);
    }
    expect(await access(server().url, sibling.content)).toBe('yes');
  });

  it('blocks credentials created in the same second, clients that never connected, and clients after a restart', async () => {
    const creds = await newCreds(local, REGION);
    await revoke(local, creds);
    expect(await access(server().url, creds.content)).toBe('refused');
    await restart();
    expect(await access(server().url, creds.content)).toBe('refused');
    const again = await newCreds(local, REGION, creds.account);
    expect(await access(server().url, again.content)).toBe('yes');
  });

  it('is pending while the server is down, and takes effect when it restarts', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const connection = await connectWith(server().url, revoked.content);
    signal(server().pid(), 'SIGKILL');
    await connection.closed();
    await expect.poll(() => server().pid()).toBeUndefined();
    const { enforcement } = await revoke(local, revoked);
    expect(enforcement).toBe('pending; acknowledged=0; servers=0');
    expect(await stateOf(revoked.account)).toBe('pending');
    await server().start();
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await access(server().url, sibling.content)).toBe('yes');
    await expect.poll(() => stateOf(revoked.account)).toBe('enforced');
    expect(local.logged.splice(0).every((line) => line.includes('Could not connect to a nats-server'))).toBe(
      true,
    );
  });

  it('stops waiting for a frozen server at the deadline, and takes effect when the server resumes', async () => {
    const revoked = await newCreds(local, REGION);
    await access(server().url, revoked.content);
    const pid = server().pid();
    signal(pid, 'SIGSTOP');
    const { enforcement, took } = await revoke(local, revoked).finally(() => signal(pid, 'SIGCONT'));
    expect(enforcement).toMatch(/^pending/);
    expect(took).toBeLessThan(6_000);
    await expect.poll(() => stateOf(revoked.account)).toBe('enforced');
    expect(await access(server().url, revoked.content)).toBe('refused');
    local.logged.splice(0);
  });

  it('closes a connection accepted with an outdated account JWT in a race, by a second push', async () => {
    const stranger = await newCreds(local, REGION);
    const other = await bystander(server().url, stranger.content);
    const revoked = await newCreds(local, REGION);
    proxy.delay = 1_500;
    const connecting = connectWith(server().url, revoked.content);
    await expect.poll(() => proxy.held).toBe(1);
    proxy.delay = 0;
    expect((await revoke(local, revoked)).enforcement).toBe('enforced; servers=1');
    expect(proxy.held).toBe(1);

    // The server accepted this client with the old account JWT. Only the second push replaces that JWT.
    const connection = await connecting;
    await connection.flush();
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
  });

  it('is enforced by the scheduled job when its push was lost', async () => {
    const revoked = await newCreds(local, REGION);
    const connection = await connectWith(server().url, revoked.content);
    await revokeInDatabase(local, revoked);
    await local.stack.schedule();
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(server().url, revoked.content)).toBe('refused');
  });

  it.each([
    ['as many others as an account can have', 9_500],
    ['more than today’s limit, from before the limit was lowered', 11_000],
  ])('fits a push with %s', async (_, total) => {
    const sibling = await newCreds(local, REGION);
    const revoked = await newCreds(local, REGION, sibling.account);
    const other = await bystander(server().url, sibling.content);
    const connection = await connectWith(server().url, revoked.content);
    const database = await local.stack.database('REGION_FR_PAR');
    const keys = Array.from({ length: total - 1 }, (_, i) => `U${i.toString(2).padStart(55, 'A')}`);
    const [now, account] = [Math.floor(Date.now() / 1000), revoked.account];
    await database.batch([
      database
        .prepare(
          'insert into nats_revocations (account_id, user_key, revoked_at, issued_at) select ?, value, ?, ? from json_each(?)',
        )
        .bind(account, now, now, JSON.stringify(keys)),
      database
        .prepare(`insert into counts (scope, resource, value) values (?, 'nats_revocations', ?)`)
        .bind(account, keys.length),
    ]);

    expect((await revoke(local, revoked)).enforcement).toBe('enforced; servers=1');
    expect(await endOf(connection)).toMatch(CUT);
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    const jwt = await accountJwtOf(local, REGION, account);
    expect(Object.keys(claimsOf(jwt).nats.revocations ?? {})).toHaveLength(total);
    await expect(newCreds(local, REGION, account)).rejects.toThrow(/403.*quotas_exceeded/);
    // A starting server fetches the account JWT instead of receiving a push.
    await restart();
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await access(server().url, sibling.content)).toBe('yes');
  });
});

describe('twenty concurrent revocations', () => {
  it('leave no credentials usable, in fifty rounds', { timeout: 300_000 }, async () => {
    const account = await newAccount(local, REGION);
    const kept = await newCreds(local, REGION, account);
    const other = await bystander(server().url, kept.content);
    let usable = 0;
    for (let round = 0; round < 50; round++) {
      const creds = await Promise.all(Array.from({ length: 20 }, () => newCreds(local, REGION, account)));
      const responses = await Promise.all(
        creds.map(async (one) => {
          await sleep(Math.random() * 20);
          return revoke(local, one);
        }),
      );
      for (const { enforcement } of responses) expect(enforcement).toBe('enforced; servers=1');
      const outcomes = await Promise.all(creds.map(({ content }) => access(server().url, content)));
      usable += outcomes.filter((outcome) => outcome !== 'refused').length;
    }
    expect(usable).toBe(0);
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    expect(await access(server().url, kept.content)).toBe('yes');
  });
});

describe('the list of connected clients', () => {
  it('shows the connections of one set of credentials, and updates its last use', async () => {
    const creds = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, creds.account);
    const [one, two, other] = await Promise.all(
      [creds, creds, sibling].map((each) => connectWith(server().url, each.content)),
    );
    one?.publish('a', 'b');
    await one?.flush();
    const list = await api<{ servers: number; servers_answered: number; connections: { address: string }[] }>(
      local,
      'GET',
      `${AT}/nats-credentials/${creds.id}/connections`,
    );
    expect(list).toMatchObject({ servers: 1, servers_answered: 1 });
    expect(list.connections).toHaveLength(2);
    for (const { address } of list.connections) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    const read = await api<{ last_used_at: string }>(local, 'GET', `${AT}/nats-credentials/${creds.id}`);
    expect(Math.abs(Date.now() - Date.parse(read.last_used_at))).toBeLessThan(10_000);
    await Promise.all([one, two, other].map((connection) => connection?.close()));
    const after = await api<{ connections: unknown[] }>(
      local,
      'GET',
      `${AT}/nats-credentials/${creds.id}/connections`,
    );
    expect(after.connections).toEqual([]);
  });
});
