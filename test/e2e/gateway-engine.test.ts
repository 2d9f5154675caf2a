/**
 * The gateway and its engine: the requests that the engine receives, and the errors that clients get when the engine
 * is down, slow or returns invalid responses.
 */
import { CreateTopicCommand, PublishBatchCommand, PublishCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FakeEngine } from './fake-engine.ts';
import {
  ALL,
  activate,
  type Credentials,
  deactivate,
  newCredentials,
  newProject,
  outcome,
  signedFetch,
  sqsClient,
} from './gateway-clients.ts';
import { ACCOUNT, answering, type Faked, snsReply, useFakeEngine } from './gateway-fake.ts';

const faked = await useFakeEngine();
const { engine, local } = faked;

let sqs: Faked['sqs'];
let sns: Faked['sns'];
let credentials: Credentials;
let QueueUrl: string;
let TopicArn: string;
let prefixes: Faked['prefixes'];

beforeAll(() => {
  ({ sqs, sns, prefixes, queueUrl: QueueUrl, topicArn: TopicArn } = faked);
  credentials = faked.credentials.sqs;
});

describe('the engine receives', () => {
  it('nothing of the client’s request except the fields of the action', async () => {
    engine.reply = answering('{"MessageId":"m","MD5OfMessageBody":"841a2d689ad86bd1611447453c22c6fc"}');
    await signedFetch(local, credentials, 'sqs', '/', {
      headers: {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': 'AmazonSQS.SendMessage',
        'X-Amz-Extra': 'extra',
        Cookie: 'a=b',
      },
      body: JSON.stringify({ QueueUrl, MessageBody: 'body', Unknown: 'x', QueueOwnerAWSAccountId: ACCOUNT }),
    });
    const [sent] = engine.sent;
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      QueueUrl: `${engine.url}/${ACCOUNT}/${prefixes.sqs}orders`,
      MessageBody: 'body',
    });
    expect(JSON.stringify(sent)).not.toContain(credentials.access_key);
    expect(sent?.headers).not.toHaveProperty('x-amz-extra');
    expect(sent?.headers).not.toHaveProperty('cookie');
    expect(sent?.headers.authorization).toContain('Credential=ENGINEOPERATOR/');
    expect(sent?.headers.authorization).toContain('/eu-west-3/sqs/aws4_request');
    expect(sent?.headers['x-amz-target']).toBe('AmazonSQS.SendMessage');
  });

  it('JSON, whatever protocol the client uses', async () => {
    engine.reply = answering('{"MessageId":"m","MD5OfMessageBody":"841a2d689ad86bd1611447453c22c6fc"}');
    const attribute = 'MessageAttribute.1';
    const body = `Action=SendMessage&QueueUrl=${encodeURIComponent(QueueUrl)}&MessageBody=body&DelaySeconds=3&${attribute}.Name=a&${attribute}.Value.DataType=String&${attribute}.Value.StringValue=b`;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const response = await signedFetch(local, credentials, 'sqs', '/', { headers, body });
    expect(await response.text()).toContain('<SendMessageResult><MessageId>m</MessageId>');
    expect(JSON.parse(engine.sent[0]?.body ?? '')).toMatchObject({
      MessageBody: 'body',
      DelaySeconds: 3,
      MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } },
    });
  });
});

