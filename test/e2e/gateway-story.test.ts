/**
 * What a credential may do follows its updates and its revocation on the very next request: the AWS SDK, through the
 * Worker, to the engine, with requests that are under way while the change is made.
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

/** How many requests for an action are at the engine, for this queue. */
const underWay = (action: string, QueueUrl: string) =>
  recorder.underWay(`sqs.${action}`, QueueUrl.split('/').at(-1) ?? '');

/** Two hundred clients take their time on a busy machine. */
const PATIENT = { timeout: 60_000 };

/** Resolves when so many receives of this queue wait at the engine. */
const waitingAtEngine = (QueueUrl: string, receives = 1) =>
  expect.poll(() => underWay('ReceiveMessage', QueueUrl), PATIENT).toBe(receives);

describe('200 clients at once', () => {
  const CLIENTS = 200;

  // On a busy machine some wait for longer than the gateway has patience with the engine.
  afterEach(() => {
    for (const line of local.logged.splice(0)) expect(line).toContain('"engine":"unavailable"');
  });

  /** Calls again and again on so many clients, each with a socket of its own, until they are told to end. */
  function storm(credentials: Credentials, call: (client: SQSClient) => Promise<unknown>) {
    /** When each call went out and its answer came, and what came of it. */
    const calls: { began: number; ended: number; outcome: string; messages: number }[] = [];
    let change = Number.POSITIVE_INFINITY;
    const work = async () => {
      const client = sqsClient(local, credentials);
      let began = 0;
      // Signing takes its time: a call begins when it is handed to the socket.
      const stamp = (next: (args: never) => Promise<never>) => (args: never) => {
        began = performance.now();
        return next(args);
      };
      client.middlewareStack.add(stamp as never, { step: 'deserialize', priority: 'low' });
      while (began <= change) {
        const answer = call(client);
        const name = await outcome(answer);
        const { Messages = [] } = (name === 'ok' ? await answer : {}) as { Messages?: object[] };
        calls.push({ began, ended: performance.now(), outcome: name, messages: Messages.length });
      }
      client.destroy();
    };
    const all = Promise.all(Array.from({ length: CLIENTS }, work));
    /** Has each client begin one more call than it had at this moment; resolves to what came of these. */
    const lastCalls = async (moment: number) => {
      change = moment;
      await all;
      return calls.filter(({ began }) => began > moment).map((one) => one.outcome);
    };
    return { calls, lastCalls };
  }

  it('see an update: no request begun after its answer is accepted', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_publish: true, can_manage: true });
    const open = Promise.withResolvers<void>();
    recorder.gate = open.promise;
    const { calls, lastCalls } = storm(credentials, (client) => send(client, QueueUrl));
    try {
      await expect.poll(() => underWay('SendMessage', QueueUrl), PATIENT).toBe(CLIENTS);
    } finally {
      open.resolve();
    }
    while (!calls.some((one) => one.outcome === 'ok')) await sleep(20);
    await update(local, 'sqs', credentials, { can_publish: false });
    expect(await lastCalls(performance.now())).toEqual(Array(CLIENTS).fill('AccessDenied'));
  });

  it('see a revocation: none is accepted, and none that was waiting delivers a message', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const { calls, lastCalls } = storm(credentials, (client) => receive(client, QueueUrl, 10));
    await waitingAtEngine(QueueUrl, CLIENTS);
    await revoke(local, 'sqs', credentials);
    const changed = performance.now();
    const last = lastCalls(changed);
    await Promise.all(Array.from({ length: 20 }, () => send(manager, QueueUrl)));
    expect(await last).toEqual(Array(CLIENTS).fill('InvalidClientTokenId'));
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
    await waitingAtEngine(QueueUrl);
    await revoke(local, 'sqs', credentials);
    await send(manager, QueueUrl, 'not for the revoked');
    expect(await waiting).toBe('InvalidClientTokenId');
    // Not given back, it would be kept from others for 30 seconds.
    const { Messages = [] } = await receive(manager, QueueUrl, 5);
    expect(Messages.map(({ Body }) => Body)).toEqual(['not for the revoked']);
  });

  it('delivers nothing after a revocation that follows it within milliseconds', async () => {
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

  it('delivers nothing once Read is taken away', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', ALL);
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 20));
    await waitingAtEngine(QueueUrl);
    await update(local, 'sqs', credentials, { can_receive: false });
    await send(manager, QueueUrl);
    expect(await waiting).toBe('AccessDenied');
    expect((await receive(manager, QueueUrl, 5)).Messages).toHaveLength(1);
  });

  it('delivers as ever to whom it may', async () => {
    const QueueUrl = await newQueue();
    const waiting = receive(manager, QueueUrl, 20);
    await waitingAtEngine(QueueUrl);
    await send(manager, QueueUrl, 'late');
    expect((await waiting).Messages?.map(({ Body }) => Body)).toEqual(['late']);
  });

  it('tells one who waited for nothing that it may no longer ask', async () => {
    const QueueUrl = await newQueue();
    const credentials = await newCredentials(local, 'sqs', { can_receive: true });
    const waiting = outcome(receive(sqsClient(local, credentials), QueueUrl, 2));
    await waitingAtEngine(QueueUrl);
    await revoke(local, 'sqs', credentials);
    expect(await waiting).toBe('InvalidClientTokenId');
  });

  it('keeps no message from others when its client goes away', async () => {
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
    // The clients signed correctly, so this is a fault of the server.
    for (const client of clients) expect(await outcome(send(client, QueueUrl))).toBe('InternalFailure');
    // What the Worker logs arrives a moment after its response.
    await expect
      .poll(() => pair.every(({ id }) => local.logged.some((line) => line.includes(id))))
      .toBe(true);
    for (const line of local.logged.splice(0)) expect(line).toContain('the key or the value was changed');
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
