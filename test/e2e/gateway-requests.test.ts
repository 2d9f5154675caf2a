/** Variants of requests that clients of SQS and SNS use: alternative names, policies, and omitted empty members. */
import {
  CreateTopicCommand,
  type MessageAttributeValue,
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
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcome } from './gateway-clients.ts';
import { type Raw, rawClients } from './gateway-raw.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let sqs: SQSClient;
let sns: SNSClient;
let queueUrl: string;
let topicArn: string;
let json: Raw['json'];
let query: Raw['query'];

beforeAll(async () => {
  ({ sqs, sns, queueUrl, topicArn, json, query } = await rawClients(local));
});

const queueArn = (name: string) => `arn:scw:sqs:fr-par:project-${local.owner.project_id}:${name}`;
const receive = (QueueUrl: string) =>
  sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));

it.each<[string, () => string]>([
  ['its bare name', () => 'bare'],
  ['its URL with a trailing slash', () => `${queueUrl.replace(/mine$/, 'bare')}/`],
])('every action accepts a queue by %s', async (_what, of) => {
  await sqs.send(new CreateQueueCommand({ QueueName: 'bare' }));
  const QueueUrl = of();
  const Entries = [{ Id: 'a', MessageBody: 'b' }];
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const { Messages: [first, second] = [] } = await receive(QueueUrl);
  const { ReceiptHandle } = first ?? {};
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 60 }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  const handles = [{ Id: 'a', ReceiptHandle: second?.ReceiptHandle }];
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
  expect(deleted.Successful).toHaveLength(1);
  await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { a: 'b' } }));
  expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ a: 'b' });
  await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['a'] }));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '1' } }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn', 'DelaySeconds'] }),
  );
  expect(Attributes).toEqual({ QueueArn: queueArn('bare'), DelaySeconds: '1' });
  expect((await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }))).queueUrls).toEqual([]);
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  expect(await outcome(sqs.send(new GetQueueUrlCommand({ QueueName: 'bare' })))).toBe('QueueDoesNotExist');
});

it('GetQueueUrl accepts the project as the owner, and finds nothing for another owner', async () => {
  const urlOf = (QueueOwnerAWSAccountId: string) =>
    sqs.send(new GetQueueUrlCommand({ QueueName: 'mine', QueueOwnerAWSAccountId }));
  expect((await urlOf(`project-${local.owner.project_id}`)).QueueUrl).toBe(queueUrl);
  for (const owner of ['123456789012', '000000000000', `project-${crypto.randomUUID()}`])
    expect(await outcome(urlOf(owner))).toBe('QueueDoesNotExist');
});

it('Publish accepts a topic as TargetArn, but not two topics', async () => {
  const published = await sns.send(new PublishCommand({ TargetArn: topicArn, Message: 'x' }));
  expect(published.MessageId).toBeTruthy();
  const TargetArn = topicArn.replace(/mine$/, 'other');
  expect(await outcome(sns.send(new PublishCommand({ TargetArn, Message: 'x' })))).toBe('NotFoundException');
  const both = new PublishCommand({ TopicArn: topicArn, TargetArn: topicArn, Message: 'x' });
  expect(await outcome(sns.send(both))).toBe('InvalidParameterException');
});

it('a message attribute of a list type is rejected, not dropped', async () => {
  for (const list of [{ StringListValues: ['b'] }, { BinaryListValues: [new Uint8Array([1])] }]) {
    const MessageAttributes = { a: { DataType: 'String', ...list } as MessageAttributeValue };
    const Entries = [{ Id: 'a', MessageBody: 'x', MessageAttributes }];
    expect(
      await outcome(
        sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'x', MessageAttributes })),
      ),
    ).toBe('UnsupportedOperation');
    expect(await outcome(sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries })))).toBe(
      'UnsupportedOperation',
    );
  }
  const parameters = 'MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String';
  const body = `Action=SendMessage&QueueUrl=${queueUrl}&MessageBody=x&${parameters}&MessageAttribute.1.Value.StringListValue.1=b`;
  expect(await (await query('sqs', body)).text()).toContain('AWS.SimpleQueueService.UnsupportedOperation');
});