describe('the client gets ServiceUnavailable, and the message is sent once, when the engine', () => {
  const html = '<html><body>Bad gateway</body></html>';
  const empty = (action: string | null) => ({ status: 200, body: `<${action}Response/>` });
  const resultsOfOne = (action: string | null | undefined) => {
    const [id, md5] = ['m', '9dd4e461268c8034f5c8564e155c67a6'];
    const json = { Successful: [{ Id: 'a', MessageId: id, MD5OfMessageBody: md5 }], Failed: [] };
    if (!action) return { status: 200, body: JSON.stringify(json) };
    return snsReply(
      action,
      `<Successful><member><Id>a</Id><MessageId>${id}</MessageId></member></Successful>`,
    );
  };
  const Entries = ['a', 'b'].map((Id) => ({ Id, MessageBody: 'x' }));
  const PublishBatchRequestEntries = ['a', 'b'].map((Id) => ({ Id, Message: 'x' }));

  it.each<[string, FakeEngine['reply']]>([
    ['responds with an error page', answering(html, 502)],
    ['responds with an HTML page', answering(html)],
    ['responds with other JSON', answering('[1]')],
    ['responds with an empty body', answering('')],
    ['responds without the message’s ID', answering('{}')],
    ['responds with other fields', answering('{"ok":true}')],
    ['responds with empty XML', ({ body }) => empty(new URLSearchParams(body).get('Action'))],
    [
      'returns one result for a batch of two',
      ({ headers, body }) =>
        resultsOfOne(headers['x-amz-target'] ? undefined : new URLSearchParams(body).get('Action')),
    ],
    ['redirects', () => ({ status: 307, headers: { Location: `${engine.url}/elsewhere` }, body: '' })],
    [
      'rejects the operator’s key',
      answering('{"__type":"a#UnrecognizedClientException","message":"x"}', 403),
    ],
    ['denies the operator permission', answering('{"__type":"a#AccessDeniedException","message":"x"}', 400)],
    ['rejects the request with an unknown error', answering(html, 400)],
  ])('%s', async (_what, reply) => {
    engine.reply = reply;
    const calls = [
      () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })),
      () => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })),
      () => sns.send(new PublishCommand({ TopicArn, Message: 'x' })),
      () => sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries })),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        name: 'ServiceUnavailable',
        $metadata: { httpStatusCode: 503 },
      });
    }
    expect(engine.sent).toHaveLength(calls.length);
    for (const line of local.logged.splice(0)) expect(line).toContain('"engine":"unavailable"');
  });

  it('returns a resource of another account', async () => {
    engine.reply = answering(JSON.stringify({ QueueUrl: `${engine.url}/${ACCOUNT}/other` }));
    expect(await outcome(sqs.send(new GetQueueUrlCommand({ QueueName: 'a' })))).toBe('ServiceUnavailable');
    const arn = `arn:aws:sns:eu-west-3:${ACCOUNT}:other`;
    engine.reply = () => snsReply('CreateTopic', `<TopicArn>${arn}</TopicArn>`);
    expect(await outcome(sns.send(new CreateTopicCommand({ Name: 'events' })))).toBe('ServiceUnavailable');
    expect(local.logged.splice(0)).toHaveLength(2);
  });

  it('is too slow, after a deadline', async () => {
    engine.reply = () => undefined;
    expect(await outcome(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })))).toBe(
      'ServiceUnavailable',
    );
    expect(engine.sent).toHaveLength(1);
    await expect.poll(() => engine.sent[0]?.ended).toBe(true);
    expect(local.logged.splice(0)).toHaveLength(1);
  });

  it('is down, without affecting another region', async () => {
    const paris = local.stack.engines.get('fr-par');
    await paris?.stop();
    await activate(local, 'fr-par', local.owner.project_id, ['sqs']);
    const there = sqsClient(local, await newCredentials(local, 'sqs', ALL));
    const name = outcome(there.send(new CreateQueueCommand({ QueueName: 'a' })));
    expect(await name).toBe('ServiceUnavailable');
    engine.reply = answering('{"MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6"}');
    expect(await outcome(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })))).toBe('ok');
    await paris?.start();
    expect(await outcome(there.send(new CreateQueueCommand({ QueueName: 'a' })))).toBe('ok');
    local.logged.splice(0);
  });
});

