/**
 * Revoked means cut off: on real nats-servers, whose processes are killed, frozen and kept waiting. After each fault
 * nobody with revoked credentials is connected or can connect, and nobody else has noticed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { api, useStack } from './local-stack.ts';
import { access, bystander, type Creds, connectWith, newAccount, newCreds } from './nats-client.ts';

const local = useStack();
const REGION = 'fr-par';
const AT = `/mnq/v1beta1/regions/${REGION}`;

const server = () => {
  const found = local.stack.nats.get(REGION);
  if (!found) throw new Error('no server');
  return found;
};

interface Enforcement {
  state: string;
  revision: number;
  acknowledged_revision: number;
  servers: number;
}

/** Revokes credentials, or deletes an account, and resolves to what the answer's headers say. */
async function remove(path: string): Promise<{ enforcement: string; receipt: string | null; took: number }> {
  const start = performance.now();
  const response = await fetch(local.stack.origin + AT + path, {
    method: 'DELETE',
    headers: { 'X-Auth-Token': local.owner.secret_key },
  });
  expect(response.status).toBe(204);
  return {
    enforcement: response.headers.get('Latchkey-Enforcement') ?? '',
    receipt: response.headers.get('Latchkey-Receipt'),
    took: performance.now() - start,
  };
}

const revoke = ({ id }: Creds) => remove(`/nats-credentials/${id}`);
const enforcementOf = async (account: string) =>
  (await api<{ enforcement: Enforcement }>(local, 'GET', `${AT}/nats-accounts/${account}`)).enforcement;

describe('a revocation', () => {
  it('has cut off the live client when it returns, and nobody else', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const stranger = await newCreds(local, REGION);
    const others = [
      await bystander(server().url, sibling.content),
      await bystander(server().url, stranger.content),
    ];
    const connection = await connectWith(server().url, revoked.content);
    const closed = connection.closed();

    const { enforcement, receipt } = await revoke(revoked);
    expect(enforcement).toBe('enforced; servers=1');
    expect(receipt).toMatch(/^connections=1; duration_ms=\d+$/);
    expect(String(await Promise.race([closed, sleep(200, 'still open')]))).toMatch(/revoked/i);
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await enforcementOf(revoked.account)).toMatchObject({ state: 'enforced', servers: 1 });
    for (const other of others) {
      const { sent, gaps, disconnects } = await other.end();
      expect({ gaps, disconnects }).toEqual({ gaps: 0, disconnects: 0 });
      expect(sent).toBeGreaterThan(10);
    }
    expect(await access(server().url, sibling.content)).toBe('yes');
  });

  it('holds in the second of the issue, for a client that never connected, and after a restart', async () => {
    const creds = await newCreds(local, REGION);
    await revoke(creds);
    expect(await access(server().url, creds.content)).toBe('refused');
    await server().stop();
    await server().start();
    expect(await access(server().url, creds.content)).toBe('refused');
    const again = await newCreds(local, REGION, creds.account);
    expect(await access(server().url, again.content)).toBe('yes');
  });

  it('while the server is down is pending, and holds once it is back', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const connection = await connectWith(server().url, revoked.content);
    process.kill(server().pid() ?? 0, 'SIGKILL');
    await connection.closed();
    await expect.poll(() => server().pid()).toBeUndefined();
    const { enforcement } = await revoke(revoked);
    expect(enforcement).toBe('pending; acknowledged=0; servers=0');
    expect((await enforcementOf(revoked.account)).state).toBe('pending');
    await server().start();
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await access(server().url, sibling.content)).toBe('yes');
    await expect
      .poll(async () => (await enforcementOf(revoked.account)).state, { timeout: 20_000 })
      .toBe('enforced');
    expect(local.logged.splice(0).every((line) => line.includes('No nats-server could be reached'))).toBe(
      true,
    );
  });

  it('does not wait for a frozen server longer than its deadline, and holds once that wakes', async () => {
    const revoked = await newCreds(local, REGION);
    await access(server().url, revoked.content);
    const pid = server().pid() ?? 0;
    process.kill(pid, 'SIGSTOP');
    const { enforcement, took } = await revoke(revoked).finally(() => process.kill(pid, 'SIGCONT'));
    expect(enforcement).toMatch(/^pending/);
    expect(took).toBeLessThan(3_500);
    await expect
      .poll(async () => (await enforcementOf(revoked.account)).state, { timeout: 20_000 })
      .toBe('enforced');
    expect(await access(server().url, revoked.content)).toBe('refused');
    local.logged.splice(0);
  });

  it('is seen by the schedule when its push was missed', async () => {
    const revoked = await newCreds(local, REGION);
    const connection = await connectWith(server().url, revoked.content);
    const closed = connection.closed();
    // Past the API, as a restored backup or a push that was lost would leave it.
    const database = await local.stack.database('REGION_FR_PAR');
    const now = Math.floor(Date.now() / 1000) + 1;
    const user = /"sub":"(U[A-Z2-7]+)"/.exec(
      atob(revoked.content.split('\n')[1]?.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''),
    )?.[1];
    await database
      .prepare(
        'insert into nats_revocations (account_id, user_key, revoked_at, issued_at) values (?, ?, ?, ?)',
      )
      .bind(revoked.account, user, now, now)
      .run();
    await local.stack.schedule();
    expect(String(await Promise.race([closed, sleep(2_000, 'still open')]))).toMatch(/revoked/i);
    expect(await access(server().url, revoked.content)).toBe('refused');
  });
});