it('a JSON response omits empty members', async () => {
  await sqs.send(new CreateQueueCommand({ QueueName: 'empty' }));
  const jsonBody = async (action: string, fields: object) =>
    (await json(action, JSON.stringify({ QueueUrl: 'empty', ...fields }))).json() as Promise<object>;
  const sent = await jsonBody('SendMessageBatch', { Entries: [{ Id: 'a', MessageBody: 'b' }] });
  expect(Object.keys(sent)).toEqual(['Successful']);
  const failed = await jsonBody('DeleteMessageBatch', { Entries: [{ Id: 'a', ReceiptHandle: 'junk' }] });
  expect(Object.keys(failed)).toEqual(['Failed']);
  expect(await jsonBody('ListQueueTags', {})).toEqual({});
  await jsonBody('PurgeQueue', {});
  expect(await jsonBody('ReceiveMessage', {})).toEqual({});
});

it('an empty redrive policy of a subscription, {} or an empty string, removes it', async () => {
  await sqs.send(new CreateQueueCommand({ QueueName: 'redriven' }));
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'redriven' }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn('redriven') }),
  );
  for (const AttributeValue of ['{}', '', ' { } ']) {
    const set = { SubscriptionArn, AttributeName: 'RedrivePolicy', AttributeValue };
    expect(await outcome(sns.send(new SetSubscriptionAttributesCommand(set)))).toBe('ok');
  }
});

describe('a queue policy', () => {
  const policyFor = (queue: string, topic: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: queueArn(queue),
          Condition: { ArnEquals: { 'aws:SourceArn': topic } },
        },
      ],
    });
  const attributesOf = async (QueueUrl: string, AttributeNames: ('All' | 'Policy' | 'QueueArn')[]) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;

  it('that lets topics deliver, as in SQS setup code, is accepted and returned', async () => {
    const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'policed' }))).QueueUrl as string;
    const Policy = policyFor('policed', topicArn);
    expect(await attributesOf(QueueUrl, ['Policy'])).toBeUndefined();
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    await sns.send(
      new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn('policed') }),
    );
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: 'a' }));
    expect((await receive(QueueUrl)).Messages).toHaveLength(1);
    expect(await attributesOf(QueueUrl, ['Policy'])).toEqual({ Policy });
    expect(await attributesOf(QueueUrl, ['QueueArn'])).toEqual({ QueueArn: queueArn('policed') });
    expect(await attributesOf(QueueUrl, ['All'])).toMatchObject({ Policy, QueueArn: queueArn('policed') });

    const Attributes = { Policy: '', DelaySeconds: '2' };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    expect(await attributesOf(QueueUrl, ['All'])).toMatchObject({ DelaySeconds: '2' });
    expect(await attributesOf(QueueUrl, ['Policy'])).toBeUndefined();
  });

  it('can be set when the queue is created, and is deleted with the queue', async () => {
    const Policy = policyFor('born', topicArn);
    const create = (Attributes = {}) => sqs.send(new CreateQueueCommand({ QueueName: 'born', Attributes }));
    const QueueUrl = (await create({ Policy })).QueueUrl as string;
    expect(await attributesOf(QueueUrl, ['Policy'])).toEqual({ Policy });
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await create();
    expect(await attributesOf(QueueUrl, ['Policy'])).toBeUndefined();
  });

  it('that grants more is rejected with the reason, and changes nothing', async () => {
    const another = `arn:scw:sns:fr-par:project-${crypto.randomUUID()}:t`;
    for (const Policy of ['{}', policyFor('mine', another), policyFor('other', topicArn)]) {
      const Attributes = { Policy, DelaySeconds: '9' };
      await expect(
        sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes })),
      ).rejects.toMatchObject({
        name: 'InvalidAttributeValue',
        message: expect.stringMatching(/Policy. Reason: (Condition|Resource|A Statement)/),
      });
      expect(await outcome(sqs.send(new CreateQueueCommand({ QueueName: 'mine2', Attributes })))).toBe(
        'InvalidAttributeValue',
      );
    }
    expect(await attributesOf(queueUrl, ['All'])).toMatchObject({ DelaySeconds: '0' });
    expect(await outcome(sqs.send(new GetQueueUrlCommand({ QueueName: 'mine2' })))).toBe('QueueDoesNotExist');
  });

  it('of a missing queue returns the error for a missing queue', async () => {
    const Attributes = { Policy: policyFor('nowhere', topicArn) };
    const set = new SetQueueAttributesCommand({ QueueUrl: 'nowhere', Attributes });
    expect(await outcome(sqs.send(set))).toBe('QueueDoesNotExist');
  });
});
