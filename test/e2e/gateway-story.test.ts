/**
 * What a credential may do follows its updates and its revocation on the very next request: the AWS SDK, through the
 * Worker, to the engine, with requests that are under way while the change is made.
 */

import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  outcome,
  revoke,
  sqsClient,
  update,
} from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';

const local = useStack();
let manager: SQSClient;

beforeAll(async () => {
  await activate(local, 'fr-par', local.owner.project_id);
  manager = sqsClient(local, await newCredentials(local, 'sqs', ALL));
});

async function newQueue(): Promise<string> {
  const { QueueUrl } = await manager.send(new CreateQueueCommand({ QueueName: crypto.randomUUID() }));
  return QueueUrl as string;
}

const send = (client: SQSClient, QueueUrl: string, MessageBody = 'body') =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
const receive = (client: SQSClient, QueueUrl: string, WaitTimeSeconds = 0) =>
  client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MaxNumberOfMessages: 10 }));

describe.each(['json', 'query'] as const)('a credential, over %s', (protocol) => {
  it('does what its permissions say, and nothing once revoked, while a sibling goes on', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true });
    const client = sqsClient(local, credentials, protocol);

    expect((await send(client, QueueUrl)).MessageId).toBeTruthy();
    await expect(receive(client, QueueUrl)).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });

    await update(local, 'sqs', credentials, { can_publish: false, can_receive: true });
    await expect(send(client, QueueUrl)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect((await receive(client, QueueUrl)).Messages?.map(({ Body }) => Body)).toEqual(['body']);

    await revoke(local, 'sqs', credentials);
    await expect(receive(client, QueueUrl)).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
      $metadata: { httpStatusCode: 403 },
    });
    expect(await outcome(send(manager, QueueUrl))).toBe('ok');
  });
});

describe('200 clients at once', () => {
  /** Calls again and again on 200 clients until told to end; keeps when each call began, ended and what came of it. */
  function storm(credentials: Credentials, call: (client: SQSClient) => Promise<unknown>) {
    const calls: { began: number; ended: number; outcome: string; messages: number }[] = [];
    let going = true;
    const client = sqsClient(local, credentials);
    const work = async () => {
      while (going) {
        const began = performance.now();
        const answer = call(client);
        const name = await outcome(answer);
        const { Messages = [] } = (name === 'ok' ? await answer : {}) as { Messages?: object[] };
        calls.push({ began, ended: performance.now(), outcome: name, messages: Messages.length });
      }
    };
    const all = Promise.all(Array.from({ length: 200 }, work));
    const end = async () => {
      going = false;
      await all;
      return calls;
    };
    return { calls, end };
  }

  it('see an update: no request begun after its answer is accepted', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true, can_manage: true });
    const { calls, end } = storm(credentials, (client) => send(client, QueueUrl));
    while (!calls.some((one) => one.outcome === 'ok')) await sleep(10);
    await update(local, 'sqs', credentials, { can_publish: false });
    const changed = performance.now();
    await sleep(500);
    const after = (await end()).filter(({ began }) => began > changed);
    expect(after.length).toBeGreaterThan(0);
    expect([...new Set(after.map((one) => one.outcome))]).toEqual(['AccessDenied']);
  });

  it('see a revocation: none is accepted, and none that was waiting delivers a message', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const { calls, end } = storm(credentials, (client) => receive(client, QueueUrl, 2));
    await sleep(1000);
    await revoke(local, 'sqs', credentials);
    const changed = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => send(manager, QueueUrl)));
    await sleep(500);
    await end();
    const after = calls.filter(({ began }) => began > changed);
    expect([...new Set(after.map((one) => one.outcome))]).toEqual(['InvalidClientTokenId']);
    expect(calls.filter(({ ended, messages }) => ended > changed && messages > 0)).toEqual([]);
    // They are all there for whoever may read them.
    const found = new Set<string>();
    for (let round = 0; round < 20 && found.size < 20; round++) {
      for (const { MessageId } of (await receive(manager, QueueUrl, 1)).Messages ?? [])
        found.add(MessageId ?? '');
    }
    expect(found.size).toBe(20);
  });
});

describe('a receive that was waiting', () => {
  it('delivers nothing after a revocation, and the message reaches another reader at once', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
    await sleep(1200);
    await revoke(local, 'sqs', credentials);
    await send(manager, QueueUrl, 'not for the revoked');
    expect(await waiting).toBe('InvalidClientTokenId');
    const start = performance.now();
    const { Messages = [] } = await receive(manager, QueueUrl, 5);
    expect(Messages.map(({ Body }) => Body)).toEqual(['not for the revoked']);
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it('delivers nothing once Read is taken away', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', ALL);
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
    await sleep(500);
    await update(local, 'sqs', credentials, { can_receive: false });
    await send(manager, QueueUrl);
    expect(await waiting).toBe('AccessDenied');
    expect((await receive(manager, QueueUrl, 5)).Messages).toHaveLength(1);
  });

  it('delivers as ever to whom it may', async () => {
    const QueueUrl = await newQueue();
    const waiting = receive(manager, QueueUrl, 20);
    await sleep(1200);
    await send(manager, QueueUrl, 'late');
    expect((await waiting).Messages?.map(({ Body }) => Body)).toEqual(['late']);
  });

  it('keeps no message from others when its client goes away', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', ALL);
    const leave = await receiveRaw(credentials, QueueUrl, 20);
    await sleep(500);
    leave();
    await sleep(200);
    await send(manager, QueueUrl, 'still here');
    const { Messages = [] } = await receive(manager, QueueUrl, 5);
    expect(Messages.map(({ Body }) => Body)).toEqual(['still here']);
  });
});

