/**
 * Subscriptions: the queue policies and subscriptions that the gateway creates on the engine, and the rows that it
 * writes when a client or the engine fails. The engine is a fake that behaves like AWS.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTopicCommand,
  ListSubscriptionsCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, ListDeadLetterSourceQueuesCommand } from '@aws-sdk/client-sqs';
import { beforeAll, expect, it } from 'vitest';
import { outcome } from './gateway-clients.ts';
import { ACCOUNT, type Faked, snsReply, useFakeEngine } from './gateway-fake.ts';
import { breakable, FORM } from './gateway-raw.ts';

const faked = await useFakeEngine();
const { engine, local } = faked;

let sqs: Faked['sqs'];
let sns: Faked['sns'];
let TopicArn: string;
let prefixes: Faked['prefixes'];

beforeAll(() => {
  ({ sqs, sns, prefixes, topicArn: TopicArn } = faked);
});

const engineTopic = () => `arn:aws:sns:eu-west-3:${ACCOUNT}:${prefixes.sns}events`;
const queueArn = () => `arn:scw:sqs:nl-ams:project-${local.owner.project_id}:orders`;
const listed = async () =>
  ((await sns.send(new ListSubscriptionsCommand({}))).Subscriptions ?? []).map((one) => one.SubscriptionArn);

/** The queue policies that the engine received. */
const policies = () =>
  engine.sent
    .filter(({ headers }) => headers['x-amz-target'] === 'AmazonSQS.SetQueueAttributes')
    .map(({ body }) => JSON.parse(body) as { QueueUrl: string; Attributes: { Policy: string } });

