/** Requests at the edge of the protocols: not signed, too long, malformed, or written as older clients write them. */
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
let told: Raw['told'];

beforeAll(async () => {
  ({ credentials, sqs, queueUrl, query, json, told } = await rawClients(local));
});

describe('what is not signed', () => {
  it.each<[string, RequestInit, string, string]>([
    ['a POST', { method: 'POST', headers: FORM, body: 'Action=ListQueues' }, '/', '403 AccessDenied'],
    [
      'a POST of SNS',
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
  ])('%s is refused in the protocol’s words', async (_what, init, path, expected) => {
    expect(await told(fetch(local.stack.origin + path, init))).toBe(expected);
  });

  it('the landing page is a page still', async () => {
    const page = await fetch(local.stack.origin);
    expect([page.status, page.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('the action of a JSON request must be signed too', async () => {
    const client = new AwsClient({
      accessKeyId: credentials.sqs.access_key,
      secretAccessKey: credentials.sqs.secret_key,
      region: 'fr-par',
      service: 'sqs',
    });
    const signed = await client.sign(`${local.stack.origin}/`, { method: 'POST', body: '{}' });
    const headers = { ...Object.fromEntries(signed.headers), 'X-Amz-Target': 'AmazonSQS.ListQueues' };
    const answer = fetch(local.stack.origin, { method: 'POST', headers, body: '{}' });
    expect(await told(answer)).toBe('403 InvalidSignatureException');
  });
});

describe('what is too much or nonsense', () => {
  // Again and again: whether a sender sees the answer or a broken connection is a matter of chance, if it may be either.
  it('a body beyond 4 MiB', { repeats: 30 }, async () => {
    const body = JSON.stringify({ QueueUrl: queueUrl, MessageBody: 'x'.repeat(4 * 1024 * 1024) });
    expect(await told(json('SendMessage', body))).toBe('413 RequestEntityTooLargeException');
  });

  it('a message that is too long is the engine’s to refuse', async () => {
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
  ])('a JSON body: %.60s', async (body, expected) => {
    expect(await told(json('SendMessage', body))).toBe(expected);
  });

  it('an action that does not exist, and one of another service', async () => {
    expect(await told(json('Nothing', '{}'))).toBe('400 UnknownOperationException');
    expect(await told(json('constructor', '{}'))).toBe('400 UnknownOperationException');
    expect(await told(query('sns', 'Action=SendMessage'))).toBe('400 InvalidAction');
    expect(await told(query('sqs', 'Version=2012-11-05'))).toBe('400 InvalidAction');
  });
});

describe('requests as older clients write them', () => {
  it('a POST to the queue’s URL, which names the queue by its path alone', async () => {
    const { pathname } = new URL(queueUrl);
    const body = 'Action=SendMessage&MessageBody=by+path&Version=2012-11-05';
    expect(await told(query('sqs', body, pathname))).toBe('200');
    expect(await told(query('sqs', body, `/project-${crypto.randomUUID()}/mine`))).toBe(
      '400 AWS.SimpleQueueService.NonExistentQueue',
    );
  });

  it('a presigned URL, while its time lasts', async () => {
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
    expect(await told(fetch(await presign(60)))).toBe('200');
    expect(await told(fetch(await presign(60, Date.now() - 120_000)))).toBe('403 RequestExpired');
  });
});
