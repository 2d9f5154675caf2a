/** Conversion of queue, topic and subscription names between client and engine, in both directions. */
import { describe, expect, it } from 'vitest';
import {
  isName,
  type NameContext,
  newServicePrefix,
  PREFIX_LENGTH,
  toClient,
  toEngine,
} from '../../functions/gateway/names.ts';
import type { Reference } from '../../functions/gateway/shapes.ts';

const PROJECT = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
const engine = {
  sqsEndpoint: 'https://sqs.eu-west-3.amazonaws.com',
  snsEndpoint: 'https://sns.eu-west-3.amazonaws.com',
  region: 'eu-west-3',
  account: '111122223333',
  partition: 'aws',
  httpsSubscriptions: false,
  accessKeyId: 'AKIAOPERATOR',
  secretAccessKey: 'secret',
};
const context: NameContext = {
  origin: 'https://latchkey.test',
  region: 'fr-par',
  projectId: PROJECT,
  prefixes: { sqs: 'frparAAAAA', sns: 'frparBBBBB' },
  resources: null,
  engine,
};

const QUEUE = `arn:scw:sqs:fr-par:project-${PROJECT}:orders`;
const ENGINE_QUEUE = 'arn:aws:sqs:eu-west-3:111122223333:frparAAAAAorders';
const TOPIC = `arn:scw:sns:fr-par:project-${PROJECT}:events.fifo`;
const ENGINE_TOPIC = 'arn:aws:sns:eu-west-3:111122223333:frparBBBBBevents.fifo';
const policy = (arn: string) => JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 3 });

it.each<[Reference, string, string]>([
  ['queueName', 'orders', 'frparAAAAAorders'],
  ['topicName', 'events', 'frparBBBBBevents'],
  [
    'queueUrl',
    `https://latchkey.test/project-${PROJECT}/orders`,
    'https://sqs.eu-west-3.amazonaws.com/111122223333/frparAAAAAorders',
  ],
  ['queueArn', QUEUE, ENGINE_QUEUE],
  ['topicArn', TOPIC, ENGINE_TOPIC],
  ['subscriptionArn', `${TOPIC}:0a1b-2c`, `${ENGINE_TOPIC}:0a1b-2c`],
  ['endpoint', QUEUE, ENGINE_QUEUE],
  ['endpoint', 'https://hooks.example.com/', 'https://hooks.example.com/'],
  ['redrivePolicy', policy(QUEUE), policy(ENGINE_QUEUE)],
  ['redrivePolicy', '', ''],
])('%s: %s becomes %s on the engine', (kind, client, onEngine) => {
  expect(toEngine(context, kind, client)).toBe(onEngine);
  expect(toClient(context, kind, onEngine)).toBe(client);
});

describe('a name outside the project (cross-tenant)', () => {
  it.each<[Reference, string]>([
    ['queueArn', ENGINE_QUEUE],
    ['queueArn', QUEUE.replace('fr-par', 'nl-ams')],
    ['queueArn', QUEUE.replace('sqs', 'sns')],
    ['queueArn', `${QUEUE}:x`],
    ['topicArn', `${TOPIC}:x`],
    ['topicArn', TOPIC.replace(PROJECT, PROJECT.toUpperCase())],
    ['subscriptionArn', TOPIC],
    ['subscriptionArn', `${TOPIC}:a/b`],
    ['redrivePolicy', policy(ENGINE_QUEUE)],
    ['redrivePolicy', '{"maxReceiveCount":3}'],
    ['redrivePolicy', '{'],
    ['redrivePolicy', '[]'],
  ])('has no engine name: %s %s', (kind, text) => {
    expect(toEngine(context, kind, text)).toBeUndefined();
  });

  it.each<[Reference, string]>([
    ['queueUrl', 'https://sqs.eu-west-3.amazonaws.com/111122223333/nlamsAAAAAorders'],
    ['queueArn', ENGINE_QUEUE.replace('frparA', 'nlamsA')],
    ['topicArn', ENGINE_TOPIC.replace('111122223333', '444455556666')],
    ['redrivePolicy', policy(ENGINE_QUEUE.replace('frparA', 'nlamsA'))],
  ])('is removed from responses: %s %s', (kind, text) => {
    expect(toClient(context, kind, text)).toBeUndefined();
  });

  it('has no engine name while the service is not active', () => {
    const topicsOnly = { ...context, prefixes: { sqs: null, sns: 'frparBBBBB' } };
    expect(toEngine(topicsOnly, 'queueArn', QUEUE)).toBeUndefined();
    expect(toClient(topicsOnly, 'queueArn', ENGINE_QUEUE)).toBeUndefined();
  });
});

it('only the two members of a redrive policy are converted', () => {
  const text = JSON.stringify({ deadLetterTargetArn: QUEUE, maxReceiveCount: '3', more: ENGINE_QUEUE });
  expect(JSON.parse(toEngine(context, 'redrivePolicy', text) ?? '')).toEqual({
    deadLetterTargetArn: ENGINE_QUEUE,
    maxReceiveCount: '3',
  });
});

it.each([
  ['The queue frparAAAAAorders is not there'],
  [`Not permitted: ${ENGINE_TOPIC}`],
  ['Credential=AKIAOPERATOR'],
  ['See sqs.eu-west-3.amazonaws.com'],
])('an engine message that contains an engine name is redacted: %s', (text) => {
  expect(toClient(context, 'prose', text)).toBe('The request was refused.');
});

it('a prefix has a fixed length and begins with its region', () => {
  const prefixes = Array.from({ length: 100 }, () => newServicePrefix('fr-par'));
  expect(new Set(prefixes).size).toBe(100);
  for (const prefix of prefixes) expect(prefix).toMatch(/^frpar[0-9A-Za-z]{5}$/);
  expect(prefixes[0]).toHaveLength(PREFIX_LENGTH);
});

it('a name can use what the prefix leaves of the engine’s 80 and 256 characters', () => {
  expect([isName('sqs', 'x'.repeat(70)), isName('sqs', 'x'.repeat(71))]).toEqual([true, false]);
  expect([isName('sns', 'x'.repeat(246)), isName('sns', 'x'.repeat(247))]).toEqual([true, false]);
});
