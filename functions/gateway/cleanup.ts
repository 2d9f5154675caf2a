/**
 * Deletes from the engine what deactivated services left there: queues with their messages, topics with their
 * subscriptions, and subscriptions to deleted queues. It can be interrupted at any point and restarted from the
 * beginning, because deletions are idempotent. Its state is the region's `deactivations` table and inventory.
 */
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import {
  type Deactivation,
  deleteFinishedDeactivation,
  listDeactivations,
  listLeftovers,
} from '../../db/region/deactivations.ts';
import { removeName, removeSubscription } from '../../db/region/inventory.ts';
import type { Engine, Region } from '../shared/env.ts';
import { runJob, shuffled } from '../shared/jobs.ts';
import type { Service } from './actions.ts';
import { EngineRefusal, GatewayError } from './errors.ts';
import { engineArn, engineQueueUrl, type NameContext } from './names.ts';
import { callEngine, type EngineRequest, MAX_REQUEST_MS } from './upstream.ts';

const BATCH_SIZE = 200;
const CONCURRENCY = 6;

/**
 * Cleans up after the deactivations of one project's product, or after all if `of` is undefined, until `deadline`
 * (milliseconds since the epoch). Resolves to whether nothing is left to clean up. Never rejects because of the
 * engine.
 */
export async function cleanUp(
  { engine, name, database }: Region,
  of: { projectId: string; product: Service } | undefined,
  deadline: number,
): Promise<boolean> {
  const regionDb = openDatabase(database);
  const ended = await listDeactivations(regionDb, of, BATCH_SIZE);
  if (!engine) return ended.length === 0;
  let done = ended.length < BATCH_SIZE;
  for (const deactivation of shuffled(ended)) {
    // A failure is logged and does not stop the others.
    const well = await runJob(`clean up ${deactivation.prefix}`, name, async () => {
      const cleaned = await cleanUpOne({ regionDb, engine, region: name }, deactivation, deadline);
      done = done && cleaned;
    });
    done = done && well;
  }
  return done;
}

interface RegionEngine {
  regionDb: Database;
  engine: Engine;
  region: string;
}

async function cleanUpOne(where: RegionEngine, ended: Deactivation, deadline: number): Promise<boolean> {
  // A creation authorized before the deactivation can reach the engine after it. Until that is no longer possible,
  // names are deleted from the engine but kept in the inventory, so that the next run deletes them again.
  const settled = Date.now() - ended.since >= MAX_REQUEST_MS;
  for (;;) {
    const removals = await listRemovals(where, ended);
    if (removals.length === 0) return deleteFinishedDeactivation(where.regionDb, ended.prefix);
    const removed = await removeAll(where.engine, removals, deadline, settled);
    if (!removed || !settled) return false;
  }
}

/** A deletion on the engine, followed by one in the inventory. */
interface Removal {
  request: EngineRequest;
  removeFromInventory: () => Promise<void>;
}

async function listRemovals(
  { regionDb, engine, region }: RegionEngine,
  ended: Deactivation,
): Promise<Removal[]> {
  const { prefix, projectId } = ended;
  const { queues, topics, subscriptions } = await listLeftovers(regionDb, prefix, BATCH_SIZE);
  const at = (prefixes: NameContext['prefixes']): NameContext => ({
    origin: '',
    region,
    projectId,
    prefixes,
    resources: null,
    engine,
  });
  const own = at({ sqs: prefix, sns: prefix });
  return [
    ...queues.map((name) => ({
      request: {
        service: 'sqs' as const,
        action: 'DeleteQueue',
        fields: { QueueUrl: engineQueueUrl(own, name) },
      },
      removeFromInventory: () => removeName(regionDb, 'queues', { prefix, name }),
    })),
    ...topics.map((name) => ({
      request: {
        service: 'sns' as const,
        action: 'DeleteTopic',
        fields: { TopicArn: engineArn(own, 'sns', name) },
      },
      removeFromInventory: () => removeName(regionDb, 'topics', { prefix, name }),
    })),
    ...subscriptions.map((row) => {
      const arn = `${engineArn(at({ sqs: null, sns: row.prefix }), 'sns', row.topic)}:${row.id}`;
      return {
        request: { service: 'sns' as const, action: 'Unsubscribe', fields: { SubscriptionArn: arn } },
        removeFromInventory: () => removeSubscription(regionDb, row),
      };
    }),
  ];
}

async function removeAll(
  engine: Engine,
  removals: readonly Removal[],
  deadline: number,
  settled: boolean,
): Promise<boolean> {
  const waiting = [...removals];
  let gone = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && Date.now() <= deadline; next = waiting.shift()) {
      const outcome = await remove(engine, next.request, deadline);
      if (outcome === 'unavailable') return;
      // Continue with the rest: the next run starts with the same names, so one that the engine refuses to delete must
      // not block the others.
      if (outcome === 'refused') continue;
      if (settled) await next.removeFromInventory();
      gone++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return gone === removals.length;
}

/** Deletes one resource. Resolves to `unavailable` if further deletions would probably fail too. */
async function remove(
  engine: Engine,
  request: EngineRequest,
  deadline: number,
): Promise<'gone' | 'refused' | 'unavailable'> {
  const signal = AbortSignal.timeout(Math.max(deadline - Date.now(), 1));
  try {
    await callEngine(engine, { ...request, signal });
    return 'gone';
  } catch (error) {
    if (error instanceof EngineRefusal) return 'refused';
    return error instanceof GatewayError && error.fault === 'not_found' ? 'gone' : 'unavailable';
  }
}