/**
 * Begins a receive, and returns what breaks its connection. With a reset: the local runtime takes a connection that is
 * closed properly for one whose client still listens, which the edge does not.
 */
async function receiveRaw(credentials: Credentials, QueueUrl: string, WaitTimeSeconds: number) {
  const body = JSON.stringify({ QueueUrl, WaitTimeSeconds });
  const headers = {
    'Content-Type': 'application/x-amz-json-1.0',
    'X-Amz-Target': 'AmazonSQS.ReceiveMessage',
  };
  const client = new AwsClient({
    accessKeyId: credentials.access_key,
    secretAccessKey: credentials.secret_key,
    region: credentials.region,
    service: 'sqs',
  });
  const signed = await client.sign(`${local.stack.origin}/`, { method: 'POST', headers, body });
  const sent = request(local.stack.origin, { method: 'POST', headers: Object.fromEntries(signed.headers) });
  sent.on('error', () => {});
  sent.end(body);
  return () => sent.socket?.resetAndDestroy();
}

describe('the database is what decides', () => {
  const region = () => local.stack.database('REGION_FR_PAR');

  it('a permission bit that is changed there is obeyed by the next request', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true });
    const client = sqsClient(local, credentials);
    expect(await outcome(send(client, QueueUrl))).toBe('ok');
    const database = await region();
    await database.prepare('update credentials set permissions = 2 where id = ?').bind(credentials.id).run();
    expect(await outcome(send(client, QueueUrl))).toBe('AccessDenied');
    expect(await outcome(receive(client, QueueUrl))).toBe('ok');
  });

  it('two sealed secrets that are swapped fail both', async () => {
    const pair = [await newCredentials(local, 'sqs', ALL), await newCredentials(local, 'sqs', ALL)];
    const QueueUrl = await newQueue();
    const clients = pair.map((credentials) => sqsClient(local, credentials));
    for (const client of clients) expect(await outcome(send(client, QueueUrl))).toBe('ok');
    const database = await region();
    const secretOf = (id: string) =>
      database
        .prepare('select sealed_secret as text from credentials where id = ?')
        .bind(id)
        .first<{ text: string }>();
    const secrets = await Promise.all(pair.map(({ id }) => secretOf(id)));
    for (const [at, { id }] of pair.entries()) {
      const other = secrets[1 - at]?.text;
      await database.prepare('update credentials set sealed_secret = ? where id = ?').bind(other, id).run();
    }
    for (const client of clients) expect(await outcome(send(client, QueueUrl))).toBe('SignatureDoesNotMatch');
    const told = local.logged.splice(0);
    expect(told).toHaveLength(2);
    for (const line of told) expect(line).toContain('its secret cannot be opened');
  });
});

describe('the last use of a credential', () => {
  const shown = async ({ id }: Credentials) => {
    const path = `/mnq/v1beta1/regions/fr-par/sqs-credentials/${id}`;
    return (await api<{ last_used_at: string | null; updated_at: string }>(local, 'GET', path)).last_used_at;
  };

  it('is noted once in five minutes, and for no signature that is not good', async () => {
    const credentials = await newCredentials(local, 'sqs', ALL);
    const forged = sqsClient(local, { ...credentials, secret_key: 'another' });
    expect(await outcome(forged.send(new GetQueueUrlCommand({ QueueName: 'a' })))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(await shown(credentials)).toBeNull();

    const client = sqsClient(local, credentials);
    const before = Date.now();
    const QueueUrl = await newQueue();
    await send(client, QueueUrl);
    await expect.poll(() => shown(credentials)).not.toBeNull();
    const first = (await shown(credentials)) ?? '';
    expect(Date.parse(first)).toBeGreaterThanOrEqual(before);

    await sleep(50);
    await send(client, QueueUrl);
    await sleep(200);
    expect(await shown(credentials)).toBe(first);

    const earlier = Date.now() - 5 * 60_000;
    const database = await local.stack.database('REGION_FR_PAR');
    await database
      .prepare('update credentials set last_used_at = ? where id = ?')
      .bind(earlier, credentials.id)
      .run();
    await send(client, QueueUrl);
    await expect.poll(async () => Date.parse((await shown(credentials)) ?? '')).toBeGreaterThan(before);
  });
});
