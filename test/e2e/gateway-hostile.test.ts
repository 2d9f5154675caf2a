/**
 * Hostile requests with valid signatures, which no SDK would send: tricks with names and duplicates, and attributes
 * that target the engine. Each is rejected with the protocol's error, and no response leaks engine names.
 */
import { ListTopicsCommand, PublishCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../functions/gateway/actions.ts';
import { outcome } from './gateway-clients.ts';
import { type Raw, rawClients } from './gateway-raw.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let sqs: Raw['sqs'];
let sns: Raw['sns'];
let queueUrl: Raw['queueUrl'];
let topicArn: Raw['topicArn'];
let prefixes: Raw['prefixes'];
let query: Raw['query'];
let json: Raw['json'];
let resultOf: Raw['resultOf'];

beforeAll(async () => {
  ({ sqs, sns, queueUrl, topicArn, prefixes, query, json, resultOf } = await rawClients(local));
});

describe('a duplicate is rejected:', () => {
  it.each<[string, Service, string, string]>([
    ['an action in the body', 'sns', 'Action=ListTopics&Action=CreateTopic&Name=twice', '/'],
    ['an action in the query and in the body', 'sns', 'Action=CreateTopic&Name=twice', '/?Action=ListTopics'],
    ['a parameter', 'sns', 'Action=CreateTopic&Name=twice&Name=twice2', '/'],
    [
      'the name of an attribute',
      'sns',
      'Action=CreateTopic&Name=twice&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=a&Attributes.entry.2.key=DisplayName&Attributes.entry.2.value=b',
      '/',
    ],
  ])('%s', async (_what, service, body, path) => {
    expect(await resultOf(query(service, `${body}&Version=2010-03-31`, path))).toBe('400 InvalidParameter');
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn: topicArn }]);
  });

  it.each([
    '{"QueueName":"twice","QueueName":"twice2"}',
    '{"QueueName":"twice","QueueN\\u0061me":"twice2"}',
    '{"QueueName":"twice","Attributes":{"DelaySeconds":"1","DelaySeconds":"2"}}',
  ])('a name in JSON: %s', async (body) => {
    expect(await resultOf(json('CreateQueue', body))).toBe('400 SerializationException');
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toEqual([queueUrl]);
  });
});

it.each<[Service, string]>([
  ['sqs', '400 MalformedInput'],
  ['sns', '400 InvalidParameter'],
])('parameters that would exhaust memory are rejected: %s', async (service, expected) => {
  const action = service === 'sqs' ? 'ListQueues' : 'ListTopics';
  for (const much of ['.'.repeat(4_000_000), 'a&'.repeat(2_000_000)])
    expect(await resultOf(query(service, `Action=${action}&${much}`))).toBe(expected);
});

describe('a queue name', () => {
  it.each(['', '../mine', 'a/b', 'a b', 'a.b', 'é', 'a\n', 'a.fifo.fifo', '%2e%2e', 'x'.repeat(71)])(
    '%j is rejected',
    async (QueueName) => {
      expect(await outcome(sqs.send(new CreateQueueCommand({ QueueName })))).toBe('InvalidParameterValue');
      expect(await resultOf(json('GetQueueUrl', JSON.stringify({ QueueName })))).toBe(
        '400 InvalidParameterValueException',
      );
    },
  );

  it('of 70 characters is accepted, also for a FIFO queue', async () => {
    const names = ['x'.repeat(70), `${'x'.repeat(65)}.fifo`];
    for (const QueueName of names) {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      expect(QueueUrl?.endsWith(`/${QueueName}`)).toBe(true);
    }
  });

  it('in a URL is accepted only in the project’s own URL (cross-tenant)', async () => {
    const own = new URL(queueUrl).pathname;
    const engine = local.stack.engines.get('fr-par')?.url;
    const urls = [
      `${engine}/000000000000/${prefixes[0]}mine`,
      `${local.stack.origin}/000000000000/${prefixes[0]}mine`,
      `${local.stack.origin}/project-${local.owner.project_id}/../000000000000/x`,
      `${local.stack.origin}//${own}`,
      `${queueUrl}//`,
      `${queueUrl}?a`,
      `${queueUrl}#a`,
      `${queueUrl}/mine`,
      `${local.stack.origin}/project-${crypto.randomUUID()}/mine`,
      `${prefixes[0]}mine`,
      'other',
      '/mine',
      'file:///etc/passwd',
    ];
    for (const QueueUrl of urls) {
      expect(
        await resultOf(json('SendMessage', JSON.stringify({ QueueUrl, MessageBody: 'x' }))),
        QueueUrl,
      ).toBe('400 QueueDoesNotExist');
    }
    const good = [queueUrl, own, `https://elsewhere.example.com${own}`, `${queueUrl}/`, 'mine'];
    for (const QueueUrl of good) {
      expect(
        await resultOf(json('SendMessage', JSON.stringify({ QueueUrl, MessageBody: 'x' }))),
        QueueUrl,
      ).toBe('200');
    }
  });

  it('in an ARN of another project is reported as missing (cross-tenant)', async () => {
    const arns = [
      `arn:aws:sns:fr-par:000000000000:${prefixes[0]}mine`,
      `arn:aws:sns:fr-par:000000000000:frpar00000mine`,
      `arn:scw:sns:nl-ams:project-${local.owner.project_id}:mine`,
      `arn:scw:sns:fr-par:project-${crypto.randomUUID()}:mine`,
      `arn:scw:sqs:fr-par:project-${local.owner.project_id}:mine`,
    ];
    for (const TopicArn of arns)
      expect(await outcome(sns.send(new PublishCommand({ TopicArn, Message: 'x' }))), TopicArn).toBe(
        'NotFoundException',
      );
    expect(await outcome(sns.send(new PublishCommand({ TopicArn: 'mine', Message: 'x' })))).toBe(
      'InvalidParameterException',
    );
  });
});

