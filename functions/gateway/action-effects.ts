/**
 * Implements the side effects of actions: maintains the inventory, lists from it, grants topics delivery to queues and
 * re-checks permissions after a receive. Actions that are not listed are only forwarded.
 */
import {
  addSubscription,
  isSubscribed,
  listDeadLetterSources,
  listNames,
  listSubscriptions,
  markMissing,
  nameExists,
  policyOf,
  type ResourceKind,
  type ResourceUpdate,
  removeName,
  removeSubscription,
  reserveName,
  type Subscription,
  updateResource,
} from '../../db/region/inventory.ts';
import type { Service } from './actions.ts';
import type { Call } from './call.ts';
import { EngineRefusal, GatewayError, notFound } from './errors.ts';
import {
  clientArn,
  clientQueueUrl,
  deadLetterArn,
  isName,
  type NameContext,
  nameInArn,
  nameInQueueUrl,
  ownerOf,
  subscriptionInArn,
  toEngine,
} from './names.ts';
import { checkPolicy } from './policy.ts';
import { receive } from './receive.ts';
import { type Fields, isRecord } from './shapes.ts';
import { allowDelivery, checkSubscription } from './subscribe.ts';
import { callEngine, MAX_REQUEST_MS } from './upstream.ts';

type Effect = (call: Call) => Promise<Fields>;

/** `service.Action` → implementation. */
export const effects: Readonly<Record<string, Effect>> = {
  'sqs.CreateQueue': async (call) => {
    const queue = { prefix: prefixOf(call, 'sqs'), name: text(call, 'QueueName') };
    const about = {
      policy: policyIn(call, queue.name),
      deadLetterQueue: deadLetterQueueOf(call) ?? undefined,
    };
    const made = await createResource(call, 'queues', queue.name, about);
    // If this queue was deleted and recreated, its policy is gone but its subscriptions remain: restore the policy.
    const topics = call.context.prefixes.sns;
    if (topics !== null && (await isSubscribed(call.regionDb, queue, topics)))
      await allowDelivery(call, queue.name);
    return made;
  },
  'sqs.DeleteQueue': (call) => deleteResource(call, 'queues', queueOf(call)),
  'sqs.SetQueueAttributes': async (call) => {
    const queue = { prefix: prefixOf(call, 'sqs'), name: queueOf(call) };
    const policy = policyIn(call, queue.name);
    const onlyPolicy = policy !== undefined && Object.keys(call.fields.Attributes ?? {}).length === 1;
    if (onlyPolicy) await ensureExists(call, queue.name);
    const answer = onlyPolicy ? {} : await call.forward();
    await updateResource(call.regionDb, 'queues', queue, {
      policy,
      deadLetterQueue: deadLetterQueueOf(call),
    });
    return answer;
  },
  'sqs.GetQueueAttributes': async (call) => {
    const answer = await call.forward();
    const asked = Array.isArray(call.fields.AttributeNames) ? call.fields.AttributeNames : [];
    if (!asked.includes('All') && !asked.includes('Policy')) return answer;
    const policy = await policyOf(call.regionDb, { prefix: prefixOf(call, 'sqs'), name: queueOf(call) });
    return policy === null ? answer : { Attributes: { ...(answer.Attributes as Fields), Policy: policy } };
  },
  'sqs.ListQueues': async (call) => {
    const start = text(call, 'QueueNamePrefix');
    const page = queuesPageOf(call);
    const names = await listNames(call.regionDb, 'queues', { ...page, start });
    return queuePage(call, 'QueueUrls', names, page.limit);
  },
  'sqs.ListDeadLetterSourceQueues': async (call) => {
    const page = queuesPageOf(call);
    const queue = { prefix: page.prefix, name: queueOf(call) };
    const names = await listDeadLetterSources(call.regionDb, queue.name, page);
    if (names.length === 0 && !(await nameExists(call.regionDb, 'queues', queue))) throw notFound('queue');
    return queuePage(call, 'queueUrls', names, page.limit);
  },
  'sqs.ReceiveMessage': receive,
  'sns.CreateTopic': (call) => createResource(call, 'topics', text(call, 'Name'), {}),
  'sns.DeleteTopic': (call) => deleteResource(call, 'topics', topicOf(call)),
  'sns.ListTopics': async (call) => {
    const limit = SNS_PAGE + 1;
    const { resources } = call.context;
    const page = {
      prefix: prefixOf(call, 'sns'),
      after: afterToken(call, 'topics', isTopic),
      limit,
      resources,
    };
    const names = await listNames(call.regionDb, 'topics', page);
    const shown = names.slice(0, SNS_PAGE);
    return {
      Topics: shown.map((name) => ({ TopicArn: clientArn(call.context, 'sns', name) })),
      ...tokenOf('topics', names.length > SNS_PAGE, shown.at(-1)),
    };
  },
  'sns.Subscribe': subscribe,
  'sns.Unsubscribe': (call) => {
    const { topic = '', id = '' } = subscriptionInArn(call.context, text(call, 'SubscriptionArn')) ?? {};
    const row = { prefix: prefixOf(call, 'sns'), topic, id };
    return removeResource(call, () => removeSubscription(call.regionDb, row));
  },
  'sns.SetSubscriptionAttributes': async (call) => {
    const target = text(call, 'AttributeName') === 'RedrivePolicy' ? text(call, 'AttributeValue') : '';
    const queue = nameInArn(call.context, 'sqs', deadLetterArn(target) ?? '');
    if (queue !== undefined) await allowDelivery(call, queue);
    return call.forward();
  },
  'sns.ListSubscriptions': (call) => subscriptionPage(call, undefined),
  'sns.ListSubscriptionsByTopic': async (call) => {
    const topic = { prefix: prefixOf(call, 'sns'), name: topicOf(call) };
    if (!(await nameExists(call.regionDb, 'topics', topic))) throw notFound('topic');
    return subscriptionPage(call, topic.name);
  },
};