describe('twenty revocations at once', () => {
  it('leave none usable, fifty times over', { timeout: 300_000 }, async () => {
    const account = await newAccount(local, REGION);
    const kept = await newCreds(local, REGION, account);
    const other = await bystander(server().url, kept.content);
    let usable = 0;
    for (let round = 0; round < 50; round++) {
      const creds = await Promise.all(Array.from({ length: 20 }, () => newCreds(local, REGION, account)));
      const answers = await Promise.all(
        creds.map(async (one) => {
          await sleep(Math.random() * 20);
          return revoke(one);
        }),
      );
      for (const { enforcement } of answers) expect(enforcement).toBe('enforced; servers=1');
      const outcomes = await Promise.all(creds.map(({ content }) => access(server().url, content)));
      usable += outcomes.filter((outcome) => outcome !== 'refused').length;
    }
    expect(usable).toBe(0);
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    expect(await access(server().url, kept.content)).toBe('yes');
  });
});

/** The streams that the server keeps of an account, as its files tell. */
function streamsOf(account: string): string[] {
  const folder = join(local.state, 'nats', REGION, 'jetstream', 'jetstream', account, 'streams');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

describe('a deleted account', () => {
  it('cuts everyone off, loses its streams, and never revives', async () => {
    const creds = await newCreds(local, REGION);
    const connection = await connectWith(server().url, creds.content);
    const closed = connection.closed();
    const manager = await jetstreamManager(connection);
    for (const name of ['ONE', 'TWO']) await manager.streams.add({ name, subjects: [`${name}.>`] });
    await jetstream(connection).publish('ONE.x', 'payload');
    expect(streamsOf(creds.account)).toEqual(['ONE', 'TWO']);
    const { enforcement } = await remove(`/nats-accounts/${creds.account}`);
    expect(enforcement).toBe('enforced; servers=1');
    expect(String(await Promise.race([closed, sleep(200, 'still open')]))).toMatch(/revoked/i);

    const database = await local.stack.database('REGION_FR_PAR');
    const purged = () =>
      database
        .prepare('select purged_at from nats_accounts where id = ?')
        .bind(creds.account)
        .first('purged_at');
    await expect.poll(purged, { timeout: 10_000 }).not.toBeNull();
    expect(streamsOf(creds.account)).toEqual([]);
    await server().stop();
    await server().start();
    await local.stack.schedule();
    expect(await access(server().url, creds.content)).toBe('refused');
  });
});

describe('who is connected', () => {
  it('is told for each set of credentials, and when it was last used', async () => {
    const creds = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, creds.account);
    const [one, two, other] = await Promise.all(
      [creds, creds, sibling].map((each) => connectWith(server().url, each.content)),
    );
    one?.publish('a', 'b');
    await one?.flush();
    const told = await api<{ servers: number; servers_answered: number; connections: { address: string }[] }>(
      local,
      'GET',
      `${AT}/nats-credentials/${creds.id}/connections`,
    );
    expect(told).toMatchObject({ servers: 1, servers_answered: 1 });
    expect(told.connections).toHaveLength(2);
    for (const { address } of told.connections) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
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
