/**
 * What a topic may deliver to: queues of its own project and, where the operator has opted in, public https URLs. Also
 * gives a project's topics the right to send to a queue, which AWS as the engine asks for.
 */
import type { Call } from './call.ts';
import { GatewayError } from './errors.ts';
import { deadLetterArn, engineArn, engineQueueUrl, nameInArn } from './names.ts';
import { isRecord } from './shapes.ts';
import { callEngine } from './upstream.ts';

/** The queues that a subscription involves, by their names; undefined where there is none. */
export interface Target {
  queue: string | undefined;
  deadLetterQueue: string | undefined;
}

/** Checks what a Subscribe delivers to. Throws a {@link GatewayError} when topics may not deliver there. */
export function checkSubscription({ place, fields }: Call): Target {
  const endpoint = String(fields.Endpoint);
  const queue = nameInArn(place, 'sqs', endpoint);
  const permitted =
    fields.Protocol === 'sqs'
      ? queue !== undefined
      : fields.Protocol === 'https' && place.engine.httpsSubscriptions && isPublicUrl(endpoint);
  if (!permitted) {
    const https = place.engine.httpsSubscriptions
      ? ', and to https URLs with public names (Protocol https)'
      : '';
    throw new GatewayError(
      'bad_parameter',
      `Invalid parameter: topics deliver to queues of their project (Protocol sqs)${https}.`,
    );
  }
  const policy = isRecord(fields.Attributes) ? String(fields.Attributes.RedrivePolicy ?? '') : '';
  return { queue, deadLetterQueue: nameInArn(place, 'sqs', deadLetterArn(policy) ?? '') };
}

/** Names that lead to nobody's public address: reserved, or customary inside a network. */
const INTERNAL =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|arpa|test)\.?$/;

/**
 * Whether a URL is https on its usual port and names its host by a public name. Where that name leads to is the engine's
 * to check when it delivers: anyone can give a name of theirs a private address.
 */
export function isPublicUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password || url.port !== '') return false;
  // URL writes every IPv4 address, however it was spelt, as four decimal numbers: no address has a letter at its end.
  const isNamed = /^([a-z\d_-]+\.)+[a-z][a-z\d-]*[a-z\d]\.?$/.test(url.hostname);
  return isNamed && !INTERNAL.test(url.hostname);
}

/**
 * Lets every topic of the project send to one of its queues. The policy names topics by the prefix of their activation,
 * so that it need not change with each subscription, and no other project's topic is among them.
 */
export async function allowDelivery({ place, signal }: Call, queue: string): Promise<void> {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: engineArn(place, 'sqs', queue),
        Condition: { ArnLike: { 'aws:SourceArn': engineArn(place, 'sns', '*') } },
      },
    ],
  };
  const fields = {
    QueueUrl: engineQueueUrl(place, queue),
    Attributes: { Policy: JSON.stringify(policy) },
  };
  await callEngine(place.engine, { service: 'sqs', action: 'SetQueueAttributes', fields, signal });
}
