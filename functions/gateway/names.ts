/**
 * Translates names of queues, topics and subscriptions between the client, which sees only its project, and the
 * engine, where every name starts with the prefix of the project's activation. Translation is pure; a name that is
 * malformed or outside the project has no translation.
 *
 *     client   <origin>/project-<project id>/<name>            arn:scw:sqs:<region>:project-<project id>:<name>
 *     engine   <endpoint>/<account>/<prefix><name>             arn:aws:sqs:<region>:<account>:<prefix><name>
 */
import { randomBase62, randomBytes } from '../shared/bytes.ts';
import type { Engine } from '../shared/env.ts';
import type { Service } from './actions.ts';
import { isRecord, type Reference } from './shapes.ts';

/** The project and the engine between which names are translated. */
export interface NameContext {
  /** `https://host[:port]` of the request. */
  origin: string;
  region: string;
  projectId: string;
  /** The prefix of each service's activation; null if the service is not active. */
  prefixes: Readonly<Record<Service, string | null>>;
  /** Patterns of the queues and topics that the credentials can name: {@link matches}. Null for all. */
  resources: readonly string[] | null;
  engine: Engine;
}

/** Whether a name matches a pattern: a name, or the start of names followed by `*`. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Length of a prefix. All prefixes have the same length, so that none is the beginning of another. */
export const PREFIX_LENGTH = 10;

/** Returns the letters that every prefix of a region starts with: `frpar` for `fr-par`. */
export function prefixLetters(region: string): string {
  return region.replaceAll('-', '');
}

/**
 * Returns a new prefix for an activation's names on its engine: 10 characters of `[0-9A-Za-z]`. It starts with the
 * region's letters because several regions can share an engine that separates queues by name only. The random rest is
 * short, so the database must check that the prefix is free.
 */
export function newServicePrefix(region: string): string {
  const letters = prefixLetters(region);
  return letters + randomBase62(PREFIX_LENGTH - letters.length, randomBytes);
}

/** Maximum length of a queue's (`sqs`) or topic's (`sns`) name, without the prefix. */
export const MAX_LENGTH: Record<Service, number> = { sqs: 80 - PREFIX_LENGTH, sns: 256 - PREFIX_LENGTH };
const NAME = /^[A-Za-z0-9_-]+(\.fifo)?$/;
const SUBSCRIPTION_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Whether the name is valid for a queue (`sqs`) or topic (`sns`). */
export function isName(service: Service, name: string): boolean {
  return NAME.test(name) && name.length <= MAX_LENGTH[service];
}

/** Returns the client's account name, used in ARNs, URLs and as owner. */
export function ownerOf({ projectId }: Pick<NameContext, 'projectId'>): string {
  return `project-${projectId}`;
}

/** Returns the ARN that clients see. */
export function clientArn(
  place: Pick<NameContext, 'region' | 'projectId'>,
  service: Service,
  name: string,
): string {
  return `${clientArnStart(place, service)}${name}`;
}

/** Returns the queue URL that clients see. */
export function clientQueueUrl(place: Pick<NameContext, 'origin' | 'projectId'>, name: string): string {
  return `${place.origin}/${ownerOf(place)}/${name}`;
}

/** Returns the ARN on the engine; `name` can be a pattern. Throws if the service is not active. */
export function engineArn(context: NameContext, service: Service, name: string): string {
  return `${engineArnStart(context, service)}${name}`;
}

/** Returns the queue URL on the engine. Throws if the service is not active. */
export function engineQueueUrl(context: NameContext, name: string): string {
  return `${context.engine.sqsEndpoint}/${context.engine.account}/${prefixOf(context, 'sqs')}${name}`;
}

/**
 * Returns the name in a client's ARN of a queue or topic of this project, or undefined. For topics of this project the
 * engine's own ARN is also accepted: https deliveries come directly from the engine, and clients confirm a
 * subscription with the ARN in them.
 */
