/**
 * Validates the endpoints of subscriptions: queues of the same project and, if the operator enables them, public https
 * URLs. Also grants a project's topics permission to send to a queue, which AWS requires.
 */
import type { Call } from './call.ts';
import { GatewayError } from './errors.ts';
import { deadLetterArn, engineArn, engineQueueUrl, nameInArn } from './names.ts';
import { isRecord } from './shapes.ts';
import { callEngine } from './upstream.ts';

/** The names of the queues in a subscription; undefined if there is none. */
export interface SubscriptionQueues {
  queue: string | undefined;
  deadLetterQueue: string | undefined;
}

/**
 * Validates the endpoint of a Subscribe and returns its queues. Throws a {@link GatewayError} if topics cannot deliver
 * there.
 */
export function checkSubscription({ context, fields }: Call): SubscriptionQueues {
  const endpoint = String(fields.Endpoint);
  const queue = nameInArn(context, 'sqs', endpoint);
  const permitted =
    fields.Protocol === 'sqs'
      ? queue !== undefined
      : fields.Protocol === 'https' && context.engine.httpsSubscriptions && isPublicUrl(endpoint);
  if (!permitted) {
    const https = context.engine.httpsSubscriptions
      ? ', and to https URLs with public names (Protocol https)'
      : '';
    throw new GatewayError(
      'bad_parameter',
      `Invalid parameter: topics deliver to queues of their project (Protocol sqs)${https}.`,
    );
  }
  const policy = isRecord(fields.Attributes) ? String(fields.Attributes.RedrivePolicy ?? '') : '';
  return { queue, deadLetterQueue: nameInArn(context, 'sqs', deadLetterArn(policy) ?? '') };
}

/** Names without a public address: reserved, or common in internal networks. */
const INTERNAL =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|arpa|test)\.?$/;

/**
 * Whether a URL uses https on the default port and a public host name. Prevents subscriptions to internal services by
 * name. It does not resolve the name: anyone can point a public name at a private address, so the engine must check
 * the address when it delivers.
 */
export function isPublicUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password || url.port !== '') return false;
  // The URL parser normalizes every spelling of an IPv4 address to four decimal numbers, so no address ends in a
  // letter.
  const isNamed = /^([a-z\d_-]+\.)+[a-z][a-z\d-]*[a-z\d]\.?$/.test(url.hostname);
  return isNamed && !INTERNAL.test(url.hostname);
}

/**
 * Allows every topic of the project to send to one of its queues. The policy matches topics by the prefix of their
 * activation: it does not change with each subscription and matches no other project's topics.
 */
export async function allowDelivery({ context, signal }: Call, queue: string): Promise<void> {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: engineArn(context, 'sqs', queue),
        Condition: { ArnLike: { 'aws:SourceArn': engineArn(context, 'sns', '*') } },
      },
    ],
  };
  const fields = {
    QueueUrl: engineQueueUrl(context, queue),
    Attributes: { Policy: JSON.stringify(policy) },
  };
  await callEngine(context.engine, { service: 'sqs', action: 'SetQueueAttributes', fields, signal });
}
