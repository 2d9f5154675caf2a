/**
 * The overhead of the gateway. The same SendMessage alternates between the engine directly, a Worker that forwards
 * without checks, one that first reads the access key's row, and the gateway. These three Workers have the same
 * static assets and databases, so that the difference between the proxies is the runtime's one read of D1, the price
 * of immediate revocation, and the difference between the second proxy and the gateway is the gateway's own code. A
 * proxy without assets and databases shows the cost of those.
 */
import type { Area, Figure, Latency } from './area.ts';
import { newQueueCredentials, signSqs } from './client.ts';
import { bytesOf, type Load, latencyOf, load } from './load.ts';
import { interleave } from './rounds.ts';
import { startAlone, startInPlace } from './worker.ts';

const REGION = 'fr-par';
const CONNECTIONS = [1, 16];
const LOAD_MS = 1500;
const MESSAGE = 'x'.repeat(256);

/** Measures the gateway. */
export const gateway: Area = {
  name: 'gateway',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const engine = stack.engines.get(REGION)?.url ?? '';
    const credentials = await newQueueCredentials(stack, REGION);
    const queue = await newQueue(stack.origin, credentials);
    const engineQueue = await onlyQueueOf(engine);
    const vars = { ENGINE: engine };
    const proxyAlone = await startAlone('proxy', vars);
    const proxy = await startInPlace('proxy', state, vars);
    const readingProxy = await startInPlace('reading-proxy', state, vars);
    try {
      const figures: Figure[] = [];
      for (const connections of CONNECTIONS) {
        const sendTo = async (origin: string, QueueUrl: string): Promise<Load> => {
          const fields = { QueueUrl, MessageBody: MESSAGE };
          const signed = await signSqs(origin, REGION, credentials, 'SendMessage', fields);
          const result = await load(origin, await bytesOf(signed), connections, LOAD_MS);
          await fetch(await signSqs(engine, REGION, credentials, 'PurgeQueue', { QueueUrl: engineQueue }));
          return result;
        };
        const measured = await interleave(rounds, {
          engine: () => sendTo(engine, engineQueue),
          'proxy alone': () => sendTo(proxyAlone.origin, engineQueue),
          proxy: () => sendTo(proxy.origin, engineQueue),
          'reading proxy': () => sendTo(readingProxy.origin, engineQueue),
          gateway: () => sendTo(stack.origin, queue),
        });
        figures.push(...figuresOf(`SendMessage, ${connections} at once`, measured));
      }
      return figures;
    } finally {
      await Promise.all([proxyAlone, proxy, readingProxy].map((worker) => worker.stop()));
    }
  },
};

type Credentials = Awaited<ReturnType<typeof newQueueCredentials>>;

async function newQueue(origin: string, credentials: Credentials): Promise<string> {
  const signed = await signSqs(origin, REGION, credentials, 'CreateQueue', {
    QueueName: crypto.randomUUID(),
  });
  return ((await (await fetch(signed)).json()) as { QueueUrl: string }).QueueUrl;
}

async function onlyQueueOf(engine: string): Promise<string> {
  const signed = await signSqs(engine, REGION, { access_key: 'any', secret_key: 'any' }, 'ListQueues', {});
  const { QueueUrls = [] } = (await (await fetch(signed)).json()) as { QueueUrls?: string[] };
  const [url] = QueueUrls;
  if (url === undefined || QueueUrls.length > 1) throw new Error('Expected one queue in the engine');
  return url;
}

type Candidate = 'engine' | 'proxy alone' | 'proxy' | 'reading proxy' | 'gateway';

function figuresOf(what: string, measured: Record<Candidate, Load[]>): Figure[] {
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
  return [
    compare('proxy alone', 'engine'),
    compare('proxy', 'engine'),
    compare('reading proxy', 'proxy'),
    compare('gateway', 'engine'),
    compare('gateway', 'proxy', '≥ 0.8'),
    compare('gateway', 'reading proxy'),
    added('engine', 'p50'),
    added('engine', 'p99'),
    added('proxy', 'p50'),
    added('proxy', 'p99'),
  ];
}
