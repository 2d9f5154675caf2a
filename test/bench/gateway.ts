/**
 * The overhead of the gateway. The same SendMessage alternates between the engine directly, a Worker that forwards
 * without checks, one that first reads the access key's row, the gateway, and the gateway with the rows in its own
 * memory. These four Workers have the same static assets and databases, so that the difference between the proxies is
 * the runtime's one read of D1, the difference between the two gateways is the guard, and the rest of the difference
 * between the gateway and the first proxy is the gateway's own code. A proxy without assets and databases shows the
 * cost of those.
 *
 * Measures rates, and the CPU time per request of the runtime's process, which depends less on other load.
 */
import { regionBinding } from '../../functions/shared/regions.ts';
import { bundleWorker } from '../stack/bundle.ts';
import { ENGINE_KEY, engineEntry } from '../stack/engine.ts';
import { defaultConfig } from '../stack/project.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure, Latency } from './area.ts';
import { newQueueCredentials, type QueueCredentials, signSqs } from './client.ts';
import { cpuMilliseconds } from './cpu.ts';
import { bytesOf, type Load, latencyOf, load } from './load.ts';
import { interleave } from './rounds.ts';
import { type BenchWorker, startAlone, startInPlace } from './worker.ts';

const REGION = 'fr-par';
const LOAD_MS = 1500;
const MESSAGE = 'x'.repeat(256);

/** What is sent: so many requests at once, signed with so many credentials in turn. */
interface Scenario {
  connections: number;
  credentials: number;
  name: string;
  /** The aim for the gateway's rate compared with the blind proxy's. */
  aim: string;
}

const SCENARIOS: readonly Scenario[] = [
  { connections: 1, credentials: 1, name: '1 at once', aim: '≥ 0.6' },
  { connections: 16, credentials: 1, name: '16 at once', aim: '≥ 0.5' },
  { connections: 16, credentials: 16, name: '16 at once, 16 credentials', aim: '≥ 0.5' },
];

/** The aim for the gateway's rate compared with that of the proxy that reads a row. */
const AIM_AGAINST_READING = '≥ 1.3';

/** Measures the gateway. */
export const gateway: Area = {
  name: 'gateway',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const engine = stack.engines.get(REGION)?.url ?? '';
    const credentials = await newCredentials(stack, Math.max(...SCENARIOS.map((each) => each.credentials)));
    const queue = await newQueue(stack.origin, credentials[0] as QueueCredentials);
    const engineQueue = await onlyQueueOf(engine);
    const vars = { ENGINE: engine };
    const workers = {
      'proxy alone': await startAlone('proxy', vars),
      proxy: await startInPlace('proxy', state, vars),
      'reading proxy': await startInPlace('reading-proxy', state, vars),
      'gateway, rows in its memory': await startInPlace(
        'remembering-gateway',
        state,
        await varsOf(stack, state),
      ),
    };
    try {
      const figures: Figure[] = [];
      for (const { name, connections, credentials: signers, aim } of SCENARIOS) {
        const sendTo = async (origin: string, pid: number | undefined, QueueUrl: string): Promise<Cost> => {
          const fields = { QueueUrl, MessageBody: MESSAGE };
          const requests = await Promise.all(
            credentials
              .slice(0, signers)
              .map(async (each) => bytesOf(await signSqs(origin, REGION, each, 'SendMessage', fields))),
          );
          const before = pid === undefined ? Number.NaN : cpuMilliseconds(pid);
          const result = await load(origin, requests, connections, LOAD_MS);
          const used = pid === undefined ? Number.NaN : cpuMilliseconds(pid) - before;
          await fetch(await signSqs(engine, REGION, ANY, 'PurgeQueue', { QueueUrl: engineQueue }));
          return { ...result, cpu: used / result.latencies.length };
        };
        const to = ({ origin, pid }: BenchWorker, url: string) => sendTo(origin, pid, url);
        const measured = await interleave(rounds, {
          engine: () => sendTo(engine, undefined, engineQueue),
          'proxy alone': () => to(workers['proxy alone'], engineQueue),
          proxy: () => to(workers.proxy, engineQueue),
          'reading proxy': () => to(workers['reading proxy'], engineQueue),
          gateway: () => sendTo(stack.origin, stack.pids().worker, queue),
          'gateway, rows in its memory': () => to(workers['gateway, rows in its memory'], queue),
        });
        figures.push(...figuresOf(`SendMessage, ${name}`, measured, aim));
      }
      return figures;
    } finally {
      await Promise.all(Object.values(workers).map((worker) => worker.stop()));
    }
  },
};

