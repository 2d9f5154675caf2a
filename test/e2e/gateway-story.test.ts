/**
 * Updates and revocations of credentials apply from the next request on, including to requests in flight: from the
 * AWS SDK through the Worker to the engine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEngineRecorder } from './engine-recorder.ts';
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
import { breakable } from './gateway-raw.ts';
import { api, useStack } from './local-stack.ts';

const recorder = await startEngineRecorder();
const local = useStack({ vars: recorder.vars });
afterAll(() => recorder.stop());
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

describe.each(['json', 'query'] as const)('credentials over %s', (protocol) => {
  it('allow what their permissions grant, and nothing after revocation, while other credentials keep working', async () => {
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

/** Counts the requests for an action on this queue that are at the engine. */
const underWay = (action: string, QueueUrl: string) =>
  recorder.underWay(`sqs.${action}`, QueueUrl.split('/').at(-1) ?? '');

/** Timeout: two hundred clients take long on a busy machine. */
const SLOW_TEST = { timeout: 60_000 };

/** Resolves when this many receives of the queue wait at the engine. */
const waitingAtEngine = (QueueUrl: string, receives = 1) =>
  expect.poll(() => underWay('ReceiveMessage', QueueUrl), SLOW_TEST).toBe(receives);

describe('200 concurrent clients', () => {
  const CLIENTS = 200;

  // On a busy machine, some wait longer than the gateway's timeout for the engine.
  afterEach(() => {
    for (const line of local.logged.splice(0)) expect(line).toContain('"engine":"unavailable"');
  });

  /** Calls repeatedly from many clients, each on its own socket, until stopped. */
  function callContinuously(credentials: Credentials, call: (client: SQSClient) => Promise<unknown>) {
    /** When each call was sent, when it returned, and its result. */
    const calls: { began: number; ended: number; outcome: string; messages: number }[] = [];
    let change = Number.POSITIVE_INFINITY;
    const work = async () => {
      const client = sqsClient(local, credentials);
      let began = 0;
      // Signing takes time: a call begins when it is written to the socket.
      const stamp = (next: (args: never) => Promise<never>) => (args: never) => {
        began = performance.now();
        return next(args);
      };
      client.middlewareStack.add(stamp as never, { step: 'deserialize', priority: 'low' });
      while (began <= change) {
        const response = call(client);
        const name = await outcome(response);
        const { Messages = [] } = (name === 'ok' ? await response : {}) as { Messages?: object[] };
        calls.push({ began, ended: performance.now(), outcome: name, messages: Messages.length });
      }
      client.destroy();
    };
    const all = Promise.all(Array.from({ length: CLIENTS }, work));
    /** Resolves to the result of the next call of each client. */
    const lastCalls = async (moment: number) => {
      change = moment;
      await all;
      return calls.filter(({ began }) => began > moment).map((one) => one.outcome);
    };
    return { calls, lastCalls };
  }

  it('are denied after an update: no request that begins after the update’s response is accepted', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true, can_manage: true });
    const open = Promise.withResolvers<void>();
    recorder.gate = open.promise;
    const { calls, lastCalls } = callContinuously(credentials, (client) => send(client, QueueUrl));
    try {
      await expect.poll(() => underWay('SendMessage', QueueUrl), SLOW_TEST).toBe(CLIENTS);
    } finally {
      open.resolve();
    }
    while (!calls.some((one) => one.outcome === 'ok')) await sleep(20);
    await update(local, 'sqs', credentials, { can_publish: false });
    expect(await lastCalls(performance.now())).toEqual(Array(CLIENTS).fill('AccessDenied'));
  });

  it('are denied after a revocation: no request is accepted, and no waiting receive delivers a message', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const { calls, lastCalls } = callContinuously(credentials, (client) => receive(client, QueueUrl, 10));
    await waitingAtEngine(QueueUrl, CLIENTS);
    await revoke(local, 'sqs', credentials);
    const changed = performance.now();
    const last = lastCalls(changed);
    await Promise.all(Array.from({ length: 20 }, () => send(manager, QueueUrl)));
    expect(await last).toEqual(Array(CLIENTS).fill('InvalidClientTokenId'));
    expect(calls.filter(({ ended, messages }) => ended > changed && messages > 0)).toEqual([]);
    // All messages are still there for other credentials.
    const found = new Set<string>();
    for (let round = 0; round < 20 && found.size < 20; round++) {
      for (const { MessageId } of (await receive(manager, QueueUrl, 1)).Messages ?? [])
        found.add(MessageId ?? '');
    }
    expect(found.size).toBe(20);
  });
});

