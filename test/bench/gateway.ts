/**
 * What the gateway costs: the same SendMessage to the engine directly, through a Worker that forwards blindly, and
 * through the gateway, taking turns. The engine is the local stack's, one Node process; beside it stands one that only
 * answers, so that it is seen how much of a figure is the engine's.
 */
import type { Area, Figure } from './area.ts';
import { newQueueCredentials, signSqs } from './client.ts';
import { bytesOf, type Load, load } from './load.ts';
import { interleave } from './rounds.ts';
import { startBenchWorker } from './worker.ts';

const REGION = 'fr-par';
const CONNECTIONS = [1, 16];
const LOAD_MS = 1500;
const MESSAGE = 'x'.repeat(256);

/** See this file's head. */
export const gateway: Area = {
  name: 'gateway',
  async measure({ rounds, stack: start }) {
    const stack = await start();
    const engine = stack.engines.get(REGION)?.url ?? '';
    const proxy = await startBenchWorker('proxy', { bindings: { ENGINE: engine } });
    try {
      const credentials = await newQueueCredentials(stack, REGION);
      const made = await fetch(
        await signSqs(stack.origin, REGION, credentials, 'CreateQueue', { QueueName: 'measured' }),
      );
      const { QueueUrl } = (await made.json()) as { QueueUrl: string };
      const engineQueue = await engineQueueUrl(engine);
      const figures: Figure[] = [];
      for (const connections of CONNECTIONS) {
        const sendTo = async (origin: string, queue: string): Promise<Load> => {
          const signed = await signSqs(origin, REGION, credentials, 'SendMessage', {
            QueueUrl: queue,
            MessageBody: MESSAGE,
          });
          const result = await load(origin, await bytesOf(signed), connections, LOAD_MS);
          await fetch(await signSqs(engine, REGION, credentials, 'PurgeQueue', { QueueUrl: engineQueue }));
          return result;
        };
        const measured = await interleave(rounds, {
          engine: () => sendTo(engine, engineQueue),
          proxy: () => sendTo(proxy.origin, engineQueue),
          gateway: () => sendTo(stack.origin, QueueUrl),
        });
        figures.push(...figuresOf(`SendMessage, ${connections} at once`, measured));
      }
      return figures;
    } finally {
      await proxy.stop();
    }
  },
};

async function engineQueueUrl(engine: string): Promise<string> {
  const signed = await signSqs(engine, REGION, { access_key: 'x', secret_key: 'x' }, 'ListQueues', {});
  const { QueueUrls } = (await (await fetch(signed)).json()) as { QueueUrls: string[] };
  return QueueUrls[0] ?? '';
}

type Candidate = 'engine' | 'proxy' | 'gateway';

function figuresOf(what: string, measured: Record<Candidate, Load[]>): Figure[] {
  const compare = (of: Candidate, to: Candidate, key: keyof Load, aim?: string): Figure => ({
    measure: `${what}: ${of}`,
    unit: key === 'perSecond' ? '/s' : `ms ${key}`,
    values: measured[of].map((load) => load[key]),
    baseline: { of: to, values: measured[to].map((load) => load[key]) },
    aim,
  });
  return [
    compare('proxy', 'engine', 'perSecond'),
    compare('gateway', 'engine', 'perSecond'),
    compare('gateway', 'proxy', 'perSecond', '≥ 0.8'),
    compare('gateway', 'proxy', 'p50'),
    compare('gateway', 'proxy', 'p99'),
  ];
}
