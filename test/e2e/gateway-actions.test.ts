/**
 * Every action of SQS and SNS with every set of permissions, in every protocol: from the AWS SDK through the Worker
 * to the engine. The expectations come from the table of actions, so that new actions are tested. Also checks that
 * the engine receives only what the AWS policy on the page "Connect your queue engine" grants.
 */
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Action, actions, type Service } from '../../functions/gateway/actions.ts';
import { PERMISSIONS, toApiPermissions } from '../../functions/shared/permissions.ts';
import { neededRights, rightTo } from '../../site/src/build/engine-policy.ts';
import { startEngineRecorder } from './engine-recorder.ts';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  outcome,
  revoke,
  type SqsProtocol,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const recorder = await startEngineRecorder();

const local = useStack({ vars: recorder.vars });
afterAll(() => recorder.stop());

/** Bits → credentials with these permissions; 0 → revoked ones, because credentials need at least one permission. */
const credentialsByBits: Record<Service, Credentials[]> = { sqs: [], sns: [] };
const SETS = [0, 1, 2, 3, 4, 5, 6, 7];

let manager: sqs.SQSClient;
let publisher: sns.SNSClient;

beforeAll(async () => {
  await activate(local, 'fr-par', local.owner.project_id);
  for (const service of ['sqs', 'sns'] as const) {
    for (const bits of SETS)
      credentialsByBits[service].push(
        await newCredentials(local, service, bits ? toApiPermissions(bits) : ALL),
      );
    await revoke(local, service, credentialsByBits[service][0] as Credentials);
  }
  manager = sqsClient(local, credentialsByBits.sqs[7] as Credentials);
  publisher = snsClient(local, credentialsByBits.sns[7] as Credentials);
});

const freshName = () => `name-${crypto.randomUUID()}`;

async function newQueue(): Promise<string> {
  const { QueueUrl } = await manager.send(new sqs.CreateQueueCommand({ QueueName: freshName() }));
  return QueueUrl as string;
}

const arnOf = (queueUrl: string) =>
  `arn:scw:sqs:fr-par:project-${local.owner.project_id}:${queueUrl.split('/').at(-1)}`;

/** Creates a queue with a received message. */
async function received() {
  const QueueUrl = await newQueue();
  await manager.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: 'body' }));
  const { Messages = [] } = await manager.send(new sqs.ReceiveMessageCommand({ QueueUrl }));
  return { QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle ?? '' };
}

async function newTopic() {
  const { TopicArn } = await publisher.send(new sns.CreateTopicCommand({ Name: freshName() }));
  return { TopicArn: TopicArn as string };
}

async function newSubscription() {
  const topic = await newTopic();
  const Endpoint = arnOf(await newQueue());
  const made = await publisher.send(new sns.SubscribeCommand({ ...topic, Protocol: 'sqs', Endpoint }));
  return { ...topic, SubscriptionArn: made.SubscriptionArn as string };
}

const queue = async () => ({ QueueUrl: await newQueue() });
const of = async (made: Promise<{ TopicArn: string }>) => ({ ResourceArn: (await made).TopicArn });

