/**
 * Two clustered nats-servers of one region, one of which is frozen, killed, or restarted with its old state. The
 * reported enforcement matches what the servers did, and in the end both have disconnected the revoked clients and no
 * one else.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RegionsVar } from '../../functions/shared/regions.ts';
import { type NatsServer, type NatsSettings, natsServer } from '../stack/nats.ts';
import { freePort } from '../stack/ports.ts';
import { signal } from '../stack/signal.ts';
import { api, useStack } from './local-stack.ts';
import {
  access,
  bystander,
  type Creds,
  CUT,
  connectWith,
  deleteAccount,
  endOf,
  enforcementOf,
  newCreds,
  revoke,
  revokeInDatabase,
} from './nats-client.ts';

const REGION = 'fr-par';
const ports = { client: await freePort(), websocket: await freePort() };
const [routeOfFirst, routeOfSecond] = [await freePort(), await freePort()];

let second: NatsServer;
const local = useStack({
  vars: ({ REGIONS }) => ({ REGIONS: withWebsocket(REGIONS, `ws://127.0.0.1:${ports.websocket}`) }),
  nats(settings) {
    if (settings.region !== REGION) return settings;
    const other: NatsSettings = { ...settings, folder: `${settings.folder}-2`, ports };
    second = natsServer(
      { ...other, cluster: { node: 2, port: routeOfSecond, routes: [routeOfFirst] } },
      () => {},
    );
    return { ...settings, cluster: { node: 1, port: routeOfFirst, routes: [routeOfSecond] } };
  },
});
beforeAll(async () => {
  process.on('exit', () => second.pid() && signal(second.pid(), 'SIGKILL'));
  await second.start();
  await formed(2);
});
afterAll(() => second?.stop());

function withWebsocket(regions: RegionsVar, url: string): RegionsVar {
  const region = regions[REGION];
  return region
    ? { ...regions, [REGION]: { ...region, nats_websockets: [...region.nats_websockets, url] } }
    : regions;
}

const first = () => {
  const found = local.stack.nats.get(REGION);
  if (!found) throw new Error('no server');
  return found;
};
const stateOf = ({ account }: Creds) => enforcementOf(local, REGION, account);

/** Waits until the servers report this many active servers. */
async function formed(servers: number): Promise<void> {
  const creds = await newCreds(local, REGION);
  const path = `/mnq/v1beta1/regions/${REGION}/nats-credentials/${creds.id}/connections`;
  await vi.waitFor(
    async () => expect(await api(local, 'GET', path)).toMatchObject({ servers, servers_answered: servers }),
    { timeout: 30_000 },
  );
}

interface RevokedClients {
  revoked: Creds;
  /** Connects with creds to revoke, to the first and to the second server. */
  cut: [NatsConnection, NatsConnection];
  /** Stops the bystanders, one on each server, and expects that they noticed nothing. */
  expectUntouched(): Promise<void>;
}

async function connectRevoked(): Promise<RevokedClients> {
  const revoked = await newCreds(local, REGION);
  const sibling = await newCreds(local, REGION, revoked.account);
  const others = [
    await bystander(first().url, sibling.content),
    await bystander(second.url, sibling.content),
  ];
  return {
    revoked,
    cut: [await connectWith(first().url, revoked.content), await connectWith(second.url, revoked.content)],
    async expectUntouched() {
      for (const other of others) {
        const { sent, gaps, disconnects } = await other.end();
        expect({ gaps, disconnects }).toEqual({ gaps: 0, disconnects: 0 });
        expect(sent).toBeGreaterThan(10);
      }
    },
  };
}

async function expectRefused({ content }: Creds): Promise<void> {
  for (const { url } of [first(), second]) expect(await access(url, content)).toBe('refused');
}

/** Returns an account's streams on each server, from its files. */
function streamsOf({ account }: Creds): string[][] {
  return [REGION, `${REGION}-2`].map((folder) => {
    const streams = join(local.state, 'nats', folder, 'jetstream', 'jetstream', account, 'streams');
    return existsSync(streams) ? readdirSync(streams) : [];
  });
}

describe('a deleted account', () => {
  it('loses its streams in the cluster', async () => {
    const creds = await newCreds(local, REGION);
    const connection = await connectWith(second.url, creds.content);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const added = () =>
      manager.streams.add({ name: 'BOTH', subjects: ['both.>'], num_replicas: 2 }).then(() => 'yes', String);
    await expect.poll(added, { interval: 500 }).toBe('yes');
    expect(streamsOf(creds)).toEqual([['BOTH'], ['BOTH']]);
    expect((await deleteAccount(local, REGION, creds.account)).enforcement).toBe('enforced; servers=2');
    expect(await endOf(connection)).toMatch(CUT);
    await expect.poll(() => streamsOf(creds)).toEqual([[], []]);
    await expectRefused(creds);
  });
});

