/**
 * Presets of NATS roles: the subjects that common tasks need. They are data for forms and pages; the API takes subjects.
 * Each was run with real clients on each supported line of nats-server.
 */
import type { RoleDefinition } from './role-template.ts';

/** What a preset asks for. `subjects` is a list, the others are one name each. */
export type PresetParameter = 'subjects' | 'stream' | 'consumer' | 'bucket';

/**
 * Subjects with placeholders: `{SUBJECTS}` for each of the subjects, `{STREAM}`, `{CONSUMER}`, `{BUCKET}`, and `{INBOX}`
 * for where the client receives replies.
 */
export interface Preset {
  id: string;
  label: string;
  parameters: readonly PresetParameter[];
  /** Empty for none. */
  publish: readonly string[];
  /** Empty for none. */
  subscribe: readonly string[];
  responses?: RoleDefinition['responses'];
  /** What clients with the role can do. */
  allows: string;
  /** What else they can do, which subjects cannot prevent. */
  cannotPrevent: string;
}

const INBOX = '{INBOX}';

/** What reading a stream through consumers of the client's own needs. */
const readerOf = (stream: string) => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.INFO.${stream}.*`,
  `$JS.API.CONSUMER.DELETE.${stream}.*`,
  `$JS.FC.${stream}.>`,
];

/** What reading single messages of a stream needs. */
const directReaderOf = (stream: string) => [
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
];

const KV_READ = [...readerOf('KV_{BUCKET}'), ...directReaderOf('KV_{BUCKET}')];

/** `$JS.API.STREAM.NAMES` is how clients find the stream of a subject. */
const OBJECT_READ = [
  ...readerOf('OBJ_{BUCKET}'),
  ...directReaderOf('OBJ_{BUCKET}'),
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
];

const DELETES_CONSUMERS =
  'It can delete consumers that others have on the stream, so do not use it on a work queue.';

const SHOWS_STREAMS = 'It can see the names of all streams of the account.';

/** Every preset, in the order to show them in. */
export const PRESETS: readonly Preset[] = [
  {
    id: 'publish',
    label: 'Publish to a subject',
    parameters: ['subjects'],
    publish: ['{SUBJECTS}'],
    subscribe: [],
    allows: 'Publish to the subjects.',
    cannotPrevent: 'It receives no acknowledgement, even if a stream stores the messages.',
  },
  {
    id: 'subscribe',
    label: 'Subscribe to a subject',
    parameters: ['subjects'],
    publish: [],
    subscribe: ['{SUBJECTS}'],
    allows: 'Receive the messages on the subjects.',
    cannotPrevent: 'It can join any queue group on the subjects and take messages from the other members.',
  },
  {
    id: 'requester',
    label: 'Send requests',
    parameters: ['subjects'],
    publish: ['{SUBJECTS}'],
    subscribe: [INBOX],
    allows: 'Send requests to the subjects and receive the replies.',
    cannotPrevent: 'A request can name any reply subject, and the reply goes there.',
  },
  {
    id: 'service',
    label: 'Reply to requests',
    parameters: ['subjects'],
    publish: [],
    subscribe: ['{SUBJECTS}', '$SRV.>'],
    responses: { max: 1, ttl_seconds: 5 },
    allows:
      'Receive requests on the subjects and send one reply to each within 5 seconds. Includes service discovery.',
    cannotPrevent: 'A reply goes to any subject that the request names.',
  },
  {
    id: 'stream-publish',
    label: 'Publish to a stream',
    parameters: ['subjects'],
    publish: ['{SUBJECTS}'],
    subscribe: [INBOX],
    allows: 'Publish to the subjects of a stream, with acknowledgements.',
    cannotPrevent: 'A message can name any reply subject, and the acknowledgement goes there.',
  },
  {
    id: 'consumer-pull',
    label: 'Pull from a consumer',
    parameters: ['stream', 'consumer'],
    publish: [
      '$JS.API.CONSUMER.INFO.{STREAM}.{CONSUMER}',
      '$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}',
      '$JS.ACK.{STREAM}.{CONSUMER}.>',
      '$JS.ACK.*.*.{STREAM}.{CONSUMER}.>',
    ],
    subscribe: [INBOX],
    allows: 'Pull and acknowledge messages of one existing consumer.',
    cannotPrevent: 'It can acknowledge messages that the consumer delivered to others.',
  },
  {
    id: 'stream-read',
    label: 'Read a stream',
    parameters: ['stream'],
    publish: [...readerOf('{STREAM}'), '$JS.API.CONSUMER.MSG.NEXT.{STREAM}.*'],
    subscribe: [INBOX],
    allows: 'Read a stream with ordered and push consumers of its own.',
    cannotPrevent: DELETES_CONSUMERS,
  },
  {
    id: 'kv-read',
    label: 'Read a key-value bucket',
    parameters: ['bucket'],
    publish: KV_READ,
    subscribe: [INBOX],
    allows: 'Get, list and watch the keys of a bucket.',
    cannotPrevent: 'It can delete consumers that others have on the bucket, which ends their watches.',
  },
  {
    id: 'kv-write',
    label: 'Read and write a key-value bucket',
    parameters: ['bucket'],
    publish: [...KV_READ, '$KV.{BUCKET}.>'],
    subscribe: [INBOX],
    allows:
      'Get, list, watch, put and delete the keys of a bucket. To empty the whole bucket at once, a client also needs `$JS.API.STREAM.PURGE.KV_{BUCKET}`.',
    cannotPrevent:
      'It can delete and overwrite every key, and delete consumers that others have on the bucket.',
  },
  {
    id: 'object-read',
    label: 'Read an object store',
    parameters: ['bucket'],
    publish: OBJECT_READ,
    subscribe: [INBOX],
    allows: 'Get, list and watch the objects of a store.',
    cannotPrevent: `${SHOWS_STREAMS} It can delete consumers that others have on the store.`,
  },
  {
    id: 'object-write',
    label: 'Read and write an object store',
    parameters: ['bucket'],
    publish: [...OBJECT_READ, '$O.{BUCKET}.>', '$JS.API.STREAM.PURGE.OBJ_{BUCKET}'],
    subscribe: [INBOX],
    allows: 'Get, list, watch, put and delete the objects of a store.',
    cannotPrevent: `${SHOWS_STREAMS} It can delete every object, also all at once, and consumers that others have on the store.`,
  },
];

/** Where clients receive replies: the default, which shows the replies to other users too, or an inbox per user. */
export const INBOXES = {
  shared: '_INBOX.>',
  /** Requires that the client's inbox prefix is `_INBOX.<public key of the user>`. */
  private: '_INBOX.{{subject()}}.>',
} as const;

/** The values of a preset's parameters. */
export interface PresetValues {
  subjects?: readonly string[];
  stream?: string;
  consumer?: string;
  bucket?: string;
}

/** Returns the permissions of a role from a preset. Throws if a parameter has no value. */
export function permissionsOf(
  preset: Preset,
  values: PresetValues,
  inbox: keyof typeof INBOXES,
): Pick<RoleDefinition, 'publish' | 'subscribe' | 'responses'> {
  const named: Record<string, string | undefined> = {
    STREAM: values.stream,
    CONSUMER: values.consumer,
    BUCKET: values.bucket,
    INBOX: INBOXES[inbox],
  };
  const fill = (pattern: string): readonly string[] => {
    if (pattern === '{SUBJECTS}') return values.subjects ?? missing(preset, 'SUBJECTS');
    return [pattern.replace(/\{([A-Z]+)\}/g, (_all, name: string) => named[name] ?? missing(preset, name))];
  };
  return {
    publish: { allow: preset.publish.flatMap(fill), deny: [] },
    subscribe: { allow: preset.subscribe.flatMap(fill), deny: [] },
    responses: preset.responses,
  };
}

function missing({ id }: Preset, name: string): never {
  throw new Error(`the preset ${id} requires a value for ${name}`);
}