describe('a response of the engine', () => {
  it('is converted by its code, without the engine’s names', async () => {
    const message = `Queue ${prefixes.sqs}orders of ${ACCOUNT} is no FIFO queue`;
    engine.reply = answering(
      JSON.stringify({ __type: 'com.amazonaws.sqs#UnsupportedOperation', message }),
      400,
    );
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toMatchObject({
      name: 'UnsupportedOperation',
      Code: 'AWS.SimpleQueueService.UnsupportedOperation',
      message: 'The request was refused.',
    });
  });

  it.each([
    'com.amazon.coral.service#InvalidParameterValueException',
    'com.amazonaws.sqs#InvalidParameterValue',
  ])('has SQS’s error name in each protocol: %s', async (type) => {
    engine.reply = answering(JSON.stringify({ __type: type, message: 'x' }), 400);
    const send = new SendMessageCommand({ QueueUrl, MessageBody: 'x' });
    for (const protocol of ['json', 'query'] as const) {
      await expect(sqsClient(local, credentials, protocol).send(send)).rejects.toMatchObject({
        Code: 'InvalidParameterValue',
      });
    }
    const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.SendMessage' };
    const body = JSON.stringify({ QueueUrl, MessageBody: 'x' });
    const response = await signedFetch(local, credentials, 'sqs', '/', { headers, body });
    expect(await response.json()).toMatchObject({
      __type: 'com.amazon.coral.service#InvalidParameterValueException',
    });
  });

  it('to a creation in flight during deactivation is undone (race)', async () => {
    const projectId = await newProject(local);
    const at = { region: 'nl-ams', projectId };
    await activate(local, 'nl-ams', projectId, ['sqs']);
    const client = sqsClient(local, await newCredentials(local, 'sqs', ALL, at));
    const removals = () =>
      engine.sent.filter(({ headers }) => headers['x-amz-target'] === 'AmazonSQS.DeleteQueue');
    const missing = { status: 400, body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"x"}' };
    engine.reply = ({ headers }) =>
      headers['x-amz-target'] === 'AmazonSQS.CreateQueue' ? undefined : missing;
    const leaving = new AbortController();
    const command = new CreateQueueCommand({ QueueName: 'late' });
    const creating = outcome(client.send(command, { abortSignal: leaving.signal }));
    await expect.poll(() => engine.sent.length).toBe(1);
    await deactivate(local, 'nl-ams', projectId, 'sqs');
    leaving.abort();
    await creating;
    expect(removals()).toHaveLength(1);

    const database = await local.stack.database('REGION_NL_AMS');
    await database.prepare('update deactivations set since = since - 60000').run();
    engine.reply = answering('{}');
    await local.stack.schedule();
    expect(removals()).toHaveLength(2);
    await local.stack.schedule();
    expect(removals()).toHaveLength(2);
    local.logged.splice(0);
  });

  it('that deletes one resource with an error does not stop the deletion of the others', async () => {
    const projectId = await newProject(local);
    const at = { region: 'nl-ams', projectId };
    await activate(local, 'nl-ams', projectId, ['sqs']);
    const client = sqsClient(local, await newCredentials(local, 'sqs', ALL, at));
    const database = await local.stack.database('REGION_NL_AMS');
    const { prefix } = (await database
      .prepare('select prefix from services where project_id = ?')
      .bind(projectId)
      .first<{ prefix: string }>()) as { prefix: string };
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'kept', 'last'].map((name) => `q-${name}`);
    engine.reply = ({ body }) => {
      const { QueueName } = JSON.parse(body) as { QueueName: string };
      return { status: 200, body: JSON.stringify({ QueueUrl: `${engine.url}/${ACCOUNT}/${QueueName}` }) };
    };
    for (const QueueName of names) await client.send(new CreateQueueCommand({ QueueName }));

    const refusal = {
      status: 400,
      body: '{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"x"}',
    };
    engine.reply = ({ body }) => (body.includes('q-last') ? { status: 200, body: '{}' } : refusal);
    await deactivate(local, 'nl-ams', projectId, 'sqs');
    await database.prepare('update deactivations set since = since - 60000').run();
    await local.stack.schedule();
    const left = async (table: string) =>
      (await database.prepare(`select * from ${table} where prefix = ?`).bind(prefix).all()).results.length;
    expect([await left('queues'), await left('deactivations')]).toEqual([names.length - 1, 1]);

    engine.reply = answering('{}');
    await local.stack.schedule();
    expect([await left('queues'), await left('deactivations')]).toEqual([0, 0]);
  });

  it('that is throttling is returned as throttling', async () => {
    engine.reply = answering('{"__type":"a#ThrottlingException","message":"x"}', 400);
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toMatchObject({
      name: 'RequestThrottled',
      $metadata: { httpStatusCode: 403 },
    });
    engine.reply = answering(
      '<ErrorResponse><Error><Code>Throttling</Code><Message>x</Message></Error></ErrorResponse>',
      400,
    );
    await expect(sns.send(new PublishCommand({ TopicArn, Message: 'x' }))).rejects.toMatchObject({
      name: 'ThrottledException',
      $metadata: { httpStatusCode: 429 },
    });
  });
});
