/** How the AWS SDK handles each error, in each protocol: its name, its status, and whether it retries. */
import { CreateTopicCommand, PublishBatchCommand, PublishCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Reply } from './fake-engine.ts';
import { type Credentials, newCredentials, snsClient, sqsClient } from './gateway-clients.ts';
import { snsReply, useFakeEngine } from './gateway-fake.ts';
import { api } from './local-stack.ts';

const faked = await useFakeEngine();
const { engine, local } = faked;
let managing: Record<'sqs' | 'sns', Credentials>;
let credentials: Credentials;

beforeAll(async () => {
  const may = { can_manage: true };
  managing = {
    sqs: await newCredentials(local, 'sqs', may, { region: 'nl-ams' }),
    sns: await newCredentials(local, 'sns', may, { region: 'nl-ams' }),
  };
  credentials = faked.credentials.sqs;
});

const PROTOCOLS = ['sqs json', 'sqs query', 'sns'] as const;
type Protocol = (typeof PROTOCOLS)[number];

/** A request in the SDK's middleware. */
type Sent = { headers: Record<string, string>; body: string };

/** The cause of an error. Without any, the request sends a message and succeeds. */
interface Cause {
  credentials?: (service: 'sqs' | 'sns') => Partial<Credentials>;
  sessionToken?: string;
  /** Another command: its class for SQS and for SNS, with an input for each. */
  command?: () => [object, object];
  /** Changes the request before it is signed, keeping its length. */
  unsigned?: (request: Sent) => void;
  /** Changes the request after it is signed. */
  signed?: (request: Sent) => void;
  engine?: (protocol: Protocol) => Reply;
}

const inSqs = (protocol: Protocol) => protocol !== 'sns';
const sending = (message: string | undefined): [object, object] => [
  new SendMessageCommand({ QueueUrl: faked.queueUrl, MessageBody: message }),
  new PublishCommand({ TopicArn: faked.topicArn, Message: message }),
];