export function nameInArn(context: NameContext, service: Service, arn: string): string | undefined {
  const name = nameAfter(context, clientArnStart(context, service), service, arn);
  if (name !== undefined || service !== 'sns' || context.prefixes.sns === null) return name;
  return nameAfter(context, engineArnStart(context, 'sns'), 'sns', arn);
}

/**
 * Returns the client's ARN for an engine's topic ARN, or undefined if it is not an ARN of this region on this engine.
 * The prefix can be that of an earlier activation, because messages in a queue outlive the activation of their topic.
 * The result always names this project whatever the prefix, so it reveals nothing about other projects.
 */
export function clientTopicArn(context: NameContext, arn: string): string | undefined {
  const start = `${engineArnOwner(context, 'sns')}${prefixLetters(context.region)}`;
  const end = engineArnOwner(context, 'sns').length + PREFIX_LENGTH;
  const random = arn.slice(start.length, end);
  const name = arn.slice(end);
  return arn.startsWith(start) && /^[0-9A-Za-z]+$/.test(random) && isName('sns', name)
    ? clientArn(context, 'sns', name)
    : undefined;
}

/**
 * Returns the name in a client's queue URL, or undefined if it is not in this project. Accepts any origin, the path
 * alone, a trailing slash and, like SQS, the bare name.
 */
