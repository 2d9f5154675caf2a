/**
 * The messages that a topic delivers to a queue: JSON that the engine wrote around what was published, with the engine's
 * names in it. Puts the project's names in their place. With raw delivery there is no such envelope.
 */
import { replaceStrings } from './json.ts';
import { clientTopicArn, engineArnOwner, type Place } from './names.ts';
import { isRecord } from './shapes.ts';

/** The values of `Type` in an envelope. */
const TYPES: ReadonlySet<unknown> = new Set([
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
]);

/**
 * Returns the body of a message with the project's names in place of the engine's, or undefined when there is nothing to
 * replace: it is not an envelope, or not one of this region's engine. Only `TopicArn`, `UnsubscribeURL` and
 * `SubscribeURL` change, and the rest stays as it is, character by character.
 */
export function renameNotification(place: Place, body: string): string | undefined {
  if (!body.includes(engineArnOwner(place, 'sns')) || !isEnvelope(place, body)) return undefined;
  return replaceStrings(body, {
    TopicArn: (arn) => clientTopicArn(place, arn) ?? '',
    UnsubscribeURL: (url) => {
      const [topic, id] = splitAtLast(parameter(url, 'SubscriptionArn'), ':');
      const topicArn = clientTopicArn(place, topic);
      return topicArn === undefined ? '' : link(place, `Unsubscribe&SubscriptionArn=${topicArn}:${id}`);
    },
    SubscribeURL: (url) => {
      const topicArn = clientTopicArn(place, parameter(url, 'TopicArn'));
      const token = parameter(url, 'Token');
      return topicArn === undefined
        ? ''
        : link(place, `ConfirmSubscription&TopicArn=${topicArn}&Token=${encodeURIComponent(token)}`);
    },
  });
}

function isEnvelope(place: Place, body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return (
      isRecord(value) &&
      TYPES.has(value.Type) &&
      typeof value.TopicArn === 'string' &&
      clientTopicArn(place, value.TopicArn) !== undefined
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

/** A request to the gateway as a link. Unlike the engine's own link, it does nothing unless it is signed. */
function link({ origin }: Place, action: string): string {
  return `${origin}/?Version=2010-03-31&Action=${action}`;
}
