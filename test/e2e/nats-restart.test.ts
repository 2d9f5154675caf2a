/** The restart of a nats-server with many accounts, whose clients all return at the same time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ReconnectingClients, startReconnectingClients } from '../stack/reconnecting-clients.ts';
import { signal } from '../stack/signal.ts';
import { useStack } from './local-stack.ts';
import { access, accountJwtOf, newCreds, revoke } from './nats-client.ts';

const REGION = 'fr-par';
const ACCOUNTS = 100;
/** How long a nats-server waits for the resolver, in milliseconds. */
const FETCH_TIMEOUT = 1_900;

const local = useStack();

const server = () => {
  const found = local.stack.nats.get(REGION);
  if (!found) throw new Error('no server');
  return found;
};

/** Requests the resolver's bare address until `done`, and returns the longest time to a response. */
async function slowestBareResponse(done: Promise<unknown>): Promise<number> {
  let slowest = 0;
  let going = true;
  done.finally(() => {
    going = false;
  });
  while (going) {
    const start = performance.now();
    expect((await fetch(`${local.stack.origin}/jwt/v1/${REGION}/accounts/`)).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - start);
    await sleep(20);
  }
  return slowest;
}

async function killAndStart(clients: ReconnectingClients): Promise<number> {
  signal(server().pid(), 'SIGKILL');
  await expect.poll(() => clients.connected()).toBe(0);
  await server().start();
  return slowestBareResponse(clients.settled());
}

describe('a nats-server that is killed and started', () => {
  it(`gets the clients of ${ACCOUNTS} accounts back, and the resolver's bare address responds in time`, async () => {
    const port = Number(new URL(server().url).port);
    const database = await local.stack.database('REGION_FR_PAR');
    const clients = await startReconnectingClients(database, port, ACCOUNTS);
    try {
      expect(clients.connected()).toBe(ACCOUNTS);
      const stored = 'select count(*) as n from nats_account_jwts';
      await expect.poll(() => database.prepare(stored).first('n')).toBe(ACCOUNTS);
      expect(await killAndStart(clients)).toBeLessThan(FETCH_TIMEOUT);
      expect([clients.connected(), clients.gaveUp()]).toEqual([ACCOUNTS, 0]);
      // Without any stored JWT, as after an upgrade or a change of the settings.
      await database.prepare('delete from nats_account_jwts').run();
      expect(await killAndStart(clients)).toBeLessThan(FETCH_TIMEOUT);
      expect([clients.connected(), clients.gaveUp()]).toEqual([ACCOUNTS, 0]);
    } finally {
      clients.stop();
    }
  });

  it('fetches the JWT of the newest revocation, which was stored when it was pushed', async () => {
    const kept = await newCreds(local, REGION);
    const revoked = await newCreds(local, REGION, kept.account);
    for (const { content } of [kept, revoked]) expect(await access(server().url, content)).toBe('yes');
    expect((await revoke(local, revoked)).enforcement).toBe('enforced; servers=1');
    const database = await local.stack.database('REGION_FR_PAR');
    const stored = await database
      .prepare(
        `select jwt, version from nats_account_jwts, nats_accounts
         where account_id = ? and id = account_id and version like revision || '-%'`,
      )
      .bind(kept.account)
      .first('jwt');
    expect(stored).toBe(await accountJwtOf(local, REGION, kept.account));
    signal(server().pid(), 'SIGKILL');
    await expect.poll(() => server().pid()).toBeUndefined();
    await server().start();
    expect(await access(server().url, revoked.content)).toBe('refused');
    expect(await access(server().url, kept.content)).toBe('yes');
  });
});