/** A load with the CPU time of each of its requests, in milliseconds. */
interface Cost extends Load {
  cpu: number;
}

/** The engine accepts any key. */
const ANY = { access_key: 'any', secret_key: 'any' };

async function newCredentials(stack: Stack, count: number): Promise<QueueCredentials[]> {
  const made: QueueCredentials[] = [];
  while (made.length < count) made.push(await newQueueCredentials(stack, REGION));
  return made;
}

type Vars = NonNullable<Parameters<typeof startInPlace>[2]>;

/** Returns the vars and secrets of the stack's Worker, with its engines. */
async function varsOf(stack: Stack, state: string): Promise<Vars> {
  const { regions } = await bundleWorker(defaultConfig);
  const { worker: secrets } = await ensureSecrets(state, Object.keys(regions));
  const REGIONS = Object.fromEntries(
    Object.entries(regions).map(([name, settings]) => {
      const port = Number(new URL(stack.engines.get(name)?.url ?? '').port);
      return [name, { ...settings, engine: engineEntry(name, port) }];
    }),
  );
  const keys = Object.fromEntries(
    Object.keys(regions).map((name) => [regionBinding('ENGINE_KEY', name), ENGINE_KEY]),
  );
  return { ...secrets, ...keys, REGIONS } as Vars;
}

async function newQueue(origin: string, credentials: QueueCredentials): Promise<string> {
  const signed = await signSqs(origin, REGION, credentials, 'CreateQueue', {
    QueueName: crypto.randomUUID(),
  });
  return ((await (await fetch(signed)).json()) as { QueueUrl: string }).QueueUrl;
}

async function onlyQueueOf(engine: string): Promise<string> {
  const signed = await signSqs(engine, REGION, ANY, 'ListQueues', {});
  const { QueueUrls = [] } = (await (await fetch(signed)).json()) as { QueueUrls?: string[] };
  const [url] = QueueUrls;
  if (url === undefined || QueueUrls.length > 1) throw new Error('Expected one queue in the engine');
  return url;
}

type Candidate =
  | 'engine'
  | 'proxy alone'
  | 'proxy'
  | 'reading proxy'
  | 'gateway'
  | 'gateway, rows in its memory';

function figuresOf(what: string, measured: Record<Candidate, Cost[]>, aim: string): Figure[] {
  const compare = (of: Candidate, to: Candidate, aim?: string): Figure => ({
    measure: `${what}: ${of}`,
    unit: '/s',
    values: measured[of].map(({ perSecond }) => perSecond),
    latency: latencyOf(measured[of]),
    baseline: {
      of: to,
      values: measured[to].map(({ perSecond }) => perSecond),
      latency: latencyOf(measured[to]),
    },
    aim,
  });
  const added = (to: Candidate, rank: keyof Latency): Figure => {
    const before = latencyOf(measured[to])[rank];
    const after = latencyOf(measured.gateway)[rank];
    return {
      measure: `${what}: gateway, latency added`,
      unit: `ms ${rank}`,
      values: after.map((all, round) => all - (before[round] ?? Number.NaN)),
      baseline: { of: to, values: before },
    };
  };
  const cpu = (of: Candidate, to: Candidate): Figure => ({
    measure: `${what}: ${of}, CPU per request`,
    unit: 'ms',
    values: measured[of].map((each) => each.cpu),
    baseline: { of: to, values: measured[to].map((each) => each.cpu) },
  });
  const hasCpu = measured.proxy.every((each) => Number.isFinite(each.cpu));
  return [
    compare('proxy alone', 'engine'),
    compare('proxy', 'engine'),
    compare('reading proxy', 'proxy'),
    compare('gateway, rows in its memory', 'proxy'),
    compare('gateway', 'engine'),
    compare('gateway', 'proxy', aim),
    compare('gateway', 'reading proxy', AIM_AGAINST_READING),
    ...(hasCpu
      ? [
          cpu('reading proxy', 'proxy'),
          cpu('gateway, rows in its memory', 'proxy'),
          cpu('gateway', 'proxy'),
          cpu('gateway', 'reading proxy'),
        ]
      : []),
    added('engine', 'p50'),
    added('engine', 'p99'),
    added('proxy', 'p50'),
    added('proxy', 'p99'),
  ];
}
