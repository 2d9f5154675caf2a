/**
 * What actions do beside being forwarded: the inventory kept, lists answered from it, what topics need to deliver to a
 * queue, and receives that outlive a revocation. An action that is not here is forwarded and no more.
 */
import {
  addName,
  addSubscription,
  hasName,
  isSubscribed,
  type Kind,
  listDeadLetterSources,
  listNames,
  listSubscriptions,
  noteDeadLetterQueue,
  removeName,
  removeSubscription,
  type Subscription,
} from '../../db/region/inventory.ts';
import type { Call } from './call.ts';
import { EngineRefusal, GatewayError } from './errors.ts';
import {
  clientArn,
  clientQueueUrl,
  deadLetterArn,
  nameInArn,
  nameInQueueUrl,
  ownerOf,
  type Place,
  subscriptionInArn,
} from './names.ts';
import { receive } from './receive.ts';
import { type Fields, isRecord } from './shapes.ts';
import { allowDelivery, checkSubscription } from './subscribe.ts';

type Operation = (call: Call) => Promise<Fields>;

/** `service.Action` → what it does. */
export const operations: Readonly<Record<string, Operation>> = {
  'sqs.CreateQueue': async (call) => {
    const queue = { prefix: prefixOf(call, 'sqs'), name: text(call, 'QueueName') };
    const made = await creating(call, 'queues', queue.name);
    const target = deadLetterQueueOf(call);
    if (target) await noteDeadLetterQueue(call.store, queue, target);
    // A queue that was there before took its policy with it, and left its subscriptions.
    const topics = call.place.prefixes.sns;
    if (topics !== null && (await isSubscribed(call.store, queue, topics)))
      await allowDelivery(call, queue.name);
    return made;
  },
  'sqs.DeleteQueue': (call) => deleting(call, 'queues', queueOf(call)),
  'sqs.SetQueueAttributes': async (call) => {
    const answer = await call.forward();
    const target = deadLetterQueueOf(call);
    const queue = { prefix: prefixOf(call, 'sqs'), name: queueOf(call) };
    if (target !== undefined) await noteDeadLetterQueue(call.store, queue, target);
    return answer;
  },
  'sqs.ListQueues': async (call) => {
    const start = text(call, 'QueueNamePrefix');
    const page = pageOf(call, 'sqs');
    const names = await listNames(call.store, 'queues', { ...page, start });
    return queuePage(call, 'QueueUrls', names, page.limit);
  },
  'sqs.ListDeadLetterSourceQueues': async (call) => {
    const page = pageOf(call, 'sqs');
    const queue = { prefix: page.prefix, name: queueOf(call) };
    const names = await listDeadLetterSources(call.store, queue.name, page);
    if (names.length === 0 && !(await hasName(call.store, 'queues', queue)))
      throw new GatewayError('not_found');
    return queuePage(call, 'queueUrls', names, page.limit);
  },
  'sqs.ReceiveMessage': receive,
  'sns.CreateTopic': (call) => creating(call, 'topics', text(call, 'Name')),
  'sns.DeleteTopic': (call) => deleting(call, 'topics', topicOf(call)),
  'sns.ListTopics': async (call) => {
    const limit = SNS_PAGE + 1;
    const page = { prefix: prefixOf(call, 'sns'), after: text(call, 'NextToken'), limit };
    const names = await listNames(call.store, 'topics', page);
    const shown = names.slice(0, SNS_PAGE);
    return {
      Topics: shown.map((name) => ({ TopicArn: clientArn(call.place, 'sns', name) })),
      ...tokenOf(names.length > SNS_PAGE, shown.at(-1)),
    };
  },
  'sns.Subscribe': subscribing,
  'sns.Unsubscribe': (call) => {
    const { topic = '', id = '' } = subscriptionInArn(call.place, text(call, 'SubscriptionArn')) ?? {};
    const row = { prefix: prefixOf(call, 'sns'), topic, id };
    return removing(call, () => removeSubscription(call.store, row));
  },
  'sns.SetSubscriptionAttributes': async (call) => {
    const target = text(call, 'AttributeName') === 'RedrivePolicy' ? text(call, 'AttributeValue') : '';
    const queue = nameInArn(call.place, 'sqs', deadLetterArn(target) ?? '');
    if (queue !== undefined) await allowDelivery(call, queue);
    return call.forward();
  },
  'sns.ListSubscriptions': (call) => subscriptionPage(call, undefined),
  'sns.ListSubscriptionsByTopic': async (call) => {
    const topic = { prefix: prefixOf(call, 'sns'), name: topicOf(call) };
    if (!(await hasName(call.store, 'topics', topic))) throw new GatewayError('not_found');
    return subscriptionPage(call, topic.name);
  },
};

const SNS_PAGE = 100;
const SQS_PAGE = 1000;

function text({ fields }: Call, member: string): string {
  return String(fields[member] ?? '');
}

function prefixOf({ place }: Call, service: 'sqs' | 'sns'): string {
  return place.prefixes[service] ?? '';
}

