/**
 * The resolver of account JWTs: its responses per second compared with /healthz on the same Worker, and the restart of a
 * nats-server with thousands of accounts, each with a client that gives up after two refusals. The server has TLS and
 * limits new connections like a deployment's.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSigned } from '../stack/certificate.ts';
import type { ClientTls } from '../stack/nats.ts';
import { type ReconnectingClients, startReconnectingClients } from '../stack/reconnecting-clients.ts';
import { signal } from '../stack/signal.ts';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { bytesOf, latencyOf, loadEach, loadOf } from './load.ts';
import { startProbe } from './probe.ts';
import { interleave } from './rounds.ts';
import { startFresh } from './stack.ts';

const REGION = 'fr-par';
const ACCOUNTS = 2_000;
const MAX_RESTARTS = 3;
/** Requests at once. A server that restarts sends many: only they have an aim. */
const [ONE, MANY] = [1, 64];

/** Measures the resolver. */
export const resolver: Area = {
  name: 'resolver',
  async measure({ rounds, state }) {
    const folder = join(state, 'resolver');
    const tls = writeCertificate(folder);
    const stack = await startFresh(join(folder, 'stack'), { nats: (settings) => ({ ...settings, tls }) });
    const port = Number(new URL(stack.nats.get(REGION)?.url ?? '').port);
    const clients = await startReconnectingClients(await stack.database('REGION_FR_PAR'), port, ACCOUNTS);
    try {
      if (clients.connected() !== ACCOUNTS) throw new Error(`Only ${clients.connected()} clients connected`);
      const restarts: Restart[] = [];
      for (let round = 0; round < Math.min(rounds, MAX_RESTARTS); round++) {
        restarts.push(await restart(stack, clients));
        await clients.revive();
      }
      return [...restartFigures(restarts), ...(await rates(stack, rounds, clients.accounts))];
    } finally {
      clients.stop();
      await stack.stop();
    }
  },
};

function writeCertificate(folder: string): ClientTls {
  mkdirSync(folder, { recursive: true });
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const { certificate, key } = selfSigned();
  writeFileSync(tls.cert, certificate);
  writeFileSync(tls.key, key);
  return tls;
}

async function rates(stack: Stack, rounds: number, accounts: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const requests = (paths: readonly string[]) =>
    Promise.all(paths.map((path) => bytesOf(new Request(stack.origin + path))));
  const jwts = await requests(accounts.map((id) => `/jwt/v1/${REGION}/accounts/${id}`));
  const healthz = await requests(accounts.map(() => '/healthz'));
  for (const connections of [ONE, MANY]) {
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
      ...(connections === MANY && { aim: '≥ 0.5' }),
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

async function restart(stack: Stack, clients: ReconnectingClients): Promise<Restart> {
  const server = stack.nats.get(REGION);
  const refusals = clients.refusals();
  signal(server?.pid(), 'SIGKILL');
  while (clients.connected() > 0) await sleep(5);
  const start = performance.now();
  await server?.start();
  const probe = startProbe(`${stack.origin}/jwt/v1/${REGION}/accounts/`);
  await clients.settled();
  const seconds = (performance.now() - start) / 1000;
  const slowest = await probe.stop();
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