describe('a waiting receive (long polling)', () => {
  it('delivers nothing after a revocation, and the message is immediately visible to another reader', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
    await waitingAtEngine(QueueUrl);
    await revoke(local, 'sqs', credentials);
    await send(manager, QueueUrl, 'not for the revoked');
    expect(await waiting).toBe('InvalidClientTokenId');
    // Otherwise it would stay invisible to others for 30 seconds.
    const { Messages = [] } = await receive(manager, QueueUrl, 5);
    expect(Messages.map(({ Body }) => Body)).toEqual(['not for the revoked']);
  });

  it('delivers nothing when the revocation follows within milliseconds (race)', async () => {
    const QueueUrl = await newQueue();
    for (let round = 0; round < 10; round++) {
      const credentials = await newCredentials(local, 'sqs', { can_receive: true });
      const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
      await sleep(15);
      await revoke(local, 'sqs', credentials);
      await send(manager, QueueUrl);
      expect(await waiting).toBe('InvalidClientTokenId');
      expect((await receive(manager, QueueUrl, 5)).Messages).toHaveLength(1);
    }
  });

  it('delivers nothing after the Read permission is removed', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', ALL);
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
    await waitingAtEngine(QueueUrl);
    await update(local, 'sqs', credentials, { can_receive: false });
    await send(manager, QueueUrl);
    expect(await waiting).toBe('AccessDenied');
    expect((await receive(manager, QueueUrl, 5)).Messages).toHaveLength(1);
  });

  it('delivers messages while the permission remains', async () => {
    const QueueUrl = await newQueue();
    const waiting = receive(manager, QueueUrl, 20);
    await waitingAtEngine(QueueUrl);
    await send(manager, QueueUrl, 'late');
    expect((await waiting).Messages?.map(({ Body }) => Body)).toEqual(['late']);
  });

  it('that ends empty returns access denied if the permission was removed', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 2));
    await waitingAtEngine(QueueUrl);
    await revoke(local, 'sqs', credentials);
    expect(await waiting).toBe('InvalidClientTokenId');
  });

  it('hides no message from others after its client disconnects', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', ALL);
    const headers = {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': 'AmazonSQS.ReceiveMessage',
    };
    const body = JSON.stringify({ QueueUrl, WaitTimeSeconds: 20 });
    const leave = await breakable(local, credentials, 'sqs', headers, body);
    await waitingAtEngine(QueueUrl);
    leave();
    await waitingAtEngine(QueueUrl, 0);
    await send(manager, QueueUrl, 'still here');
    const { Messages = [] } = await receive(manager, QueueUrl, 5);
    expect(Messages.map(({ Body }) => Body)).toEqual(['still here']);
  });
});

describe('the stored credentials decide', () => {
  it('the next request after a permission bit changes', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true });
    const client = sqsClient(local, credentials);
    expect(await outcome(send(client, QueueUrl))).toBe('ok');
    const path = `/mnq/v1beta1/regions/fr-par/sqs-credentials/${credentials.id}`;
    await api(local, 'PATCH', path, { permissions: { can_publish: false, can_receive: true } });
    expect(await outcome(send(client, QueueUrl))).toBe('AccessDenied');
    expect(await outcome(receive(client, QueueUrl))).toBe('ok');
  });

  it('that two swapped sealed secrets both fail', async () => {
    const pair = [await newCredentials(local, 'sqs', ALL), await newCredentials(local, 'sqs', ALL)];
    const QueueUrl = await newQueue();
    const clients = pair.map((credentials) => sqsClient(local, credentials));
    const database = await local.stack.database('REGION_FR_PAR');
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
    // The clients signed correctly, so this is a server error.
    for (const client of clients) expect(await outcome(send(client, QueueUrl))).toBe('InternalFailure');
    // The Worker's log line arrives shortly after its response.
    await expect
      .poll(() => pair.every(({ id }) => local.logged.some((line) => line.includes(id))))
      .toBe(true);
    for (const line of local.logged.splice(0)) expect(line).toContain('the key or the value was changed');
  });
});

describe('the last use of credentials', () => {
  const shown = async ({ id }: Credentials) => {
    const path = `/mnq/v1beta1/regions/fr-par/sqs-credentials/${id}`;
    return (await api<{ last_used_at: string | null; updated_at: string }>(local, 'GET', path)).last_used_at;
  };

  it('is recorded once in five minutes, and never for an invalid signature', async () => {
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
    // After any change, the guard reads the row again.
    const path = `/mnq/v1beta1/regions/fr-par/sqs-credentials/${credentials.id}`;
    await api(local, 'PATCH', path, { name: 'renamed' });
    await send(client, QueueUrl);
    await expect.poll(async () => Date.parse((await shown(credentials)) ?? '')).toBeGreaterThan(before);
  });
});