function queueOf(call: Call): string {
  return nameInQueueUrl(call.place, text(call, 'QueueUrl')) ?? '';
}

function topicOf(call: Call): string {
  return nameInArn(call.place, 'sns', text(call, 'TopicArn')) ?? '';
}

/** The queue that the request names for dead letters, null when it removes that, undefined when it says nothing of it. */
function deadLetterQueueOf({ place, fields }: Call): string | null | undefined {
  const policy = isRecord(fields.Attributes) ? fields.Attributes.RedrivePolicy : undefined;
  if (typeof policy !== 'string') return undefined;
  return nameInArn(place, 'sqs', deadLetterArn(policy) ?? '') ?? null;
}

async function creating(call: Call, kind: Kind, name: string): Promise<Fields> {
  const prefix = prefixOf(call, kind === 'queues' ? 'sqs' : 'sns');
  const undo = await addName(call.store, kind, { prefix, name }, call.now);
  // It was deactivated since the request was authorised.
  if (!undo) throw new GatewayError('unknown_key');
  try {
    return await call.forward();
  } catch (error) {
    const refused =
      error instanceof EngineRefusal || (error instanceof GatewayError && error.fault !== 'unavailable');
    if (refused) await undo();
    throw error;
  }
}

function deleting(call: Call, kind: Kind, name: string): Promise<Fields> {
  const of = { prefix: prefixOf(call, kind === 'queues' ? 'sqs' : 'sns'), name };
  return removing(call, () => removeName(call.store, kind, of));
}

/** Forgets what the engine has removed, or does not have. */
async function removing(call: Call, forget: () => Promise<void>): Promise<Fields> {
  try {
    const answer = await call.forward();
    await forget();
    return answer;
  } catch (error) {
    if (error instanceof GatewayError && error.fault === 'not_found') await forget();
    throw error;
  }
}

function pageOf(call: Call, service: 'sqs' | 'sns') {
  const most = Number(call.fields.MaxResults ?? SQS_PAGE);
  if (most < 1 || most > SQS_PAGE) {
    throw new GatewayError('bad_parameter', `MaxResults must be between 1 and ${SQS_PAGE}.`);
  }
  // One more than is shown tells whether there are more.
  return { prefix: prefixOf(call, service), after: text(call, 'NextToken'), limit: most + 1 };
}

function queuePage({ place }: Call, member: string, names: readonly string[], limit: number): Fields {
  const shown = names.slice(0, limit - 1);
  return {
    [member]: shown.map((name) => clientQueueUrl(place, name)),
    ...tokenOf(names.length === limit, shown.at(-1)),
  };
}

function tokenOf(more: boolean, last: string | undefined): Fields {
  return more && last !== undefined ? { NextToken: last } : {};
}

async function subscribing(call: Call): Promise<Fields> {
  const target = checkSubscription(call);
  if (target.queue !== undefined) await allowDelivery(call, target.queue);
  if (target.deadLetterQueue !== undefined) await allowDelivery(call, target.deadLetterQueue);
  // Otherwise AWS answers without the ARN of what has yet to be confirmed, and it could not be written down.
  const answer = await call.forward({ ReturnSubscriptionArn: true });
  const made = subscriptionInArn(call.place, String(answer.SubscriptionArn));
  if (!made) throw new GatewayError('unavailable');
  // Should this fail, the subscription delivers and is in no list, until the same Subscribe comes again, which the
  // engine answers with the same ARN, or its topic is deleted.
  await addSubscription(call.store, {
    prefix: prefixOf(call, 'sns'),
    ...made,
    protocol: text(call, 'Protocol'),
    endpoint: target.queue ?? text(call, 'Endpoint'),
    queuePrefix: target.queue === undefined ? null : prefixOf(call, 'sqs'),
    createdAt: call.now,
  });
  const shown = target.queue !== undefined || call.fields.ReturnSubscriptionArn === true;
  return shown ? answer : { SubscriptionArn: 'pending confirmation' };
}

async function subscriptionPage(call: Call, topic: string | undefined): Promise<Fields> {
  const [afterTopic = '', afterId = ''] = text(call, 'NextToken').split(':');
  const found = await listSubscriptions(
    call.store,
    prefixOf(call, 'sns'),
    topic,
    [afterTopic, afterId],
    SNS_PAGE + 1,
  );
  const shown = found.slice(0, SNS_PAGE);
  const last = shown.at(-1);
  return {
    Subscriptions: shown.map((row) => presentSubscription(call.place, row)),
    ...tokenOf(found.length > SNS_PAGE, last && `${last.topic}:${last.id}`),
  };
}

function presentSubscription(place: Place, row: Subscription): Fields {
  const topicArn = clientArn(place, 'sns', row.topic);
  return {
    SubscriptionArn: `${topicArn}:${row.id}`,
    Owner: ownerOf(place),
    Protocol: row.protocol,
    Endpoint: row.queuePrefix === null ? row.endpoint : clientArn(place, 'sqs', row.endpoint),
    TopicArn: topicArn,
  };
}