/** `service.Action` → an input that succeeds with permission. Rejected actions need none. */
const inputs: Record<string, () => object | Promise<object>> = {
  'sqs.CreateQueue': () => ({
    QueueName: freshName(),
    Attributes: { DelaySeconds: '0' },
    tags: { team: 'a' },
  }),
  'sqs.DeleteQueue': queue,
  'sqs.PurgeQueue': queue,
  'sqs.SetQueueAttributes': async () => ({ ...(await queue()), Attributes: { VisibilityTimeout: '5' } }),
  'sqs.ListQueues': () => ({ QueueNamePrefix: 'name', MaxResults: 5 }),
  'sqs.GetQueueUrl': async () => ({ QueueName: (await newQueue()).split('/').at(-1) }),
  'sqs.GetQueueAttributes': async () => ({ ...(await queue()), AttributeNames: ['All'] }),
  'sqs.SendMessage': async () => ({ ...(await queue()), MessageBody: 'body' }),
  'sqs.SendMessageBatch': async () => ({
    ...(await queue()),
    Entries: [{ Id: 'a', MessageBody: 'body' }],
  }),
  'sqs.ReceiveMessage': queue,
  'sqs.DeleteMessage': received,
  'sqs.DeleteMessageBatch': async () => {
    const { QueueUrl, ReceiptHandle } = await received();
    return { QueueUrl, Entries: [{ Id: 'a', ReceiptHandle }] };
  },
  'sqs.ChangeMessageVisibility': async () => ({ ...(await received()), VisibilityTimeout: 9 }),
  'sqs.ChangeMessageVisibilityBatch': async () => {
    const { QueueUrl, ReceiptHandle } = await received();
    return { QueueUrl, Entries: [{ Id: 'a', ReceiptHandle, VisibilityTimeout: 9 }] };
  },
  'sqs.ListDeadLetterSourceQueues': queue,
  'sqs.TagQueue': async () => ({ ...(await queue()), Tags: { team: 'a' } }),
  'sqs.UntagQueue': async () => ({ ...(await queue()), TagKeys: ['team'] }),
  'sqs.ListQueueTags': queue,
  'sns.CreateTopic': () => ({ Name: freshName(), Attributes: { DisplayName: 'a' } }),
  'sns.DeleteTopic': newTopic,
  'sns.SetTopicAttributes': async () => ({
    ...(await newTopic()),
    AttributeName: 'DisplayName',
    AttributeValue: 'b',
  }),
  'sns.GetTopicAttributes': newTopic,
  'sns.ListTopics': () => ({}),
  'sns.Publish': async () => ({ ...(await newTopic()), Message: 'message' }),
  'sns.PublishBatch': async () => ({
    ...(await newTopic()),
    PublishBatchRequestEntries: [{ Id: 'a', Message: 'message' }],
  }),
  'sns.Subscribe': async () => ({
    ...(await newTopic()),
    Protocol: 'sqs',
    Endpoint: arnOf(await newQueue()),
    Attributes: { RawMessageDelivery: 'true' },
  }),
  // The engine's token is the subscription's ARN, which clients do not have: the gateway rejects it as a token.
  'sns.ConfirmSubscription': async () => ({ ...(await newTopic()), Token: 'a' }),
  'sns.Unsubscribe': newSubscription,
  'sns.GetSubscriptionAttributes': newSubscription,
  'sns.SetSubscriptionAttributes': async () => ({
    ...(await newSubscription()),
    AttributeName: 'RawMessageDelivery',
    AttributeValue: 'true',
  }),
  'sns.ListSubscriptions': () => ({}),
  'sns.ListSubscriptionsByTopic': newTopic,
  'sns.TagResource': async () => ({ ...(await of(newTopic())), Tags: [{ Key: 'a', Value: 'b' }] }),
  'sns.UntagResource': async () => ({ ...(await of(newTopic())), TagKeys: ['a'] }),
  'sns.ListTagsForResource': () => of(newTopic()),
};

/** The error of a permitted action that cannot succeed here. */
const EXPECTED_ERRORS: Record<string, string> = { 'sns.ConfirmSubscription': 'InvalidParameterException' };

type Sender = { send(command: unknown): Promise<unknown> };

function clientOf(service: Service, bits: number, protocol: SqsProtocol): Sender {
  const credentials = credentialsByBits[service][bits] as Credentials;
  const client = service === 'sqs' ? sqsClient(local, credentials, protocol) : snsClient(local, credentials);
  return client as Sender;
}

function expected(service: Service, name: string, { requires }: Action, bits: number): string {
  if (bits === 0) return 'InvalidClientTokenId';
  const permitted =
    requires === 'authenticated' ||
    (requires !== 'refused' &&
      PERMISSIONS.some(({ bit, apiName }) => requires.includes(apiName) && (bits & bit) !== 0));
  if (permitted) return EXPECTED_ERRORS[`${service}.${name}`] ?? 'ok';
  return service === 'sqs' ? 'AccessDenied' : 'AuthorizationErrorException';
}

describe.each<[Service, SqsProtocol]>([
  ['sqs', 'json'],
  ['sqs', 'query'],
  ['sns', 'query'],
])('permissions for %s over %s', (service, protocol) => {
  it.each(Object.entries(actions[service]))(
    '%s is allowed or denied by each set of permissions',
    async (name, action) => {
      const commands = (service === 'sqs' ? sqs : sns) as unknown as Record<
        string,
        new (
          input: object,
        ) => object
      >;
      const Command = commands[`${name}Command`];
      if (!Command) throw new Error(`The SDK has no ${name}`);
      const input = action.requires === 'refused' ? () => ({}) : inputs[`${service}.${name}`];
      if (!input) throw new Error(`There is no input for ${service}.${name}`);
      const seen = await Promise.all(
        SETS.map(async (bits) => {
          const command = new Command(await input());
          return outcome(clientOf(service, bits, protocol).send(command));
        }),
      );
      expect(seen).toEqual(SETS.map((bits) => expected(service, name, action, bits)));
    },
  );
});

it('the AWS policy grants exactly the actions that the engine received', () => {
  const sent = [...recorder.sent].map((name) => {
    const [service = '', action = ''] = name.split('.');
    return rightTo(service as Service, action);
  });
  expect([...new Set(sent)].sort()).toEqual([...neededRights('sns'), ...neededRights('sqs')]);
});
