/** Behavior of the local stack's engine that matches SQS and SNS although fauxqs does not, through the AWS SDK. */
import {
  CreateTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  type SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcome } from './gateway-clients.ts';
import { rawClients } from './gateway-raw.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let sqs: SQSClient;
let sns: SNSClient;

beforeAll(async () => {
  ({ sqs, sns } = await rawClients(local));
});

const arnOf = (name: string) => `arn:scw:sqs:fr-par:project-${local.owner.project_id}:${name}`;
const newQueue = async (QueueName: string, Attributes = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl as string;
const newTopic = async (Name: string) =>
  (await sns.send(new CreateTopicCommand({ Name }))).TopicArn as string;
const receive = async (QueueUrl: string) => {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
  return (await sqs.send(command)).Messages ?? [];
};

it('a message can contain characters beyond U+FFFF, but none that SQS rejects', async () => {
  const QueueUrl = await newQueue('emoji');
  const text = 'été 😀 𝒜 \u{10ffff}';
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: text }));
  const Entries = [
    { Id: 'a', MessageBody: text },
    { Id: 'b', MessageBody: 'bell \u0007' },
  ];
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect([sent.Successful?.map(({ Id }) => Id), sent.Failed?.map(({ Id }) => Id)]).toEqual([['a'], ['b']]);
  expect((await receive(QueueUrl)).map(({ Body }) => Body)).toEqual([text, text]);
  expect(await outcome(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '\u0007' })))).toBe(
    'InvalidMessageContents',
  );
});

it('a delay beyond 900 seconds is rejected, for one message and in a batch', async () => {
  const QueueUrl = await newQueue('delay');
  for (const DelaySeconds of [901, -1])
    expect(
      await outcome(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds }))),
    ).toBe('InvalidParameterValue');
  const entry = (Id: string, DelaySeconds: number) => ({ Id, MessageBody: Id, DelaySeconds });
  const send = async (...Entries: object[]) => {
    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: Entries as never }));
    return [sent.Successful?.map(({ Id }) => Id), sent.Failed?.map(({ Id, Code }) => [Id, Code])];
  };
  const failed = [['late', 'InvalidParameterValue']];
  expect(await send(entry('now', 0), entry('late', 901))).toEqual([['now'], failed]);
  expect(await send(entry('late', 901))).toEqual([undefined, failed]);
  expect((await receive(QueueUrl)).map(({ Body }) => Body)).toEqual(['now']);
});

it('an invalid receipt handle is rejected, and a used one is accepted', async () => {
  const QueueUrl = await newQueue('handles');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  const [{ ReceiptHandle = '' } = {}] = await receive(QueueUrl);
  const remove = (handle: string) =>
    outcome(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle })));
  expect([await remove('junk'), await remove(ReceiptHandle), await remove(ReceiptHandle)]).toEqual([
    'ReceiptHandleIsInvalid',
    'ok',
    'ok',
  ]);
  const change = { QueueUrl, ReceiptHandle: 'junk', VisibilityTimeout: 1 };
  expect(await outcome(sqs.send(new ChangeMessageVisibilityCommand(change)))).toBe('ReceiptHandleIsInvalid');
  const Entries = ['junk', ReceiptHandle].map((handle, at) => ({ Id: `${at}`, ReceiptHandle: handle }));
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  expect([deleted.Successful, deleted.Failed?.map(({ Id, Code }) => [Id, Code])]).toEqual([
    [{ Id: '1' }],
    [['0', 'ReceiptHandleIsInvalid']],
  ]);
});

it('the dead-letter queue must exist', async () => {
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('nowhere'), maxReceiveCount: 3 });
  await expect(newQueue('dying', { RedrivePolicy })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  const QueueUrl = await newQueue('dying');
  const set = () => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
  expect(await outcome(set())).toBe('InvalidParameterValue');
  await newQueue('nowhere');
  expect(await outcome(set())).toBe('ok');
});

describe('an SNS subscription', () => {
  it('can be repeated without attributes or with the same ones, but not with others', async () => {
    await newQueue('again');
    const TopicArn = await newTopic('again');
    const subscribe = (Attributes?: Record<string, string>) =>
      sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('again'), Attributes }));
    const { SubscriptionArn } = await subscribe({ RawMessageDelivery: 'true' });
    for (const same of [
      undefined,
      {},
      { RawMessageDelivery: 'True' },
      { FilterPolicyScope: 'MessageAttributes' },
    ])
      expect((await subscribe(same)).SubscriptionArn).toBe(SubscriptionArn);
    for (const other of [{ RawMessageDelivery: 'false' }, { FilterPolicy: '{"a":["b"]}' }])
      expect(await outcome(subscribe(other))).toBe('InvalidParameterException');
  });

  it('with a filter policy that is not a JSON object is rejected', async () => {
    await newQueue('filtered');
    const TopicArn = await newTopic('filtered');
    const subscribe = (FilterPolicy: string) =>
      sns.send(
        new SubscribeCommand({
          TopicArn,
          Protocol: 'sqs',
          Endpoint: arnOf('filtered'),
          Attributes: { RawMessageDelivery: 'true', FilterPolicy },
        }),
      );
    for (const policy of ['{"a":', 'x', '[]', '7'])
      expect(await outcome(subscribe(policy)), policy).toBe('InvalidParameterException');
    const { SubscriptionArn } = await subscribe('{"a":["b"]}');
    const set = (AttributeValue: string) =>
      sns.send(
        new SetSubscriptionAttributesCommand({
          SubscriptionArn,
          AttributeName: 'FilterPolicy',
          AttributeValue,
        }),
      );
    expect(await outcome(set('{'))).toBe('InvalidParameterException');
    expect(await outcome(set('{"a":["c"]}'))).toBe('ok');
  });

  it('receives the queue text of a message with one text for each protocol', async () => {
    const QueueUrl = await newQueue('each');
    const TopicArn = await newTopic('each');
    const Attributes = { RawMessageDelivery: 'true' };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('each'), Attributes }));
    const message = (texts: object) => ({ Message: JSON.stringify(texts), MessageStructure: 'json' });
    const publish = (texts: object) => sns.send(new PublishCommand({ TopicArn, ...message(texts) }));
    await publish({ default: 'a', sqs: 'b', http: 'c' });
    await publish({ default: 'd' });
    const PublishBatchRequestEntries = [{ Id: '1', ...message({ default: 'e', sqs: 'f' }) }];
    await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
    expect((await receive(QueueUrl)).map(({ Body }) => Body).sort()).toEqual(['b', 'd', 'f']);
    expect(await outcome(publish({ sqs: 'b' }))).toBe('InvalidParameterException');
  });
});
