/**
 * Replaces the engine's names in messages that topics deliver to queues. Each is a JSON envelope that the engine
 * writes around the published message; with raw delivery there is no envelope.
 */
import { replaceStrings } from './json.ts';
import { clientTopicArn, engineArnOwner, type NameContext } from './names.ts';
import { isRecord } from './shapes.ts';

/** Values of `Type` in an envelope. */
const TYPES: ReadonlySet<unknown> = new Set([
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
]);

/**
 * Returns the message body with the client's names, or undefined if it is not an envelope of this region's engine.
 * Changes only `TopicArn`, `UnsubscribeURL` and `SubscribeURL`; every other character is preserved.
 */
export function renameNotification(context: NameContext, body: string): string | undefined {
  if (!body.includes(engineArnOwner(context, 'sns')) || !isEnvelope(context, body)) return undefined;
  return replaceStrings(body, {
    TopicArn: (arn) => clientTopicArn(context, arn) ?? '',
    UnsubscribeURL: (url) => {
      const [topic, id] = splitAtLast(parameter(url, 'SubscriptionArn'), ':');
      const topicArn = clientTopicArn(context, topic);
      return topicArn === undefined ? '' : link(context, `Unsubscribe&SubscriptionArn=${topicArn}:${id}`);
    },
    SubscribeURL: (url) => {
      const topicArn = clientTopicArn(context, parameter(url, 'TopicArn'));
      const token = parameter(url, 'Token');
      return topicArn === undefined
        ? ''
        : link(context, `ConfirmSubscription&TopicArn=${topicArn}&Token=${encodeURIComponent(token)}`);
    },
  });
}

function isEnvelope(context: NameContext, body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return (
      isRecord(value) &&
      TYPES.has(value.Type) &&
      typeof value.TopicArn === 'string' &&
      clientTopicArn(context, value.TopicArn) !== undefined
    );
  } catch {
    return false;
  }
}

function parameter(url: string, name: string): string {
  return URL.canParse(url) ? (new URL(url).searchParams.get(name) ?? '') : '';
}

function splitAtLast(text: string, separator: string): [string, string] {
  const at = Math.max(text.lastIndexOf(separator), 0);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Returns a link to a gateway action. Unlike the engine's own link, it has no effect unless it is signed. */
function link({ origin }: NameContext, action: string): string {
  return `${origin}/?Version=2010-03-31&Action=${action}`;
}