export function nameInQueueUrl(context: NameContext, url: string): string | undefined {
  if (isName('sqs', url)) return canName(context, url) ? url : undefined;
  const [, path = ''] = /^(?:https?:\/\/[^/?#\\]+)?(\/.*?)\/?$/.exec(url) ?? [];
  return nameAfter(context, `/${ownerOf(context)}/`, 'sqs', path);
}

/** Returns the topic and id in a client's subscription ARN, or undefined. */
export function subscriptionInArn(
  context: NameContext,
  arn: string,
): { topic: string; id: string } | undefined {
  const at = arn.lastIndexOf(':');
  const topic = nameInArn(context, 'sns', arn.slice(0, Math.max(at, 0)));
  const id = arn.slice(at + 1);
  return topic !== undefined && SUBSCRIPTION_ID.test(id) ? { topic, id } : undefined;
}

function nameAfter(context: NameContext, start: string, service: Service, text: string): string | undefined {
  const name = text.slice(start.length);
  return text.startsWith(start) && isName(service, name) && canName(context, name) ? name : undefined;
}

/** Whether the credentials can name this queue or topic. */
function canName({ resources }: NameContext, name: string): boolean {
  return resources === null || resources.some((pattern) => matches(pattern, name));
}

function prefixOf({ prefixes }: NameContext, service: Service): string {
  const prefix = prefixes[service];
  if (prefix === null) throw new Error(`The service ${service} is not active`);
  return prefix;
}

function clientArnStart(place: Pick<NameContext, 'region' | 'projectId'>, service: Service): string {
  return `arn:scw:${service}:${place.region}:${ownerOf(place)}:`;
}

function engineArnStart(context: NameContext, service: Service): string {
  return `${engineArnOwner(context, service)}${prefixOf(context, service)}`;
}

/** Returns the prefix that all ARNs of a service on this engine share. */
export function engineArnOwner({ engine }: Pick<NameContext, 'engine'>, service: Service): string {
  return `arn:${engine.partition}:${service}:${engine.region}:${engine.account}:`;
}

/** Translates a client's reference for the engine. Returns undefined if it names nothing in this project. */
export function toEngine(context: NameContext, kind: Reference, text: string): string | undefined {
  const active = (service: Service) => context.prefixes[service] !== null;
  switch (kind) {
    case 'queueName':
    case 'topicName': {
      const service = kind === 'queueName' ? 'sqs' : 'sns';
      return isName(service, text) && canName(context, text) ? prefixOf(context, service) + text : undefined;
    }
    case 'queueUrl': {
      const name = nameInQueueUrl(context, text);
      return name === undefined ? undefined : engineQueueUrl(context, name);
    }
    case 'queueArn':
    case 'topicArn': {
      const service = kind === 'queueArn' ? 'sqs' : 'sns';
      const name = active(service) ? nameInArn(context, service, text) : undefined;
      return name === undefined ? undefined : engineArn(context, service, name);
    }
    case 'subscriptionArn': {
      const found = subscriptionInArn(context, text);
      return found && `${engineArn(context, 'sns', found.topic)}:${found.id}`;
    }
    case 'endpoint':
      return /^https?:/.test(text) ? text : toEngine(context, 'queueArn', text);
    case 'redrivePolicy':
      return renameRedrivePolicy(text, (arn) => toEngine(context, 'queueArn', arn));
    case 'owner':
      return text === ownerOf(context) ? context.engine.account : undefined;
    case 'policy':
    case 'prose':
      return undefined;
  }
}

/** The engine returns this instead of the ARN while a subscription is unconfirmed. */
export const PENDING = /^pending confirmation$/i;

/** Translates an engine's reference for the client. Returns undefined if it names nothing in this project. */
export function toClient(context: NameContext, kind: Reference, text: string): string | undefined {
  switch (kind) {
    case 'queueName':
      return nameAfter(context, prefixOf(context, 'sqs'), 'sqs', text);
    case 'topicName':
      return nameAfter(context, prefixOf(context, 'sns'), 'sns', text);
    case 'queueUrl': {
      // Engines differ in what precedes the name.
      const name = toClient(context, 'queueName', text.slice(text.lastIndexOf('/') + 1));
      return name === undefined ? undefined : clientQueueUrl(context, name);
    }
    case 'queueArn':
    case 'topicArn': {
      const service = kind === 'queueArn' ? 'sqs' : 'sns';
      if (context.prefixes[service] === null) return undefined;
      const name = nameAfter(context, engineArnStart(context, service), service, text);
      return name === undefined ? undefined : clientArn(context, service, name);
    }
    case 'subscriptionArn': {
      if (PENDING.test(text)) return text;
      const at = text.lastIndexOf(':');
      const topic = toClient(context, 'topicArn', text.slice(0, at));
      return topic === undefined ? undefined : topic + text.slice(at);
    }
    case 'endpoint':
      return /^https?:/.test(text) ? text : toClient(context, 'queueArn', text);
    case 'redrivePolicy':
      return renameRedrivePolicy(text, (arn) => toClient(context, 'queueArn', arn));
    case 'owner':
      return ownerOf(context);
    case 'policy':
      return undefined;
    case 'prose':
      return redactEngineNames(context, text);
  }
}

/**
 * Returns the engine's message, or a generic one if it contains the engine's names, so that those are never disclosed.
 */
export function redactEngineNames({ engine, prefixes }: NameContext, text: string): string {
  const own = [prefixes.sqs, prefixes.sns, engine.account, engine.accessKeyId].filter(
    (name) => name !== null,
  );
  const hosts = [engine.sqsEndpoint, engine.snsEndpoint].map((endpoint) => new URL(endpoint).host);
  return [...own, ...hosts].some((name) => text.includes(name)) ? 'The request was refused.' : text;
}

/** Returns the dead-letter queue's ARN in a redrive policy, or undefined if the policy is empty or malformed. */
export function deadLetterArn(text: string): string | undefined {
  try {
    const policy: unknown = JSON.parse(text);
    return isRecord(policy) && typeof policy.deadLetterTargetArn === 'string'
      ? policy.deadLetterTargetArn
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Copies only the two known members of a redrive policy. An empty policy, which removes the redrive policy, stays
 * empty.
 */
function renameRedrivePolicy(text: string, rename: (arn: string) => string | undefined): string | undefined {
  if (/^\s*(\{\s*\}\s*)?$/.test(text)) return text.trim();
  const arn = rename(deadLetterArn(text) ?? '');
  if (arn === undefined) return undefined;
  const { maxReceiveCount } = JSON.parse(text) as { maxReceiveCount?: unknown };
  const count = ['number', 'string'].includes(typeof maxReceiveCount) ? { maxReceiveCount } : {};
  return JSON.stringify({ deadLetterTargetArn: arn, ...count });
}