const SNS_PAGE = 100;
const SQS_PAGE = 1000;

function text({ fields }: Call, member: string): string {
  return String(fields[member] ?? '');
}

/** Kind of resource → its service. */
const SERVICE_OF = { queues: 'sqs', topics: 'sns' } as const satisfies Record<ResourceKind, Service>;

function prefixOf({ context }: Call, service: Service): string {
  return context.prefixes[service] ?? '';
}

function queueOf(call: Call): string {
  return nameInQueueUrl(call.context, text(call, 'QueueUrl')) ?? '';
}

function topicOf(call: Call): string {
  return nameInArn(call.context, 'sns', text(call, 'TopicArn')) ?? '';
}

/**
 * Returns the dead-letter queue set by the request, null if the request removes it, or undefined if it does not
 * mention one.
 */
function deadLetterQueueOf({ context, fields }: Call): string | null | undefined {
  const policy = isRecord(fields.Attributes) ? fields.Attributes.RedrivePolicy : undefined;
  if (typeof policy !== 'string') return undefined;
  return nameInArn(context, 'sqs', deadLetterArn(policy) ?? '') ?? null;
}

/**
 * Returns the policy set by the request, null if the request removes it, or undefined if it does not mention one.
 * Throws if the policy is not allowed.
 */
function policyIn({ context, fields }: Call, queue: string): string | null | undefined {
  const policy = isRecord(fields.Attributes) ? fields.Attributes.Policy : undefined;
  if (typeof policy !== 'string') return undefined;
  if (policy === '') return null;
  const reason = checkPolicy(context, queue, policy);
  if (reason === undefined) return policy;
  throw new GatewayError(
    'bad_attribute_value',
    `Invalid value for the parameter Policy. Reason: ${reason} Credentials control access. A policy can only allow topics of the project to send to this queue, which they always can.`,
  );
}

/** Throws if the queue does not exist on the engine. */
async function ensureExists({ context, signal }: Call, queue: string): Promise<void> {
  const fields = { QueueName: toEngine(context, 'queueName', queue) ?? '' };
  await callEngine(context.engine, { service: 'sqs', action: 'GetQueueUrl', fields, signal });
}

/**
 * Creates a name on the engine and lists it only once the engine confirms: clients that see a name in a list skip its
 * creation. `about` is recorded with it.
 */
async function createResource(
  call: Call,
  kind: ResourceKind,
  name: string,
  about: ResourceUpdate,
): Promise<Fields> {
  const of = { prefix: prefixOf(call, SERVICE_OF[kind]), name };
  const creation = await reserveName(call.regionDb, kind, of, call.now);
  // The service was deactivated after the request was authorized.
  if (!creation) throw new GatewayError('unknown_key');
  try {
    const answer = await call.forward();
    await updateResource(call.regionDb, kind, of, {
      ...about,
      confirmed: creation.confirmed ? undefined : true,
    });
    return answer;
  } catch (error) {
    const refused =
      error instanceof EngineRefusal || (error instanceof GatewayError && error.fault !== 'unavailable');
    if (refused) await creation.undo();
    throw error;
  }
}

/**
 * Removes from the inventory the resource of a request that the engine reports as missing, left behind by an
 * interrupted creation or deletion. Names requested moments ago are kept because their creation might still be in
 * progress.
 */
export async function recordMissing({
  context,
  regionDb,
  fields,
  now,
}: Pick<Call, 'context' | 'regionDb' | 'fields' | 'now'>) {
  const { sqs, sns } = context.prefixes;
  const textOf = (member: string) => String(fields[member] ?? '');
  const missing = (kind: ResourceKind, prefix: string | null, name: string | undefined) =>
    prefix !== null && name !== undefined
      ? markMissing(regionDb, kind, { prefix, name }, now - MAX_REQUEST_MS)
      : undefined;
  await missing('queues', sqs, nameInQueueUrl(context, textOf('QueueUrl') || textOf('QueueName')));
  // With a token, the missing resource may be the token instead of the topic.
  if (fields.Token === undefined) await missing('topics', sns, nameInArn(context, 'sns', textOf('TopicArn')));
  const subscription = subscriptionInArn(context, textOf('SubscriptionArn'));
  if (sns !== null && subscription) await removeSubscription(regionDb, { prefix: sns, ...subscription });
}

