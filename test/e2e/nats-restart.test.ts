/** The restart of a nats-server with many accounts, whose clients all return at the same time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../stack/certificate.ts';
import { type ReconnectingClients, startReconnectingClients } from '../stack/reconnecting-clients.ts';
import { signal } from '../stack/signal.ts';
import { useStack } from './local-stack.ts';
import { access, accountJwtOf, newCreds, revoke } from './nats-client.ts';
import { startResolverProxy } from './resolver-proxy.ts';

const REGION = 'fr-par';
const ACCOUNTS = 100;
/** How long a nats-server waits for the resolver, in milliseconds. */
const FETCH_TIMEOUT = 1_900;

/** This region's server is configured like a deployment's, and its resolver is slow under load. */
const LIMITED = 'nl-ams';
const LIMIT = 100;

const folder = mkdtempSync(join(tmpdir(), 'latchkey-restart-'));
const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), limit: LIMIT };
const { certificate, key } = selfSigned();
writeFileSync(tls.cert, certificate);
writeFileSync(tls.key, key);
const proxy = await startResolverProxy();
const local = useStack({
  nats: (settings) => (settings.region === LIMITED ? { ...proxy.before(settings), tls } : settings),
});
afterAll(() => {
  proxy.close();
  rmSync(folder, { recursive: true });
});

const server = (region = REGION) => {
  const found = local.stack.nats.get(region);
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

/** Resolves when the server listens again. */
async function killAndStart(clients: ReconnectingClients, region = REGION): Promise<void> {
  signal(server(region).pid(), 'SIGKILL');
  await expect.poll(() => clients.connected()).toBe(0);
  await server(region).start();
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
      await killAndStart(clients);
      expect(await slowestBareResponse(clients.settled())).toBeLessThan(FETCH_TIMEOUT);
      expect([clients.connected(), clients.gaveUp()]).toEqual([ACCOUNTS, 0]);
      // Without any stored JWT, as after an upgrade or a change of the settings.
      await database.prepare('delete from nats_account_jwts').run();
      await killAndStart(clients);
      expect(await slowestBareResponse(clients.settled())).toBeLessThan(FETCH_TIMEOUT);
      expect([clients.connected(), clients.gaveUp()]).toEqual([ACCOUNTS, 0]);
    } finally {
      clients.stop();
    }
  });

  it('gets all its clients back by limiting new connections, although the resolver is too slow for all of them', async () => {
    const accounts = 3 * LIMIT;
    const port = Number(new URL(server(LIMITED).url).port);
    const database = await local.stack.database('REGION_NL_AMS');
    const clients = await startReconnectingClients(database, port, accounts);
    try {
      expect(clients.connected()).toBe(accounts);
      // Within the timeout for the number that the limit admits, but not for all.
      proxy.delayEach = FETCH_TIMEOUT / (2 * LIMIT);
      await killAndStart(clients, LIMITED);
      await clients.settled();
      expect([clients.connected(), clients.gaveUp()]).toEqual([accounts, 0]);
    } finally {
      proxy.delayEach = 0;
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