it('a subscription gives the queue a policy for the project’s topics only', async () => {
  const created = `arn:aws:sns:eu-west-3:${ACCOUNT}:${prefixes.sns}events`;
  engine.reply = ({ body, headers }) => {
    if (headers['x-amz-target']) return { status: 200, body: '{}' };
    return body.startsWith('Action=CreateTopic')
      ? snsReply('CreateTopic', `<TopicArn>${created}</TopicArn>`)
      : snsReply('Subscribe', `<SubscriptionArn>${created}:id-1</SubscriptionArn>`);
  };
  expect((await sns.send(new CreateTopicCommand({ Name: 'events' }))).TopicArn).toBe(TopicArn);
  const Endpoint = `arn:scw:sqs:nl-ams:project-${local.owner.project_id}:orders`;
  const made = await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
  expect(made.SubscriptionArn).toBe(`${TopicArn}:id-1`);

  const [, policy, subscribe] = engine.sent;
  const fields = JSON.parse(policy?.body ?? '') as { QueueUrl: string; Attributes: { Policy: string } };
  expect(fields.QueueUrl).toBe(`${engine.url}/${ACCOUNT}/${prefixes.sqs}orders`);
  expect((JSON.parse(fields.Attributes.Policy) as { Statement: object[] }).Statement).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: `arn:aws:sqs:eu-west-3:${ACCOUNT}:${prefixes.sqs}orders`,
      Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:sns:eu-west-3:${ACCOUNT}:${prefixes.sns}*` } },
    },
  ]);
  const parameters = new URLSearchParams(subscribe?.body);
  expect(parameters.get('Endpoint')).toBe(`arn:aws:sqs:eu-west-3:${ACCOUNT}:${prefixes.sqs}orders`);
  expect(parameters.get('TopicArn')).toBe(created);
});

it('https subscriptions work where the operator has enabled them, to public host names only', async () => {
  const arn = `arn:aws:sns:eu-west-3:${ACCOUNT}:${prefixes.sns}events:id-2`;
  // Like AWS for an unconfirmed subscription.
  engine.reply = ({ body }) => {
    const result = body.includes('ReturnSubscriptionArn=true') ? arn : 'pending confirmation';
    return snsReply('Subscribe', `<SubscriptionArn>${result}</SubscriptionArn>`);
  };
  const subscribe = (Protocol: string, Endpoint: string, ReturnSubscriptionArn?: boolean) =>
    sns.send(new SubscribeCommand({ TopicArn: TopicArn, Protocol, Endpoint, ReturnSubscriptionArn }));
  for (const [requested, returned] of [
    [undefined, 'pending confirmation'],
    [false, 'pending confirmation'],
    [true, `${TopicArn}:id-2`],
  ] as const) {
    const made = await subscribe('https', 'https://hooks.example.com/a', requested);
    expect(made.SubscriptionArn).toBe(returned);
  }
  const listed = await sns.send(new ListSubscriptionsCommand({}));
  expect(listed.Subscriptions).toContainEqual(
    expect.objectContaining({ SubscriptionArn: `${TopicArn}:id-2`, Protocol: 'https' }),
  );
  const refused = [
    'http://hooks.example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
    'https://intranet/',
    'https://wiki.intranet/',
    'https://api.default.svc/',
    'https://api.corp/',
    'https://nas.private./',
    'https://hooks.example.com:8443/',
    'https://hooks.example.com:22/',
    'https://metadata.google.internal/',
    'https://a@hooks.example.com/',
  ];
  for (const Endpoint of refused) {
    for (const protocol of ['https', 'http'])
      expect(await outcome(subscribe(protocol, Endpoint)), Endpoint).toBe('InvalidParameterException');
  }
});

it('a queue that is deleted and created again gets the policy for its existing subscriptions', async () => {
  engine.reply = ({ body }) => {
    const { QueueName } = JSON.parse(body) as { QueueName?: string };
    return {
      status: 200,
      body: QueueName ? JSON.stringify({ QueueUrl: `${engine.url}/${ACCOUNT}/${QueueName}` }) : '{}',
    };
  };
  await sqs.send(new CreateQueueCommand({ QueueName: 'unsubscribed' }));
  expect(policies()).toEqual([]);
  await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
  expect(policies()).toMatchObject([{ QueueUrl: `${engine.url}/${ACCOUNT}/${prefixes.sqs}orders` }]);
  expect(policies()[0]?.Attributes.Policy).toContain(`:${prefixes.sns}*`);
});

it('only an existing queue has dead-letter source queues', async () => {
  const sourcesOf = (name: string) =>
    outcome(
      sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: faked.queueUrl.replace('orders', name) })),
    );
  expect(await sourcesOf('orders')).toBe('ok');
  expect(await sourcesOf('nowhere')).toBe('QueueDoesNotExist');
});

it('a subscription that the engine no longer has disappears from the list when it is deleted', async () => {
  const SubscriptionArn = `${TopicArn}:id-1`;
  expect(await listed()).toContain(SubscriptionArn);
  const body = '<ErrorResponse><Error><Code>NotFound</Code><Message>x</Message></Error></ErrorResponse>';
  engine.reply = () => ({ status: 404, body });
  expect(await outcome(sns.send(new UnsubscribeCommand({ SubscriptionArn })))).toBe('NotFoundException');
  expect(await listed()).not.toContain(SubscriptionArn);
});

it('a subscription is stored when its client disconnects before the engine responds', async () => {
  const answered = Promise.withResolvers<void>();
  engine.reply = async ({ body }) => {
    if (!body.startsWith('Action=Subscribe')) return { status: 200, body: '{}' };
    await answered.promise;
    return snsReply('Subscribe', `<SubscriptionArn>${engineTopic()}:id-3</SubscriptionArn>`);
  };
  const fields = { Action: 'Subscribe', TopicArn, Protocol: 'sqs', Endpoint: queueArn() };
  const leave = await breakable(
    local,
    faked.credentials.sns,
    'sns',
    FORM,
    new URLSearchParams(fields).toString(),
  );
  await expect.poll(() => engine.sent.length).toBe(2);
  leave();
  // Long enough for a gateway that would cancel the request.
  await sleep(500);
  expect(engine.sent[1]?.ended).toBe(false);
  answered.resolve();
  await expect.poll(listed).toContain(`${TopicArn}:id-3`);
});
