/**
 * Names in notifications that a topic delivers to a queue, through the AWS SDK, which checks the MD5 of each body.
 */
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  type SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { beforeAll, expect, it } from 'vitest';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let credentials: Record<'sqs' | 'sns', Credentials>;
let sqs: SQSClient;
let sns: SNSClient;

beforeAll(async () => {
  await activate(local, 'fr-par', local.owner.project_id);
  credentials = {
    sqs: await newCredentials(local, 'sqs', ALL),
    sns: await newCredentials(local, 'sns', ALL),
  };
  sqs = sqsClient(local, credentials.sqs);
  sns = snsClient(local, credentials.sns);
});

const arnOf = (name: string) => `arn:scw:sqs:fr-par:project-${local.owner.project_id}:${name}`;

async function newQueue(name: string, Attributes = {}): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return QueueUrl as string;
}

async function newTopic(name: string, queue: string, Attributes = {}) {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arnOf(queue), Attributes }),
  );
  return { TopicArn: TopicArn as string, SubscriptionArn: SubscriptionArn as string };
}

async function receive(QueueUrl: string, atLeast = 1, client = sqs): Promise<Message[]> {
  const found: Message[] = [];
  for (let attempt = 0; attempt < 10 && found.length < atLeast; attempt++) {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
    const { Messages = [] } = await client.send(command);
    found.push(...Messages);
    for (const { ReceiptHandle } of Messages)
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  }
  return found;
}

const envelopes = (messages: Message[]) =>
  messages.map(({ Body = '' }) => JSON.parse(Body) as Record<string, string>);

/** Returns the region's engine account and prefixes, which no client can see. */
async function secrets(): Promise<string[]> {
  const database = await local.stack.database('REGION_FR_PAR');
  const { results } = await database.prepare('select prefix from services').all<{ prefix: string }>();
  return [':000000000000:', ...results.map(({ prefix }) => prefix)];
}

it.each(['json', 'query'] as const)(
  'a notification contains the topic and subscription ARNs that clients got, over %s',
  async (protocol) => {
    const QueueUrl = await newQueue(`fan-${protocol}`);
    const { TopicArn, SubscriptionArn } = await newTopic(`fan-${protocol}`, `fan-${protocol}`);
    for (const Message of ['a', '{"TopicArn":"b"}', 'c 😀'])
      await sns.send(new PublishCommand({ TopicArn, Message, Subject: 's' }));
    const messages = await receive(QueueUrl, 3, sqsClient(local, credentials.sqs, protocol));
    expect(
      envelopes(messages)
        .map((one) => [one.Type, one.TopicArn, one.Message, one.Subject])
        .sort(),
    ).toEqual(['a', 'c 😀', '{"TopicArn":"b"}'].map((text) => ['Notification', TopicArn, text, 's']));
    for (const { UnsubscribeURL = '' } of envelopes(messages))
      expect(new URL(UnsubscribeURL).searchParams.get('SubscriptionArn')).toBe(SubscriptionArn);
    for (const secret of await secrets()) expect(JSON.stringify(messages)).not.toContain(secret);
  },
);

it('the unsubscribe link does nothing unless the request is signed', async () => {
  const QueueUrl = await newQueue('link');
  const { TopicArn } = await newTopic('link', 'link');
  const subscriptions = async () =>
    (await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions?.length;
  await sns.send(new PublishCommand({ TopicArn, Message: 'a' }));
  const [{ UnsubscribeURL = '' } = {}] = envelopes(await receive(QueueUrl));
  expect(new URL(UnsubscribeURL).origin).toBe(local.stack.origin);
  const unsigned = await fetch(UnsubscribeURL);
  expect([unsigned.status, await unsigned.text()]).toEqual([
    403,
    expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
  ]);
  expect(await subscriptions()).toBe(1);
  const { access_key: accessKeyId, secret_key: secretAccessKey } = credentials.sns;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sns' });
  const url = new URL(UnsubscribeURL);
  url.searchParams.set('X-Amz-Expires', '60');
  const signed = await client.sign(url.href, { aws: { signQuery: true } });
  expect((await fetch(signed.url)).status).toBe(200);
  expect(await subscriptions()).toBe(0);
});

it('a dead-lettered notification contains the client’s topic ARN too', async () => {
  const deadLetters = await newQueue('dead');
  const policy = JSON.stringify({ deadLetterTargetArn: arnOf('dead'), maxReceiveCount: 1 });
  const QueueUrl = await newQueue('dying', { VisibilityTimeout: '0', RedrivePolicy: policy });
  const { TopicArn } = await newTopic('dying', 'dying');
  await sns.send(new PublishCommand({ TopicArn, Message: 'a' }));
  const once = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2 });
  expect((await sqs.send(once)).Messages).toHaveLength(1);
  expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).toEqual([]);
  expect(envelopes(await receive(deadLetters))).toMatchObject([{ Message: 'a', TopicArn }]);
});

