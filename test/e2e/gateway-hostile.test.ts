/**
 * Requests that no SDK would write, well signed with real credentials: tricks with names and duplicates, and attributes
 * that reach for the engine. Each is refused in the protocol's words, and nothing of the engine is told.
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
let told: Raw['told'];

beforeAll(async () => {
  ({ sqs, sns, queueUrl, topicArn, prefixes, query, json, told } = await rawClients(local));
});

describe('what comes twice is refused', () => {
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
    expect(await told(query(service, `${body}&Version=2010-03-31`, path))).toBe('400 InvalidParameter');
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn: topicArn }]);
  });

  it.each([
    '{"QueueName":"twice","QueueName":"twice2"}',
    '{"QueueName":"twice","QueueN\\u0061me":"twice2"}',
    '{"QueueName":"twice","Attributes":{"DelaySeconds":"1","DelaySeconds":"2"}}',
  ])('a name in JSON: %s', async (body) => {
    expect(await told(json('CreateQueue', body))).toBe('400 SerializationException');
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toEqual([queueUrl]);
  });
});

it.each<[Service, string]>([
  ['sqs', '400 MalformedInput'],
  ['sns', '400 InvalidParameter'],
])('parameters that would take all memory are refused: %s', async (service, expected) => {
  const action = service === 'sqs' ? 'ListQueues' : 'ListTopics';
  for (const much of ['.'.repeat(4_000_000), 'a&'.repeat(2_000_000)])
    expect(await told(query(service, `Action=${action}&${much}`))).toBe(expected);
});

describe('names', () => {
  it.each(['', '../mine', 'a/b', 'a b', 'a.b', 'é', 'a\n', 'a.fifo.fifo', '%2e%2e', 'x'.repeat(71)])(
    'of a queue: %j is refused',
    async (QueueName) => {
      expect(await outcome(sqs.send(new CreateQueueCommand({ QueueName })))).toBe('InvalidParameterValue');
      expect(await told(json('GetQueueUrl', JSON.stringify({ QueueName })))).toBe(
        '400 InvalidParameterValueException',
      );
    },
  );

  it('of 70 characters are taken, as is a FIFO queue', async () => {
    const names = ['x'.repeat(70), `${'x'.repeat(65)}.fifo`];
    for (const QueueName of names) {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      expect(QueueUrl?.endsWith(`/${QueueName}`)).toBe(true);
    }
  });

  it('in URLs: only the URL of a queue of one’s own will do', async () => {
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
      expect(await told(json('SendMessage', JSON.stringify({ QueueUrl, MessageBody: 'x' }))), QueueUrl).toBe(
        '400 QueueDoesNotExist',
      );
    }
    const good = [queueUrl, own, `https://elsewhere.example.com${own}`, `${queueUrl}/`, 'mine'];
    for (const QueueUrl of good) {
      expect(await told(json('SendMessage', JSON.stringify({ QueueUrl, MessageBody: 'x' }))), QueueUrl).toBe(
        '200',
      );
    }
  });

  it('in ARNs: those of others are missing', async () => {
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

describe('rights on the engine cannot be had', () => {
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
      expect(await told(query('sns', set))).toBe('400 InvalidParameter');
      const create = `Action=CreateTopic&Name=other&Attributes.entry.1.key=${name}&Attributes.entry.1.value=x`;
      expect(await told(query('sns', create))).toBe('400 InvalidParameter');
    },
  );

  it('a role, a phone, another target, another protocol', async () => {
    const subscribe = (protocol: string, endpoint: string) =>
      query(
        'sns',
        `Action=Subscribe&TopicArn=${topicArn}&Protocol=${protocol}&Endpoint=${encodeURIComponent(endpoint)}`,
      );
    const own = `arn:scw:sqs:fr-par:project-${local.owner.project_id}:mine`;
    const role = `&Attributes.entry.1.key=SubscriptionRoleArn&Attributes.entry.1.value=x`;
    const answers = [
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
    expect(await Promise.all(answers.map(told))).toEqual(answers.map(() => '400 InvalidParameter'));
    expect(
      await outcome(sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: own }))),
    ).toBe('ok');
  });

  it('the policy that lets topics deliver is not told', async () => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All', 'Policy'] }),
    );
    expect(Object.keys(Attributes ?? {})).not.toContain('Policy');
    expect(
      await told(json('GetQueueAttributes', JSON.stringify({ QueueUrl: queueUrl, AttributeNames: ['All'] }))),
    ).toBe('200');
  });
});
