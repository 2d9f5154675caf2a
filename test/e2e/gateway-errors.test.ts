/** What the AWS SDK makes of each fault: its name, its status, whether it tries again. */
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ALL, activate, type Credentials, newCredentials, sqsClient } from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
let credentials: Credentials;
let QueueUrl: string | undefined;

beforeAll(async () => {
  await activate(local, 'fr-par', local.owner.project_id);
  credentials = await newCredentials(local, 'sqs', ALL);
  const made = await sqsClient(local, credentials).send(new CreateQueueCommand({ QueueName: 'orders' }));
  QueueUrl = made.QueueUrl;
});

describe('the SDK', () => {
  const patient = (secretAccessKey: string) =>
    new SQSClient({
      endpoint: local.stack.origin,
      region: 'fr-par',
      maxAttempts: 3,
      credentials: { accessKeyId: credentials.access_key, secretAccessKey },
    });
  const send = (client: SQSClient) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));

  it('tries again by itself when the service is unavailable, and not when it is refused', async () => {
    const engine = local.stack.engines.get('fr-par');
    await engine?.stop();
    await expect(send(patient(credentials.secret_key))).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { attempts: 3, httpStatusCode: 503 },
    });
    expect(local.logged.splice(0)).toHaveLength(3);
    await engine?.start();
    await expect(send(patient('wrong'))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { attempts: 1, httpStatusCode: 403 },
    });
  });

  it('corrects a clock that is wrong', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    try {
      const answer = await send(patient(credentials.secret_key));
      expect(answer.$metadata.attempts).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is told the code of each fault of a signature', async () => {
    const told = async (alter: (headers: Headers) => void, accessKeyId = credentials.access_key) => {
      const client = new AwsClient({
        accessKeyId,
        secretAccessKey: credentials.secret_key,
        region: 'fr-par',
        service: 'sqs',
      });
      const headers = {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': 'AmazonSQS.ListQueues',
      };
      const signed = await client.sign(`${local.stack.origin}/`, { method: 'POST', headers, body: '{}' });
      const altered = new Headers(signed.headers);
      alter(altered);
      const answer = await fetch(`${local.stack.origin}/`, { method: 'POST', headers: altered, body: '{}' });
      return [answer.status, answer.headers.get('x-amzn-query-error')?.split(';')[0]];
    };
    const authorization = (change: (text: string) => string) => (headers: Headers) =>
      headers.set('Authorization', change(headers.get('Authorization') ?? ''));
    expect(await told(() => {})).toEqual([200, undefined]);
    expect(await told(() => {}, 'LKEYunknownunknown00')).toEqual([403, 'InvalidClientTokenId']);
    expect(await told((headers) => headers.delete('Authorization'))).toEqual([403, 'AccessDenied']);
    expect(await told(authorization((text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')))).toEqual(
      [403, 'SignatureDoesNotMatch'],
    );
    expect(await told(authorization((text) => text.replace(/, Signature=.*/, '')))).toEqual([
      400,
      'IncompleteSignature',
    ]);
    expect(await told((headers) => headers.set('X-Amz-Security-Token', 'x'))).toEqual([
      403,
      'InvalidClientTokenId',
    ]);
    expect(await told((headers) => headers.set('X-Amz-Date', '20200101T000000Z'))).toEqual([
      400,
      'IncompleteSignature',
    ]);
  });
});
