/**
 * The resolver of account JWTs: its responses per second compared with /healthz on the same Worker, and the restart of a
 * nats-server with thousands of accounts, each with a client that gives up after two refusals.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startReconnectingClients } from '../stack/reconnecting-clients.ts';
import { signal } from '../stack/signal.ts';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { bytesOf, latencyOf, loadEach, loadOf } from './load.ts';
import { interleave } from './rounds.ts';

const REGION = 'fr-par';
const ACCOUNTS = 2_000;
const CONNECTIONS = [1, 64];
const REQUESTS = 2_000;

/** Measures the resolver. */
export const resolver: Area = {
  name: 'resolver',
  async measure({ rounds, stack: start }) {
    const stack = await start();
    const server = stack.nats.get(REGION);
    const port = Number(new URL(server?.url ?? '').port);
    const clients = await startReconnectingClients(await stack.database('REGION_FR_PAR'), port, ACCOUNTS);
    try {
      if (clients.connected() !== ACCOUNTS) throw new Error(`Only ${clients.connected()} clients connected`);
      const restarts: Restart[] = [];
      for (let round = 0; round < Math.min(rounds, 3); round++) {
        restarts.push(await restart(stack, clients));
        await clients.revive();
      }
      return [...restartFigures(restarts), ...(await rates(stack, rounds, clients.accounts))];
    } finally {
      clients.stop();
    }
  },
};

async function rates(stack: Stack, rounds: number, accounts: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const requests = (paths: readonly string[]) =>
    Promise.all(paths.map((path) => bytesOf(new Request(stack.origin + path))));
  const jwts = await requests(accounts.slice(0, REQUESTS).map((id) => `/jwt/v1/${REGION}/accounts/${id}`));
  const healthz = await requests(Array.from({ length: REQUESTS }, () => '/healthz'));
  for (const connections of CONNECTIONS) {
    const rate = async (of: Buffer[]) => loadOf([await loadEach(stack.origin, of, connections, 200)]);
    const measured = await interleave(rounds, {
      jwts: () => rate(jwts),
      healthz: () => rate(healthz),
    });
    figures.push({
      measure: `account JWTs, ${connections} at once`,
      unit: '/s',
      values: measured.jwts.map(({ perSecond }) => perSecond),
      latency: latencyOf(measured.jwts),
      baseline: {
        of: '/healthz',
        values: measured.healthz.map(({ perSecond }) => perSecond),
        latency: latencyOf(measured.healthz),
      },
      aim: '≥ 0.5',
    });
  }
  return figures;
}

/** What happened from the kill of the server until every client was connected or had given up. */
interface Restart {
  seconds: number;
  gaveUp: number;
  refusals: number;
  /** The slowest response of the bare address, in milliseconds. */
  slowest: number;
}

async function restart(
  stack: Stack,
  clients: Awaited<ReturnType<typeof startReconnectingClients>>,
): Promise<Restart> {
  const server = stack.nats.get(REGION);
  const refusals = clients.refusals();
  signal(server?.pid(), 'SIGKILL');
  while (clients.connected() > 0) await sleep(5);
  const start = performance.now();
  await server?.start();
  let slowest = 0;
  let settled = false;
  const bare = async () => {
    while (!settled) {
      const asked = performance.now();
      await (await fetch(`${stack.origin}/jwt/v1/${REGION}/accounts/`)).text();
      slowest = Math.max(slowest, performance.now() - asked);
      await sleep(20);
    }
  };
  const asking = bare();
  await clients.settled();
  const seconds = (performance.now() - start) / 1000;
  settled = true;
  await asking;
  return { seconds, gaveUp: clients.gaveUp(), refusals: clients.refusals() - refusals, slowest };
}

function restartFigures(restarts: readonly Restart[]): Figure[] {
  const restarted = `restart of a nats-server with ${ACCOUNTS.toLocaleString('en')} accounts`;
  return [
    {
      measure: `${restarted}, until all clients are back`,
      unit: 's',
      values: restarts.map(({ seconds }) => seconds),
    },
    {
      measure: `${restarted}, clients that gave up`,
      unit: 'clients',
      values: restarts.map(({ gaveUp }) => gaveUp),
      aim: 'none',
    },
    {
      measure: `${restarted}, refusals`,
      unit: 'refusals',
      values: restarts.map(({ refusals }) => refusals),
    },
    {
      measure: `${restarted}, slowest response of the bare address`,
      unit: 'ms',
      values: restarts.map(({ slowest }) => slowest),
      aim: '≤ 1900 ms',
    },
  ];
}