function deleteResource(call: Call, kind: ResourceKind, name: string): Promise<Fields> {
  const of = { prefix: prefixOf(call, SERVICE_OF[kind]), name };
  return removeResource(call, () => removeName(call.regionDb, kind, of));
}

/**
 * Deletes on the engine, then in the inventory. Also updates the inventory if the engine reports the resource as
 * missing.
 */
async function removeResource(call: Call, forget: () => Promise<void>): Promise<Fields> {
  try {
    const answer = await call.forward();
    await forget();
    return answer;
  } catch (error) {
    if (error instanceof GatewayError && error.fault === 'not_found') await forget();
    throw error;
  }
}

function queuesPageOf(call: Call) {
  const limit = Number(call.fields.MaxResults ?? SQS_PAGE);
  if (limit < 1 || limit > SQS_PAGE) {
    throw new GatewayError('bad_parameter', `MaxResults must be between 1 and ${SQS_PAGE}.`);
  }
  // One extra row shows whether there is another page.
  const { resources } = call.context;
  return {
    prefix: prefixOf(call, 'sqs'),
    after: afterToken(call, 'queues', isQueue),
    limit: limit + 1,
    resources,
  };
}

function queuePage(
  { context, fields }: Call,
  member: string,
  names: readonly string[],
  limit: number,
): Fields {
  const shown = names.slice(0, limit - 1);
  // Like SQS, return a token only to clients that set MaxResults.
  const more = fields.MaxResults !== undefined && names.length === limit;
  return {
    [member]: shown.map((name) => clientQueueUrl(context, name)),
    ...tokenOf('queues', more, shown.at(-1)),
  };
}

/**
 * Returns the token of the next page, if any. It includes the list's name, so that a token of another list is
 * rejected.
 */
function tokenOf(list: string, more: boolean, last: string | undefined): Fields {
  return more && last !== undefined ? { NextToken: btoa(`${list} ${last}`) } : {};
}

/** Returns the position after which the requested page starts. Throws if the token is invalid. */
function afterToken(call: Call, list: string, isPlace: (after: string) => boolean): string {
  const token = text(call, 'NextToken');
  if (token === '') return '';
  let decoded = '';
  try {
    decoded = atob(token);
  } catch {}
  const after = decoded.slice(list.length + 1);
  if (decoded === `${list} ${after}` && isPlace(after)) return after;
  throw new GatewayError('bad_parameter', 'The value of NextToken is invalid.');
}

const isQueue = (name: string) => isName('sqs', name);
const isTopic = (name: string) => isName('sns', name);
const isSubscription = (place: string) => {
  const [topic = '', id = '', ...more] = place.split(':');
  return isTopic(topic) && id !== '' && more.length === 0;
};

async function subscribe(call: Call): Promise<Fields> {
  const target = checkSubscription(call);
  if (target.queue !== undefined) await allowDelivery(call, target.queue);
  if (target.deadLetterQueue !== undefined) await allowDelivery(call, target.deadLetterQueue);
  // By default AWS omits the ARN of an unconfirmed subscription, and it could not be recorded.
  const answer = await call.forward({ ReturnSubscriptionArn: true });
  const made = subscriptionInArn(call.context, String(answer.SubscriptionArn));
  if (!made) throw new GatewayError('unavailable');
  // If this fails, the subscription delivers but is not listed until the client repeats the Subscribe, for which the
  // engine returns the same ARN, or until its topic is deleted.
  await addSubscription(call.regionDb, {
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
  const [afterTopic = '', afterId = ''] = afterToken(call, 'subscriptions', isSubscription).split(':');
  const found = await listSubscriptions(call.regionDb, prefixOf(call, 'sns'), topic, [afterTopic, afterId], {
    limit: SNS_PAGE + 1,
    resources: call.context.resources,
  });
  const shown = found.slice(0, SNS_PAGE);
  const last = shown.at(-1);
  return {
    Subscriptions: shown.map((row) => presentSubscription(call.context, row)),
    ...tokenOf('subscriptions', found.length > SNS_PAGE, last && `${last.topic}:${last.id}`),
  };
}

function presentSubscription(context: NameContext, row: Subscription): Fields {
  const topicArn = clientArn(context, 'sns', row.topic);
  return {
    SubscriptionArn: `${topicArn}:${row.id}`,
    Owner: ownerOf(context),
    Protocol: row.protocol,
    Endpoint: row.queuePrefix === null ? row.endpoint : clientArn(context, 'sqs', row.endpoint),
    TopicArn: topicArn,
  };
}
