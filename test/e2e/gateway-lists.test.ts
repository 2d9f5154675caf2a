/** The contents and pagination of lists, including after engine failures. */
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  ListTopicsCommand,
  PublishCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcome, signedFetch } from './gateway-clients.ts';
import { ACCOUNT, answering, type Faked, snsReply, useFakeEngine } from './gateway-fake.ts';
import { breakable } from './gateway-raw.ts';
import { api } from './local-stack.ts';

const faked = await useFakeEngine();
const { engine, local } = faked;
let sqs: Faked['sqs'];
let sns: Faked['sns'];
let prefixes: Faked['prefixes'];
let database: Awaited<ReturnType<typeof local.stack.database>>;

beforeAll(async () => {
  ({ sqs, sns, prefixes } = faked);
  database = await local.stack.database('REGION_NL_AMS');
});

beforeEach(async () => {
  for (const table of ['queues', 'topics', 'subscriptions'])
    await database.prepare(`delete from ${table}`).run();
});

const urlOf = (name: string) => faked.queueUrl.replace(/orders$/, name);
const topicOf = (name: string) => faked.topicArn.replace(/events$/, name);
const nameOf = (text = '') => text.split(/[/:]/).at(-1);
const queueNames = async () => ((await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).map(nameOf);
const topicNames = async () =>
  ((await sns.send(new ListTopicsCommand({}))).Topics ?? []).map(({ TopicArn }) => nameOf(TopicArn));
/** The resources that the console lists. */
const shown = async (kind: 'queues' | 'topics') => {
  const path = `/mnq/v1beta1/regions/nl-ams/${kind}?project_id=${local.owner.project_id}`;
  return (await api<Record<string, { name: string }[]>>(local, 'GET', path))[kind]?.map(({ name }) => name);
};
const createQueue = (QueueName: string) => sqs.send(new CreateQueueCommand({ QueueName }));
const createTopic = (Name: string) => sns.send(new CreateTopicCommand({ Name }));

const creates = ({ headers, body }: { headers: Record<string, unknown>; body: string }) =>
  headers['x-amz-target']
    ? {
        status: 200,
        body: JSON.stringify({ QueueUrl: `${engine.url}/${ACCOUNT}/${JSON.parse(body).QueueName}` }),
      }
    : snsReply(
        'CreateTopic',
        `<TopicArn>arn:aws:sns:eu-west-3:${ACCOUNT}:${new URLSearchParams(body).get('Name')}</TopicArn>`,
      );
const lacks = ({ headers }: { headers: Record<string, unknown> }) =>
  headers['x-amz-target']
    ? { status: 400, body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"x"}' }
    : {
        status: 404,
        body: '<ErrorResponse><Error><Code>NotFound</Code><Message>x</Message></Error></ErrorResponse>',
      };

/** Moves the recorded requests back in time. */
const age = async () => {
  for (const table of ['queues', 'topics']) await database.prepare(`update ${table} set asked_at = 1`).run();
};

describe('a queue or topic whose creation failed', () => {
  it('is not listed until its creation succeeds', async () => {
    engine.reply = answering('', 500);
    expect(await outcome(createQueue('ghost'))).toBe('ServiceUnavailable');
    expect(await outcome(createTopic('ghost'))).toBe('ServiceUnavailable');
    local.logged.splice(0);
    expect([await queueNames(), await topicNames()]).toEqual([[], []]);
    expect([await shown('queues'), await shown('topics')]).toEqual([[], []]);
    expect(await outcome(sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topicOf('ghost') })))).toBe(
      'NotFoundException',
    );
    expect(await outcome(sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: urlOf('ghost') })))).toBe(
      'QueueDoesNotExist',
    );
    engine.reply = creates;
    await createQueue('ghost');
    await createTopic('ghost');
    expect([await queueNames(), await topicNames()]).toEqual([['ghost'], ['ghost']]);
    expect([await shown('queues'), await shown('topics')]).toEqual([['ghost'], ['ghost']]);
  });

  it('stays listed if it existed before', async () => {
    engine.reply = creates;
    await createQueue('kept');
    engine.reply = answering('', 500);
    expect(await outcome(createQueue('kept'))).toBe('ServiceUnavailable');
    local.logged.splice(0);
    engine.reply = answering('{"__type":"com.amazonaws.sqs#QueueNameExists","message":"x"}', 400);
    expect(await outcome(createQueue('kept'))).toBe('QueueNameExists');
    expect(await queueNames()).toEqual(['kept']);
  });

  it('is deleted from the engine on deactivation', async () => {
    engine.reply = answering('', 500);
    expect(await outcome(createQueue('ghost'))).toBe('ServiceUnavailable');
    local.logged.splice(0);
    const { results } = await database.prepare('select name, confirmed from queues').all();
    expect(results).toEqual([{ name: 'ghost', confirmed: 0 }]);
  });
});

it('a creation is listed after the engine responds, even if the client has disconnected', async () => {
  const answered = Promise.withResolvers<void>();
  engine.reply = async (request) => {
    await answered.promise;
    return creates(request);
  };
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.CreateQueue' };
  const leave = await breakable(local, faked.credentials.sqs, 'sqs', headers, '{"QueueName":"left"}');
  await expect.poll(() => engine.sent.length).toBe(1);
  leave();
  answered.resolve();
  await expect.poll(queueNames).toEqual(['left']);
});

