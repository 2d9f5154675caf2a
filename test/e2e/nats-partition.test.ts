/**
 * Network partition: three clustered nats-servers, one of which the others cannot reach. It runs with connected
 * clients, and its websocket is reachable or not. Revocations reach it through its own address, and none is reported
 * as enforced without it.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RegionsVar } from '../../functions/shared/regions.ts';
import { type NatsServer, natsServer } from '../stack/nats.ts';
import { freePort } from '../stack/ports.ts';
import { api, useStack } from './local-stack.ts';
import {
  access,
  CUT,
  connectWith,
  endOf,
  enforcementOf,
  newCreds,
  revoke,
  revokeInDatabase,
} from './nats-client.ts';
import { startTcpProxy } from './tcp-proxy.ts';

const REGION = 'fr-par';
const AT = `/mnq/v1beta1/regions/${REGION}`;
/** The name of the partitioned server. */
const PARTITIONED = `latchkey-${REGION}-3`;

const routePorts = [await freePort(), await freePort(), await freePort()] as const;
const routes = await Promise.all(routePorts.map(startTcpProxy));
const newPorts = async () => ({ client: await freePort(), websocket: await freePort() });
const portsOfSecond = await newPorts();
const portsOfThird = await newPorts();
const websocketOfSecond = await startTcpProxy(portsOfSecond.websocket);
const websocketOfThird = await startTcpProxy(portsOfThird.websocket);
const addressOfThird = `ws://127.0.0.1:${websocketOfThird.port}`;

const others: NatsServer[] = [];
const local = useStack({
  vars: ({ REGIONS }) => ({ REGIONS: withWebsockets(REGIONS) }),
  nats(settings) {
    if (settings.region !== REGION) return settings;
    const cluster = (node: 1 | 2 | 3) => ({
      node,
      port: routePorts[node - 1] as number,
      routes: routes.filter((_, at) => at !== node - 1).map(({ port }) => port),
      advertise: routes[node - 1]?.port,
    });
    for (const [node, its] of [
      [2, portsOfSecond],
      [3, portsOfThird],
    ] as const) {
      const folder = `${settings.folder}-${node}`;
      others.push(natsServer({ ...settings, folder, ports: its, cluster: cluster(node) }, () => {}));
    }
    return { ...settings, cluster: cluster(1) };
  },
});

function withWebsockets(regions: RegionsVar): RegionsVar {
  const region = regions[REGION];
  if (!region) return regions;
  // Two addresses of the second server, which counts once.
  const second = [portsOfSecond.websocket, websocketOfSecond.port].map((port) => `ws://127.0.0.1:${port}`);
  const nats_websockets = [...region.nats_websockets, ...second, addressOfThird];
  return { ...regions, [REGION]: { ...region, nats_websockets } };
}

beforeAll(async () => {
  await Promise.all(others.map((server) => server.start()));
  await heal();
});
afterAll(async () => {
  await Promise.all(others.map((server) => server.stop()));
  for (const proxy of [...routes, websocketOfSecond, websocketOfThird]) proxy.close();
});

const all = () => [local.stack.nats.get(REGION), ...others] as [NatsServer, NatsServer, NatsServer];

/** Partitions the third server from the others. */
function isolate(): void {
  routes[2]?.cut();
  for (const route of routes.slice(0, 2)) route.cut(PARTITIONED);
}

/** Ends the partition and waits until all servers are connected. */
async function heal(): Promise<void> {
  for (const proxy of [...routes, websocketOfThird]) proxy.restore();
  const { content } = await newCreds(local, REGION);
  const [first, , third] = all();
  const [here, there] = [await connectWith(first.url, content), await connectWith(third.url, content)];
  await vi.waitFor(
    async () => {
      there.subscribe('seen', { max: 1, callback: (_, message) => void message.respond() });
      await there.flush();
      await here.request('seen', '', { timeout: 500 });
    },
    { timeout: 60_000 },
  );
  await Promise.all([here.close(), there.close()]);
}

const stateOf = (account: string) => enforcementOf(local, REGION, account);

async function revokedOnThird() {
  const creds = await newCreds(local, REGION);
  return { creds, connection: await connectWith(all()[2].url, creds.content) };
}

describe('the servers of a region', () => {
  it('are listed with their versions, each once, even with several addresses', async () => {
    const { nats_servers } = await api<{
      nats_servers: { name: string; websockets: string[]; version: string }[];
    }>(local, 'GET', `${AT}/nats-servers`);
    expect(nats_servers.map(({ name }) => name).sort()).toEqual(
      [1, 2, 3].map((node) => `latchkey-${REGION}-${node}`),
    );
    expect(nats_servers.find(({ name }) => name.endsWith('2'))?.websockets).toHaveLength(2);
    for (const { version } of nats_servers) expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('a partitioned server', () => {
  it('gets a revocation through its own address, and counts', async () => {
    const { creds, connection } = await revokedOnThird();
    isolate();
    const { connections } = await api<{ connections: { server: string }[] }>(
      local,
      'GET',
      `${AT}/nats-credentials/${creds.id}/connections`,
    );
    expect(connections.map(({ server }) => server)).toEqual([PARTITIONED]);
    const { enforcement, receipt } = await revoke(local, creds);
    expect(enforcement).toBe('enforced; servers=3');
    // A busy server can be too late to list its connections. Then there is no receipt, never a wrong one.
    expect(receipt ?? 'connections=1;').toMatch(/^connections=1;/);
    expect(await endOf(connection)).toMatch(CUT);
    for (const { url } of all()) expect(await access(url, creds.content)).toBe('refused');
    await heal();
  });

  it('is checked by the schedule like the others', async () => {
    const { creds, connection } = await revokedOnThird();
    isolate();
    await revokeInDatabase(local, creds);
    await local.stack.schedule();
    expect(await endOf(connection)).toMatch(CUT);
    await heal();
    local.logged.splice(0);
  });

  it('is named, and nothing is reported as enforced, while its address is unreachable too', async () => {
    const { creds, connection } = await revokedOnThird();
    isolate();
    websocketOfThird.cut();
    expect((await revoke(local, creds)).enforcement).toBe('pending; acknowledged=2; servers=3');
    expect(connection.isClosed()).toBe(false);
    expect(await stateOf(creds.account)).toMatchObject({ state: 'pending', acknowledged_servers: 2 });
    const serversStatus = await api<{ total_count: number; nats_servers: unknown[] }>(
      local,
      'GET',
      `${AT}/nats-servers`,
    );
    expect(serversStatus.total_count).toBe(3);
    expect(serversStatus.nats_servers).toContainEqual(
      expect.objectContaining({ state: 'no_reply', websockets: [addressOfThird] }),
    );
    expect(local.logged.filter((line) => line.includes(addressOfThird))).not.toEqual([]);
    websocketOfThird.restore();
    expect(await endOf(connection)).toMatch(CUT);
    await expect.poll(() => stateOf(creds.account)).toMatchObject({ state: 'enforced', servers: 3 });
    await heal();
    local.logged.splice(0);
  });

  it('gets a revocation also when the others have forgotten that it exists', async () => {
    const { creds, connection } = await revokedOnThird();
    isolate();
    const [first, second] = all();
    await Promise.all([first.stop(), second.stop()]);
    await Promise.all([first.start(), second.start()]);
    expect((await revoke(local, creds)).enforcement).toBe('enforced; servers=3');
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(all()[2].url, creds.content)).toBe('refused');
    local.logged.splice(0);
  });
});