describe('an attribute that would grant access on the engine is rejected:', () => {
  it.each(['RedriveAllowPolicy', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'toString', 'Anything'])(
    'a queue’s %s',
    async (name) => {
      const Attributes = { [name]: '{}' };
      expect(await outcome(sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes })))).toBe(
        'InvalidAttributeName',
      );
      expect(await outcome(sqs.send(new CreateQueueCommand({ QueueName: 'other', Attributes })))).toBe(
        'InvalidAttributeName',
      );
    },
  );

  it.each(['Policy', 'KmsMasterKeyId', 'TracingConfig', 'LambdaFailureFeedbackRoleArn', '__proto__'])(
    'a topic’s %s',
    async (name) => {
      const set = `Action=SetTopicAttributes&TopicArn=${topicArn}&AttributeName=${name}&AttributeValue=x`;
      expect(await resultOf(query('sns', set))).toBe('400 InvalidParameter');
      const create = `Action=CreateTopic&Name=other&Attributes.entry.1.key=${name}&Attributes.entry.1.value=x`;
      expect(await resultOf(query('sns', create))).toBe('400 InvalidParameter');
    },
  );

  it('a role, a phone number, another target or protocol', async () => {
    const subscribe = (protocol: string, endpoint: string) =>
      query(
        'sns',
        `Action=Subscribe&TopicArn=${topicArn}&Protocol=${protocol}&Endpoint=${encodeURIComponent(endpoint)}`,
      );
    const own = `arn:scw:sqs:fr-par:project-${local.owner.project_id}:mine`;
    const role = `&Attributes.entry.1.key=SubscriptionRoleArn&Attributes.entry.1.value=x`;
    const responses = [
      query('sns', `Action=Subscribe&TopicArn=${topicArn}&Protocol=sqs&Endpoint=${own}${role}`),
      query('sns', `Action=Publish&TopicArn=${topicArn}&PhoneNumber=%2B33600000000&Message=x`),
      query('sns', `Action=Publish&TopicArn=${topicArn}&TargetArn=${topicArn}&Message=x`),
      query('sns', `Action=CreateTopic&Name=other&DataProtectionPolicy=x`),
      subscribe('https', 'https://example.com/'),
      subscribe('http', 'http://169.254.169.254/'),
      subscribe('lambda', own),
      subscribe('sms', '+33600000000'),
      subscribe('email', 'a@example.com'),
      subscribe('sqs', 'https://example.com/'),
    ];
    expect(await Promise.all(responses.map(resultOf))).toEqual(responses.map(() => '400 InvalidParameter'));
    expect(
      await outcome(sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: own }))),
    ).toBe('ok');
  });

  it('the policy that lets topics deliver is not returned', async () => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All', 'Policy'] }),
    );
    expect(Object.keys(Attributes ?? {})).not.toContain('Policy');
    expect(
      await resultOf(
        json('GetQueueAttributes', JSON.stringify({ QueueUrl: queueUrl, AttributeNames: ['All'] })),
      ),
    ).toBe('200');
  });
});