describe('a resource that the engine no longer has', () => {
  it('disappears from the lists when a client requests it, so that clients create it again', async () => {
    engine.reply = creates;
    await createQueue('gone');
    await createTopic('gone');
    await age();
    engine.reply = lacks;
    const send = new SendMessageCommand({ QueueUrl: urlOf('gone'), MessageBody: 'x' });
    expect(await outcome(sqs.send(send))).toBe('QueueDoesNotExist');
    const publish = new PublishCommand({ TopicArn: topicOf('gone'), Message: 'x' });
    expect(await outcome(sns.send(publish))).toBe('NotFoundException');
    await expect.poll(queueNames).toEqual([]);
    await expect.poll(topicNames).toEqual([]);
  });

  it('stays listed while a request for it can be in flight', async () => {
    engine.reply = creates;
    await createQueue('new');
    engine.reply = lacks;
    const send = new SendMessageCommand({ QueueUrl: urlOf('new'), MessageBody: 'x' });
    expect(await outcome(sqs.send(send))).toBe('QueueDoesNotExist');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await queueNames()).toEqual(['new']);
  });

  it('disappears from the list of subscriptions', async () => {
    await database
      .prepare(
        `insert into subscriptions (prefix, topic, id, protocol, endpoint, created_at)
         values (?, 'events', 'id-1', 'https', 'https://a.example.com/', 1)`,
      )
      .bind(prefixes.sns)
      .run();
    const listed = async () =>
      (await sns.send(new ListSubscriptionsCommand({}))).Subscriptions?.map((one) =>
        nameOf(one.SubscriptionArn),
      );
    expect(await listed()).toEqual(['id-1']);
    engine.reply = lacks;
    const SubscriptionArn = `${faked.topicArn}:id-1`;
    await expect(sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).rejects.toMatchObject({
      name: 'NotFoundException',
      message: 'Subscription does not exist',
    });
    await expect.poll(listed).toEqual([]);
  });

  it('is reported as missing with the errors of SQS and SNS', async () => {
    engine.reply = lacks;
    await expect(
      sqs.send(new SendMessageCommand({ QueueUrl: urlOf('a'), MessageBody: 'x' })),
    ).rejects.toMatchObject({ message: 'The specified queue does not exist.' });
    for (const call of [
      () => sns.send(new PublishCommand({ TopicArn: topicOf('a'), Message: 'x' })),
      () => sns.send(new PublishCommand({ TopicArn: 'arn:scw:sns:nl-ams:project-x:a', Message: 'x' })),
      () => sns.send(new DeleteTopicCommand({ TopicArn: topicOf('a') })),
    ])
      await expect(call()).rejects.toMatchObject({ message: 'Topic does not exist' });
  });
});

describe('a page of a list', () => {
  const fill = async (kind: 'queues' | 'topics', count: number) => {
    // One statement: the local runtime's proxy blocks for each `bind`, a thousand times for long enough to lose its connection.
    const insert = database.prepare(
      `insert into ${kind} (prefix, name, asked_at) select ?, value, 1 from json_each(?)`,
    );
    const prefix = prefixes[kind === 'queues' ? 'sqs' : 'sns'];
    const names = Array.from({ length: count }, (_, at) => `n${String(at).padStart(4, '0')}`);
    await insert.bind(prefix, JSON.stringify(names)).run();
    return names;
  };

  it('of queues has a next token only if the request has a page size, like SQS', async () => {
    const names = await fill('queues', 1001);
    const all = await sqs.send(new ListQueuesCommand({}));
    expect([all.QueueUrls?.length, all.NextToken]).toEqual([1000, undefined]);
    const found: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await sqs.send(new ListQueuesCommand({ MaxResults: 400, NextToken }));
      found.push(...(page.QueueUrls ?? []).map(nameOf));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(found).toEqual(names);
  });

  it('is rejected for a token of another list', async () => {
    await fill('queues', 3);
    await fill('topics', 101);
    const { NextToken: ofQueues } = await sqs.send(new ListQueuesCommand({ MaxResults: 1 }));
    const { NextToken: ofTopics } = await sns.send(new ListTopicsCommand({}));
    expect(ofQueues && ofTopics).toBeTruthy();
    for (const NextToken of ['n0001', 'é', '%', btoa('queues a/b'), ofTopics])
      expect(await outcome(sqs.send(new ListQueuesCommand({ MaxResults: 1, NextToken })))).toBe(
        'InvalidParameterValue',
      );
    for (const NextToken of ['n0001', btoa('topics '), btoa('subscriptions a'), ofQueues]) {
      expect(await outcome(sns.send(new ListTopicsCommand({ NextToken })))).toBe('InvalidParameterException');
      expect(await outcome(sns.send(new ListSubscriptionsCommand({ NextToken })))).toBe(
        'InvalidParameterException',
      );
    }
    expect((await sns.send(new ListTopicsCommand({ NextToken: ofTopics }))).Topics).toHaveLength(1);
  });

  it('of queues without items has no list member in JSON, like SQS', async () => {
    const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.ListQueues' };
    const response = await signedFetch(local, faked.credentials.sqs, 'sqs', '/', { headers, body: '{}' });
    expect(await response.text()).toBe('{}');
  });
});