/** The engine's response to an accepted message. */
function taken(protocol: Protocol): Reply {
  if (!inSqs(protocol)) return snsReply('Publish', '<MessageId>m</MessageId>');
  const sent = { MessageId: 'm', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' };
  return { status: 200, body: JSON.stringify(sent) };
}

/** The engine's response to a rejected message. */
const refusal = (code: string) => (protocol: Protocol) => ({
  status: 400,
  body: inSqs(protocol)
    ? JSON.stringify({ __type: `a#${code}`, message: 'x' })
    : `<ErrorResponse><Error><Code>${code}</Code><Message>x</Message></Error></ErrorResponse>`,
});

/** Sends a request with the SDK's default number of attempts. */
async function outcomeOf(protocol: Protocol, cause: Cause) {
  const service = inSqs(protocol) ? 'sqs' : 'sns';
  const own = { ...faked.credentials[service], ...cause.credentials?.(service) };
  const settings = { maxAttempts: 3, ...(cause.sessionToken && { sessionToken: cause.sessionToken }) };
  // The used members exist in both kinds of client.
  const client = (
    service === 'sqs'
      ? sqsClient(local, own, protocol === 'sqs json' ? 'json' : 'query', settings)
      : snsClient(local, own, settings)
  ) as SQSClient;
  const altering =
    (alter: (request: Sent) => void) =>
    (next: (args: never) => Promise<never>) =>
    (args: { request: Sent }) => {
      alter(args.request);
      return next(args as never);
    };
  if (cause.unsigned)
    client.middlewareStack.add(altering(cause.unsigned) as never, { step: 'build', priority: 'low' });
  if (cause.signed)
    client.middlewareStack.add(altering(cause.signed) as never, { step: 'deserialize', priority: 'low' });
  engine.reply = () => (cause.engine ?? taken)(protocol);
  const [ofSqs, ofSns] = (cause.command ?? (() => sending('x')))();
  const seen = (name: string, { httpStatusCode = 0, attempts = 0 }) => [name, httpStatusCode, attempts];
  type Answer = { $metadata: { httpStatusCode?: number; attempts?: number } };
  return client.send((service === 'sqs' ? ofSqs : ofSns) as SendMessageCommand).then(
    (response) => seen('ok', response.$metadata),
    (error: Error & Answer) => seen(error.name, error.$metadata),
  );
}

type Names = [json: string, query: string, sns: string];
type Expected = [names: string | Names, status: number | [sqs: number, sns: number], attempts: number];

const CAUSES: [string, Cause, ...Expected][] = [
  ['nothing', {}, 'ok', 200, 1],
  [
    'an access key that nobody has',
    { credentials: () => ({ access_key: 'LKEYunknownunknown00' }) },
    'InvalidClientTokenId',
    403,
    1,
  ],
  ['a session token', { sessionToken: 'x' }, 'InvalidClientTokenId', 403, 1],
  ['another secret key', { credentials: () => ({ secret_key: 'x' }) }, 'SignatureDoesNotMatch', 403, 1],
  ['another region', { credentials: () => ({ region: 'us-east-1' }) }, 'SignatureDoesNotMatch', 403, 1],
  [
    'no signature',
    { signed: ({ headers }) => delete headers.authorization },
    ['AccessDenied', 'AccessDenied', 'MissingAuthenticationToken'],
    403,
    1,
  ],
  [
    'half a signature',
    {
      signed: ({ headers }) => {
        headers.authorization = String(headers.authorization).replace(/, *Signature=.*/, '');
      },
    },
    'IncompleteSignature',
    400,
    1,
  ],
  [
    'a permission that is missing',
    { credentials: (service) => managing[service] },
    ['AccessDenied', 'AccessDenied', 'AuthorizationErrorException'],
    403,
    1,
  ],
  [
    'an action that does not exist',
    {
      unsigned: (request) => {
        if (request.headers['x-amz-target']) request.headers['x-amz-target'] = 'AmazonSQS.Nothing';
        request.body = request.body.replace('=SendMessage', '=SendNothing').replace('=Publish', '=Nothing');
      },
    },
    'InvalidAction',
    400,
    1,
  ],
  [
    'what cannot be read',
    {
      unsigned: (request) => {
        request.body = request.body.startsWith('{')
          ? '{'.repeat(request.body.length)
          : request.body.replace('Version=2', 'Action=xx');
      },
    },
    ['MalformedInput', 'MalformedInput', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'a message without a text',
    { command: () => sending(undefined) },
    ['MissingParameter', 'MissingParameter', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'a name that cannot be one',
    {
      command: () => [new CreateQueueCommand({ QueueName: 'a b' }), new CreateTopicCommand({ Name: 'a b' })],
      credentials: (service) => managing[service],
    },
    ['InvalidParameterValue', 'InvalidParameterValue', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'an attribute that cannot be set',
    {
      command: () => [
        new CreateQueueCommand({ QueueName: 'a', Attributes: { KmsMasterKeyId: 'k' } }),
        new CreateTopicCommand({ Name: 'a', Attributes: { Policy: '{}' } }),
      ],
      credentials: (service) => managing[service],
    },
    ['InvalidAttributeName', 'InvalidAttributeName', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'an attribute’s value that cannot be set',
    {
      command: () => [
        new CreateQueueCommand({ QueueName: 'a', Attributes: { Policy: '{}' } }),
        new CreateTopicCommand({ Name: 'a', Attributes: { Policy: '{}' } }),
      ],
      credentials: (service) => managing[service],
    },
    ['InvalidAttributeValue', 'InvalidAttributeValue', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'a batch without entries',
    {
      command: () => [
        new SendMessageBatchCommand({ QueueUrl: faked.queueUrl, Entries: undefined }),
        new PublishBatchCommand({ TopicArn: faked.topicArn, PublishBatchRequestEntries: [] }),
      ],
    },
    ['EmptyBatchRequest', 'EmptyBatchRequest', 'EmptyBatchRequestException'],
    400,
    1,
  ],
  [
    'a list as the value of a message attribute',
    {
      command: () => [
        new SendMessageCommand({
          QueueUrl: faked.queueUrl,
          MessageBody: 'x',
          MessageAttributes: { a: { DataType: 'String', StringListValues: ['b'] } },
        }),
        new PublishCommand({ PhoneNumber: '+33600000000', Message: 'x' }),
      ],
    },
    ['UnsupportedOperation', 'UnsupportedOperation', 'InvalidParameterException'],
    400,
    1,
  ],
  [
    'entries of a batch that have one id',
    { engine: refusal('BatchEntryIdsNotDistinct') },
    ['BatchEntryIdsNotDistinct', 'BatchEntryIdsNotDistinct', 'BatchEntryIdsNotDistinctException'],
    400,
    1,
  ],
  [
    'a queue or topic that there is not',
    { engine: (protocol) => refusal(inSqs(protocol) ? 'QueueDoesNotExist' : 'NotFound')(protocol) },
    ['QueueDoesNotExist', 'QueueDoesNotExist', 'NotFoundException'],
    [400, 404],
    1,
  ],
  [
    'a body that is too large',
    { command: () => sending('x'.repeat(4_300_000)) },
    'RequestEntityTooLarge',
    413,
    1,
  ],
  ['what the engine refuses', { engine: refusal('KindOfWrong') }, 'KindOfWrong', 400, 1],
  [
    'an engine that has too much to do',
    { engine: refusal('ThrottlingException') },
    ['RequestThrottled', 'RequestThrottled', 'ThrottledException'],
    [403, 429],
    3,
  ],
  [
    'an engine that talks nonsense',
    { engine: () => ({ status: 200, body: '' }) },
    'ServiceUnavailable',
    503,
    3,
  ],
];

describe.each(PROTOCOLS)('over %s, the SDK', (protocol) => {
  const at = PROTOCOLS.indexOf(protocol);

  it.each(CAUSES)(
    'gets the documented name, status and number of attempts for %s',
    async (_what, cause, names, statuses, attempts) => {
      const name = typeof names === 'string' ? names : names[at];
      const status = typeof statuses === 'number' ? statuses : statuses[inSqs(protocol) ? 0 : 1];
      expect(await outcomeOf(protocol, cause)).toEqual([name, status, attempts]);
      const unavailable = name === 'ServiceUnavailable';
      expect(local.logged.splice(0)).toHaveLength(unavailable ? attempts : 0);
      // The gateway itself never retries: the engine gets as many requests as the SDK sends.
      if (cause.engine) expect(engine.sent).toHaveLength(attempts);
    },
  );

  it('retries internal errors of Latchkey', async () => {
    // After any change, the guard reads the row again.
    for (const [product, { id }] of Object.entries(faked.credentials))
      await api(local, 'PATCH', `/mnq/v1beta1/regions/nl-ams/${product}-credentials/${id}`, {
        name: protocol,
      });
    const database = await local.stack.database('REGION_NL_AMS');
    await database.prepare('alter table credentials rename column permissions to hidden').run();
    try {
      expect(await outcomeOf(protocol, {})).toEqual(['InternalFailure', 500, 3]);
    } finally {
      await database.prepare('alter table credentials rename column hidden to permissions').run();
    }
    const logged = local.logged.splice(0);
    expect(logged.filter((line) => line.includes('"gateway":true'))).toHaveLength(3);
  });

  it('corrects a wrong client clock', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    try {
      expect(await outcomeOf(protocol, {})).toEqual(['ok', 200, 2]);
    } finally {
      vi.useRealTimers();
    }
  });
});

it('each kind of signature error has its own code', async () => {
  const errorOf = async (alter: (headers: Headers) => void, accessKeyId = credentials.access_key) => {
    const client = new AwsClient({
      accessKeyId,
      secretAccessKey: credentials.secret_key,
      region: 'nl-ams',
      service: 'sqs',
    });
    const headers = {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': 'AmazonSQS.ListQueues',
    };
    const signed = await client.sign(`${local.stack.origin}/`, { method: 'POST', headers, body: '{}' });
    const altered = new Headers(signed.headers);
    alter(altered);
    const response = await fetch(`${local.stack.origin}/`, { method: 'POST', headers: altered, body: '{}' });
    return [response.status, response.headers.get('x-amzn-query-error')?.split(';')[0]];
  };
  const authorization = (change: (text: string) => string) => (headers: Headers) =>
    headers.set('Authorization', change(headers.get('Authorization') ?? ''));
  expect(await errorOf(() => {})).toEqual([200, undefined]);
  expect(await errorOf(() => {}, 'LKEYunknownunknown00')).toEqual([403, 'InvalidClientTokenId']);
  expect(await errorOf((headers) => headers.delete('Authorization'))).toEqual([403, 'AccessDenied']);
  expect(
    await errorOf(authorization((text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0'))),
  ).toEqual([403, 'SignatureDoesNotMatch']);
  expect(await errorOf(authorization((text) => text.replace(/, Signature=.*/, '')))).toEqual([
    400,
    'IncompleteSignature',
  ]);
  expect(await errorOf((headers) => headers.set('X-Amz-Security-Token', 'x'))).toEqual([
    403,
    'InvalidClientTokenId',
  ]);
  expect(await errorOf((headers) => headers.set('X-Amz-Date', '20200101T000000Z'))).toEqual([
    400,
    'IncompleteSignature',
  ]);
});