it('raw delivery leaves the published body unchanged', async () => {
  const QueueUrl = await newQueue('raw');
  const { TopicArn } = await newTopic('raw', 'raw', { RawMessageDelivery: 'true' });
  const texts = ['a', '{"Type":"Notification", "TopicArn":"x"}'];
  for (const Message of texts) await sns.send(new PublishCommand({ TopicArn, Message }));
  expect((await receive(QueueUrl, 2)).map(({ Body }) => Body).sort()).toEqual(texts);
});

it('a forged notification reveals nothing about another project (cross-tenant)', async () => {
  const other = await newProject(local);
  await activate(local, 'fr-par', other);
  const QueueUrl = await newQueue('forged');
  const database = await local.stack.database('REGION_FR_PAR');
  const { results } = await database
    .prepare(`select prefix, project_id = ? as other from services where product = 'sns' order by other`)
    .bind(other)
    .all<{ prefix: string }>();
  const prefixes = [...results.map(({ prefix }) => prefix), 'frpar00000'];
  expect(prefixes).toHaveLength(3);
  for (const prefix of prefixes) {
    const TopicArn = `arn:aws:sns:fr-par:000000000000:${prefix}events`;
    const MessageBody = JSON.stringify({ Type: 'Notification', TopicArn, Message: 'forged' });
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }
  // The response is the same for the own prefix, another project's and an unknown one.
  const own = `arn:scw:sns:fr-par:project-${local.owner.project_id}:events`;
  const body = JSON.stringify({ Type: 'Notification', TopicArn: own, Message: 'forged' });
  expect((await receive(QueueUrl, 3)).map(({ Body }) => Body)).toEqual([body, body, body]);
});

it('the engine’s own topic ARN, as in https deliveries, is accepted for the project’s topic only', async () => {
  await newQueue('alias');
  const { TopicArn, SubscriptionArn } = await newTopic('alias', 'alias');
  const database = await local.stack.database('REGION_FR_PAR');
  const { prefix } = (await database
    .prepare(`select prefix from services where product = 'sns' and project_id = ?`)
    .bind(local.owner.project_id)
    .first<{ prefix: string }>()) as { prefix: string };
  const alias = `arn:aws:sns:fr-par:000000000000:${prefix}alias`;
  const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: alias }));
  expect(Attributes?.TopicArn).toBe(TopicArn);
  const listed = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: alias }));
  expect(listed.Subscriptions?.map((one) => one.SubscriptionArn)).toEqual([SubscriptionArn]);
  expect(await outcome(sns.send(new PublishCommand({ TopicArn: alias, Message: 'x' })))).toBe('ok');
  const id = SubscriptionArn.split(':').at(-1);
  const confirm = new ConfirmSubscriptionCommand({ TopicArn: alias, Token: `${id}` });
  expect(await outcome(sns.send(confirm))).not.toBe('NotFoundException');

  const other = await newProject(local);
  await activate(local, 'fr-par', other);
  const theirs = snsClient(local, await newCredentials(local, 'sns', ALL, { projectId: other }));
  const outcomes = [
    await outcome(theirs.send(new GetTopicAttributesCommand({ TopicArn: alias }))),
    await outcome(theirs.send(new PublishCommand({ TopicArn: alias, Message: 'x' }))),
    await outcome(theirs.send(new UnsubscribeCommand({ SubscriptionArn: `${alias}:${id}` }))),
  ];
  expect(outcomes).toEqual(Array(3).fill('NotFoundException'));
  const unsubscribe = new UnsubscribeCommand({ SubscriptionArn: `${alias}:${id}` });
  expect(await outcome(sns.send(unsubscribe))).toBe('ok');
});
