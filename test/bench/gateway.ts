/**
 * What the gateway costs. The same SendMessage takes turns to the engine directly, through a Worker that forwards blindly,
 * through one that also reads the row of the access key first, where the gateway stands (the same static assets and
 * databases around it), and through the gateway. The last two tell what of the gateway's cost is its own code, and what
 * is the local runtime's one read of D1, which is the price of a revocation that holds for the very next request.
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

/** See this file's head. */
export const gateway: Area = {
  name: 'gateway',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const engine = stack.engines.get(REGION)?.url ?? '';
    const credentials = await newQueueCredentials(stack, REGION);
    const queue = await newQueue(stack.origin, credentials);
    const engineQueue = await onlyQueueOf(engine);
    const proxy = await startAlone('proxy', { ENGINE: engine });
    const readingProxy = await startInPlace('reading-proxy', state, { ENGINE: engine });
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
          proxy: () => sendTo(proxy.origin, engineQueue),
          'reading proxy': () => sendTo(readingProxy.origin, engineQueue),
          gateway: () => sendTo(stack.origin, queue),
        });
        figures.push(...figuresOf(`SendMessage, ${connections} at once`, measured));
      }
      return figures;
    } finally {
      await Promise.all([proxy.stop(), readingProxy.stop()]);
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
  if (url === undefined || QueueUrls.length > 1) throw new Error('The engine was to have one queue');
  return url;
}

type Candidate = 'engine' | 'proxy' | 'reading proxy' | 'gateway';

function figuresOf(what: string, measured: Record<Candidate, Load[]>): Figure[] {
  type Key = 'perSecond' | keyof Latency;
  const all = (of: Candidate, key: Key) =>
    key === 'perSecond' ? measured[of].map((load) => load[key]) : latencyOf(measured[of])[key];
  const compare = (of: Candidate, to: Candidate, key: Key, aim?: string): Figure => ({
    measure: `${what}: ${of}`,
    unit: key === 'perSecond' ? '/s' : `ms ${key}`,
    values: all(of, key),
    baseline: { of: to, values: all(to, key) },
    aim,
  });
  return [
    compare('proxy', 'engine', 'perSecond'),
    compare('reading proxy', 'proxy', 'perSecond'),
    compare('gateway', 'engine', 'perSecond'),
    compare('gateway', 'proxy', 'perSecond', '≥ 0.8'),
    compare('gateway', 'reading proxy', 'perSecond'),
    compare('gateway', 'reading proxy', 'p50'),
    compare('gateway', 'reading proxy', 'p99'),
  ];
}
