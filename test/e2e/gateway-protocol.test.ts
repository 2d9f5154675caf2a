/** Edge cases of the protocols: unsigned, too long or malformed requests, and forms that older clients use. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcome } from './gateway-clients.ts';
import { FORM, type Raw, rawClients } from './gateway-raw.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let credentials: Raw['credentials'];
let sqs: Raw['sqs'];
let queueUrl: Raw['queueUrl'];
let query: Raw['query'];
let json: Raw['json'];
let resultOf: Raw['resultOf'];

beforeAll(async () => {
  ({ credentials, sqs, queueUrl, query, json, resultOf } = await rawClients(local));
});

describe('an unsigned request', () => {
  it.each<[string, RequestInit, string, string]>([
    ['a POST', { method: 'POST', headers: FORM, body: 'Action=ListQueues' }, '/', '403 AccessDenied'],
    [
      'a POST to SNS',
      { method: 'POST', headers: FORM, body: 'Action=ListTopics&Version=2010-03-31' },
      '/',
      '403 MissingAuthenticationToken',
    ],
    [
      'JSON',
      { method: 'POST', headers: { 'X-Amz-Target': 'AmazonSQS.ListQueues' }, body: '{}' },
      '/',
      '403 AccessDeniedException',
    ],
    ['a GET of a queue', {}, '/project-x/mine', '403 AccessDenied'],
  ])('%s is rejected with the protocol’s error', async (_what, init, path, expected) => {
    expect(await resultOf(fetch(local.stack.origin + path, init))).toBe(expected);
  });

  it('the landing page is still a page', async () => {
    const page = await fetch(local.stack.origin);
    expect([page.status, page.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('the signature of a JSON request must cover the action', async () => {
    const client = new AwsClient({
      accessKeyId: credentials.sqs.access_key,
      secretAccessKey: credentials.sqs.secret_key,
      region: 'fr-par',
      service: 'sqs',
    });
    const signed = await client.sign(`${local.stack.origin}/`, { method: 'POST', body: '{}' });
    const headers = { ...Object.fromEntries(signed.headers), 'X-Amz-Target': 'AmazonSQS.ListQueues' };
    const response = fetch(local.stack.origin, { method: 'POST', headers, body: '{}' });
    expect(await resultOf(response)).toBe('403 InvalidSignatureException');
  });
});

describe('an invalid request', () => {
  // Repeatedly: whether a sender sees the response or a closed connection could be a matter of chance.
  it('with a body beyond 4 MiB is rejected', { repeats: 30 }, async () => {
    const body = JSON.stringify({ QueueUrl: queueUrl, MessageBody: 'x'.repeat(4 * 1024 * 1024) });
    expect(await resultOf(json('SendMessage', body))).toBe('413 RequestEntityTooLargeException');
  });

  it('with an over-long message is forwarded, for the engine to reject', async () => {
    const MessageBody = 'x'.repeat(1024 * 1024 + 1);
    expect(await outcome(sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody })))).toBe(
      'InvalidParameterValue',
    );
  });

  it.each<[string, string]>([
    ['{"QueueUrl":', '400 SerializationException'],
    ['[]', '400 SerializationException'],
    ['{"QueueUrl":7,"MessageBody":"x"}', '400 InvalidParameterValueException'],
    ['{"MessageBody":"x"}', '400 MissingRequiredParameterException'],
    [`{"QueueUrl":"x","__proto__":{"MessageBody":"x"}}`, '400 MissingRequiredParameterException'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, '400 SerializationException'],
  ])('with an invalid JSON body is rejected: %.60s', async (body, expected) => {
    expect(await resultOf(json('SendMessage', body))).toBe(expected);
  });

  it('with an unknown action, or one of another service, is rejected', async () => {
    expect(await resultOf(json('Nothing', '{}'))).toBe('400 UnknownOperationException');
    expect(await resultOf(json('constructor', '{}'))).toBe('400 UnknownOperationException');
    expect(await resultOf(query('sns', 'Action=SendMessage'))).toBe('400 InvalidAction');
    expect(await resultOf(query('sqs', 'Version=2012-11-05'))).toBe('400 InvalidAction');
  });
});

describe('a request of an older client is accepted:', () => {
  it('a POST to the queue’s URL, which names the queue in the path only', async () => {
    const { pathname } = new URL(queueUrl);
    const body = 'Action=SendMessage&MessageBody=by+path&Version=2012-11-05';
    expect(await resultOf(query('sqs', body, pathname))).toBe('200');
    expect(await resultOf(query('sqs', body, `/project-${crypto.randomUUID()}/mine`))).toBe(
      '400 AWS.SimpleQueueService.NonExistentQueue',
    );
  });

  it('a presigned URL, until it expires', async () => {
    const presign = (expires: number, at = Date.now()) => {
      const client = new AwsClient({
        accessKeyId: credentials.sqs.access_key,
        secretAccessKey: credentials.sqs.secret_key,
        region: 'fr-par',
        service: 'sqs',
      });
      const datetime = new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, '');
      const url = new URL('/?Action=ListQueues&Version=2012-11-05', local.stack.origin);
      url.searchParams.set('X-Amz-Expires', String(expires));
      return client.sign(url, { method: 'GET', aws: { signQuery: true, datetime } });
    };
    expect(await resultOf(fetch(await presign(60)))).toBe('200');
    expect(await resultOf(fetch(await presign(60, Date.now() - 120_000)))).toBe('403 RequestExpired');
  });
});