describe('a revocation in a cluster', () => {
  it('is enforced on both servers when the DELETE returns, and its receipt counts the connections to both', async () => {
    const { revoked, cut, expectUntouched } = await connectRevoked();
    const { enforcement, receipt } = await revoke(local, revoked);
    expect(enforcement).toBe('enforced; servers=2');
    expect(receipt).toMatch(/^connections=2; duration_ms=\d+$/);
    for (const connection of cut) expect(await endOf(connection)).toMatch(CUT);
    await expectRefused(revoked);
    await expectUntouched();
  });

  it.each([
    ['first', 0, 0],
    // Longer than the wait of the settling push, so that a retry is needed.
    ['second', 1, 3_000],
  ] as const)(
    'is pending while the %s server is frozen, and enforced after it resumes',
    async (_, frozen, more) => {
      const [frozenServer, runningServer] = frozen === 0 ? [first(), second] : [second, first()];
      const { revoked, cut, expectUntouched } = await connectRevoked();
      signal(frozenServer.pid(), 'SIGSTOP');
      try {
        const { enforcement, receipt, took } = await revoke(local, revoked);
        expect(enforcement).toBe('pending; acknowledged=1; servers=2');
        expect(receipt).toMatch(/^connections=1;/);
        expect(took).toBeLessThan(6_000);
        expect(await stateOf(revoked)).toMatchObject({ state: 'pending', servers: 2 });
        expect(await endOf(cut[1 - frozen] as NatsConnection)).toMatch(CUT);
        expect(await access(runningServer.url, revoked.content)).toBe('refused');
        await sleep(more);
        expect(await stateOf(revoked)).toMatchObject({ state: 'pending', servers: 2 });
      } finally {
        signal(frozenServer.pid(), 'SIGCONT');
      }
      expect(await endOf(cut[frozen] as NatsConnection)).toMatch(CUT);
      await expect.poll(() => stateOf(revoked)).toMatchObject({ state: 'enforced', servers: 2 });
      await expectRefused(revoked);
      await expectUntouched();
      local.logged.splice(0);
    },
  );

  it('that both servers missed is found by the schedule', async () => {
    const { revoked, cut, expectUntouched } = await connectRevoked();
    await revokeInDatabase(local, revoked);
    await local.stack.schedule();
    for (const connection of cut) expect(await endOf(connection)).toMatch(CUT);
    await expectRefused(revoked);
    await expectUntouched();
  });

  it('is pushed by the schedule to the running server while the other is frozen', async () => {
    const { revoked, cut, expectUntouched } = await connectRevoked();
    await revokeInDatabase(local, revoked);
    signal(second.pid(), 'SIGSTOP');
    try {
      await local.stack.schedule();
      expect(await endOf(cut[0])).toMatch(CUT);
    } finally {
      signal(second.pid(), 'SIGCONT');
    }
    expect(await endOf(cut[1])).toMatch(CUT);
    await expectRefused(revoked);
    await expectUntouched();
    local.logged.splice(0);
  });

  it('reaches a server that was frozen while the other was down, and resumed with its old state', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const other = await bystander(second.url, sibling.content);
    const connection = await connectWith(second.url, revoked.content);
    await first().stop();
    signal(second.pid(), 'SIGSTOP');
    try {
      expect((await revoke(local, revoked)).enforcement).toBe('pending; acknowledged=0; servers=0');
    } finally {
      signal(second.pid(), 'SIGCONT');
    }
    await connection.flush();
    expect(await endOf(connection)).toMatch(CUT);
    expect(await stateOf(revoked)).toMatchObject({ state: 'pending' });
    await first().start();
    await formed(2);
    await expect.poll(() => stateOf(revoked)).toMatchObject({ state: 'enforced', servers: 2 });
    await expectRefused(revoked);
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    local.logged.splice(0);
  });
});

describe('a stopped server of a cluster', () => {
  it('counts as missing while its address is configured, also after a clean shutdown', async () => {
    const { revoked, cut } = await connectRevoked();
    await second.stop();
    expect((await revoke(local, revoked)).enforcement).toBe('pending; acknowledged=1; servers=2');
    expect(await endOf(cut[0])).toMatch(CUT);
    expect(local.logged.join()).toContain(`"missing":["${second.websocketUrl}"]`);
    await second.start();
    await formed(2);
    await expect.poll(() => stateOf(revoked)).toMatchObject({ state: 'enforced', servers: 2 });
    await expectRefused(revoked);
    local.logged.splice(0);
  });

  it('counts once after a kill, although the others remember it and its address is configured', async () => {
    const { revoked, cut } = await connectRevoked();
    signal(second.pid(), 'SIGKILL');
    await expect.poll(() => second.pid()).toBeUndefined();
    expect((await revoke(local, revoked)).enforcement).toBe('pending; acknowledged=1; servers=2');
    expect(await endOf(cut[0])).toMatch(CUT);
    expect(await access(first().url, revoked.content)).toBe('refused');
    local.logged.splice(0);
  });
});
