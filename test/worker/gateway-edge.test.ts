/**
 * The gateway in workerd with a function as the engine: round trips, client disconnects, CORS, rate limits, and
 * regions without an engine.
 */
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { recordGatewayUse } from '../../db/region/gateway.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { hasCheck } from '../../functions/shared/access-keys.ts';
import { configOf } from '../../functions/shared/env.ts';
import { type Cost, counted } from './cost.ts';
import { env, envWithEngine } from './env.ts';
import { failing } from './fault.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';
import { localGuards } from './local-guards.ts';

let owner: Owner;
let client: AwsClient;
let topics: AwsClient;
let credentialsId: string;

beforeAll(async () => {
  owner = await newOwner();
  const api = clientOf(owner, 'fr-par');
  const { project_id } = owner;
  const permissions = { can_publish: true, can_receive: true, can_manage: true };
  const newClient = async (service: 'sqs' | 'sns') => {
    await api.post(`/activate-${service}`, { project_id });
    const { body } = await api.post(`/${service}-credentials`, { project_id, permissions });
    const { id, access_key: accessKeyId, secret_key: secretAccessKey } = body;
    return { id, client: new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service }) };
  };
  ({ id: credentialsId, client } = await newClient('sqs'));
  ({ client: topics } = await newClient('sns'));
});

afterEach(() => {
  vi.restoreAllMocks();
});

function signed(action: string, fields: object, init: RequestInit = {}): Promise<Request> {
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` };
  return signedBy(client, headers, JSON.stringify(fields), init);
}

function signedForTopics(fields: Record<string, string>): Promise<Request> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return signedBy(topics, headers, new URLSearchParams(fields).toString());
}

async function signedBy(
  signer: AwsClient,
  headers: Record<string, string>,
  body: string,
  init: RequestInit = {},
): Promise<Request> {
  const request = await signer.sign(`${ORIGIN}/`, { method: 'POST', headers, body });
  // A request that was not sent over a network has no Host header.
  request.headers.set('Host', new URL(ORIGIN).host);
  return new Request(request.url, { method: 'POST', headers: request.headers, body, ...init });
}

/** The engine's responses to SendMessage and ReceiveMessage. */
const SENT = { MessageId: 'm', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' };
const RECEIVED = {
  Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: SENT.MD5OfMessageBody }],
};

const QueueUrl = () => `${ORIGIN}/project-${owner.project_id}/orders`;

it('the error for a signature of another region lists the regions, and the error for a session token mentions it', async () => {
  const errorMessage = async (settings: object) => {
    const { accessKeyId, secretAccessKey } = client;
    const other = new AwsClient({
      accessKeyId,
      secretAccessKey,
      region: 'fr-par',
      service: 'sqs',
      ...settings,
    });
    const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.ListQueues' };
    return (
      (await (await app.fetch(await signedBy(other, headers, '{}'), envWithEngine)).json()) as {
        message: string;
      }
    ).message;
  };
  expect(await errorMessage({ region: 'par' })).toContain('The regions are fr-par');
  expect(await errorMessage({ sessionToken: 'x' })).toContain('session token');
});

describe('a gateway request', () => {
  it('takes no round trip to a database, except the first after a change', async () => {
    const [identity, region]: [Cost, Cost] = [
      { trips: 0, rowsRead: 0 },
      { trips: 0, rowsRead: 0 },
    ];
    const counting = {
      ...envWithEngine,
      IDENTITY: counted(env.IDENTITY, identity),
      REGION_FR_PAR: counted(env.REGION_FR_PAR, region),
    };
    const bindings = { ...counting, CREDENTIAL_GUARD: localGuards(counting) };
    const costOf = async (action: string, fields: object, engineAnswer: object) => {
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(engineAnswer));
      Object.assign(identity, { trips: 0, rowsRead: 0 });
      Object.assign(region, { trips: 0, rowsRead: 0 });
      const request = await signed(action, { QueueUrl: QueueUrl(), ...fields });
      expect((await app.fetch(request, bindings)).status).toBe(200);
      // Wait, to count background work too.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { identity: identity.trips, region: region.trips, rows: region.rowsRead };
    };
    const send = () => costOf('SendMessage', { MessageBody: 'x' }, SENT);
    // The first use is recorded in the background, not before the response.
    await send();
    await expect
      .poll(() => rows('fr-par', 'select last_used_at from credentials where id = ?', credentialsId), {
        timeout: 10_000,
      })
      .not.toEqual([{ last_used_at: null }]);
    const none = { identity: 0, region: 0, rows: 0 };
    expect(await send()).toEqual(none);
    expect(await costOf('ReceiveMessage', {}, {})).toEqual(none);
    expect(await costOf('ReceiveMessage', {}, RECEIVED)).toEqual(none);
    const changed = { env: { ...env, CREDENTIAL_GUARD: bindings.CREDENTIAL_GUARD } };
    await clientOf(owner, 'fr-par').patch(`/sqs-credentials/${credentialsId}`, { name: 'renamed' }, changed);
    expect(await send()).toEqual({ identity: 0, region: 1, rows: 3 });
    expect(await send()).toEqual(none);
  });

  it('is recorded as the last use at most once in five minutes, also when uses are recorded concurrently', async () => {
    const [made] = await rows<{ last_used_at: number | null }>(
      'fr-par',
      'select last_used_at from credentials where id = ?',
      credentialsId,
    );
    const lastUse = async () =>
      (
        await rows<{ at: number }>(
          'fr-par',
          'select last_used_at as at from credentials where id = ?',
          credentialsId,
        )
      )[0]?.at;
    const db = openDatabase(env.REGION_FR_PAR);
    const noted = Date.now() + 3600_000;
    await recordGatewayUse(db, { id: credentialsId, accessKey: client.accessKeyId }, noted, noted - 300_000);
    await recordGatewayUse(
      db,
      { id: credentialsId, accessKey: client.accessKeyId },
      noted + 1000,
      noted - 299_000,
    );
    await recordGatewayUse(
      db,
      { id: credentialsId, accessKey: client.accessKeyId },
      noted - 1000,
      noted - 301_000,
    );
    expect(await lastUse()).toBe(noted);
    await recordGatewayUse(db, { id: credentialsId, accessKey: client.accessKeyId }, noted + 300_000, noted);
    expect(await lastUse()).toBe(noted + 300_000);
    await rows(
      'fr-par',
      'update credentials set last_used_at = ? where id = ?',
      made?.last_used_at,
      credentialsId,
    );
  });

  it('delivers no message when the permission is revoked during the receive, and makes the message visible again', async () => {
    const actions: string[] = [];
    const permit = (can_receive: boolean) =>
      clientOf(owner, 'fr-par').patch(`/sqs-credentials/${credentialsId}`, { permissions: { can_receive } });
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
      const action = (input as Request).headers.get('X-Amz-Target') ?? '';
      actions.push(action);
      if (action === 'AmazonSQS.ReceiveMessage') {
        await permit(false);
        return Response.json(RECEIVED);
      }
      expect(await (input as Request).json()).toMatchObject({
        Entries: [{ ReceiptHandle: 'r', VisibilityTimeout: 0 }],
      });
      return Response.json({ Successful: [{ Id: '0' }] });
    });
    const request = await signed('ReceiveMessage', { QueueUrl: QueueUrl() });
    const response = await app.fetch(request, envWithEngine);
    await permit(true);
    expect([response.status, await response.json()]).toEqual([
      403,
      expect.objectContaining({ __type: 'com.amazon.coral.service#AccessDeniedException' }),
    ]);
    await expect
      .poll(() => actions)
      .toEqual(['AmazonSQS.ReceiveMessage', 'AmazonSQS.ChangeMessageVisibilityBatch']);
  });

  it('to subscribe can be retried when the subscription could not be stored', async () => {
    const [{ prefix }] = (await rows<{ prefix: string }>(
      'fr-par',
      `select prefix from services where product = 'sns' and project_id = ?`,
      owner.project_id,
    )) as [{ prefix: string }];
    const arn = `arn:aws:sns:eu-west-3:1:${prefix}events`;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
      const request = input as Request;
      if (request.headers.has('X-Amz-Target')) return Response.json({});
      const form = new TextDecoder().decode(await request.arrayBuffer());
      const action = new URLSearchParams(form).get('Action');
      const arnElement =
        action === 'CreateTopic'
          ? `<TopicArn>${arn}</TopicArn>`
          : `<SubscriptionArn>${arn}:id</SubscriptionArn>`;
      return new Response(
        `<${action}Response><${action}Result>${arnElement}</${action}Result></${action}Response>`,
      );
    });
    await app.fetch(await signedForTopics({ Action: 'CreateTopic', Name: 'events' }), envWithEngine);
    const subscribe = async (bindings: typeof env) => {
      const of = (service: string, name: string) =>
        `arn:scw:${service}:fr-par:project-${owner.project_id}:${name}`;
      const fields = { TopicArn: of('sns', 'events'), Protocol: 'sqs', Endpoint: of('sqs', 'orders') };
      const request = await signedForTopics({ Action: 'Subscribe', ...fields });
      return (await app.fetch(request, bindings)).status;
    };
    const written = () => rows('fr-par', 'select id from subscriptions where prefix = ?', prefix);

    vi.spyOn(console, 'error').mockImplementation(() => {});
    const failed = failing(env.REGION_FR_PAR, /insert into subscriptions/);
    expect(await subscribe({ ...envWithEngine, REGION_FR_PAR: failed })).toBe(503);
    expect(await written()).toEqual([]);
    expect(await subscribe(envWithEngine)).toBe(200);
    expect(await written()).toEqual([{ id: 'id' }]);
  });

  it('is canceled at the engine when the client disconnects', async () => {
    const engineSignal = Promise.withResolvers<AbortSignal | null | undefined>();
    vi.spyOn(globalThis, 'fetch').mockImplementation((_input, init) => {
      engineSignal.resolve(init?.signal);
      return new Promise((_, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    });
    const controller = new AbortController();
    const request = await signed(
      'ReceiveMessage',
      { QueueUrl: QueueUrl(), WaitTimeSeconds: 20 },
      { signal: controller.signal },
    );
    const response = app.fetch(request, envWithEngine);
    const signal = await engineSignal.promise;
    expect(signal?.aborted).toBe(false);
    controller.abort();
    expect((await response).status).toBe(503);
    expect(signal?.aborted).toBe(true);
  });

  it('gets 503 in a region without an engine', async () => {
    const response = await app.fetch(await signed('ListQueues', {}), env);
    expect([response.status, await response.json()]).toEqual([
      503,
      expect.objectContaining({ __type: 'com.amazon.coral.service#ServiceUnavailable' }),
    ]);
  });

  it('gets 500 without the engine’s key, and logs the name of the missing secret', async () => {
    const { ENGINE_KEY_FR_PAR: _, ...without } = envWithEngine;
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const response = await app.fetch(await signed('ListQueues', {}), without as unknown as typeof env);
    expect(response.status).toBe(500);
    expect(String(logged.mock.calls[0])).toContain('ENGINE_KEY_FR_PAR');
  });
});

describe('a page of another origin (CORS)', () => {
  const preflight = (path: string, headers: Record<string, string> = {}) =>
    app.fetch(new Request(`${ORIGIN}${path}`, { method: 'OPTIONS', headers }), envWithEngine);

  it('can send the headers that SDKs send, to every path', async () => {
    for (const path of ['/', `/project-${owner.project_id}/orders`]) {
      const actions = 'authorization,content-type,x-amz-date,x-amz-target';
      const response = await preflight(path, {
        Origin: 'https://shop.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': actions,
      });
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(response.headers.get('Access-Control-Allow-Methods')).toBe('GET, POST');
      expect(response.headers.get('Access-Control-Allow-Headers')).toBe(actions);
      expect(response.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    }
  });

  it('can read responses and errors, with the headers that SDKs use', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(SENT));
    const good = await signed('SendMessage', { QueueUrl: QueueUrl(), MessageBody: 'x' });
    const unsigned = new Request(`${ORIGIN}/`, { method: 'POST' });
    for (const [request, status] of [
      [good, 200],
      [unsigned, 403],
    ] as const) {
      const response = await app.fetch(request, envWithEngine);
      expect([response.status, response.headers.get('Access-Control-Allow-Origin')]).toEqual([status, '*']);
      const exposed = response.headers.get('Access-Control-Expose-Headers');
      for (const name of ['Date', 'Retry-After', 'x-amzn-query-error', 'x-amzn-RequestId'])
        expect(exposed).toContain(name);
    }
  });

  it('has no access to the API, which authenticates with cookies', async () => {
    const response = await preflight('/iam/v1alpha1/principal', { 'Access-Control-Request-Method': 'GET' });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('guessing access keys', () => {
  const withTightLimit = { ...envWithEngine, TOKEN_LIMIT: env.TIGHT_TOKEN_LIMIT };
  const newKey = () => `LKEY${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
  /** A unique address has its own rate limit: the limits accept any text as an address. */
  const newAddress = () => crypto.randomUUID();

  /**
   * Sends a message with the given key, or with a valid one. Returns the status and code, and the number of database
   * round trips.
   */
  async function sendMessage(
    address: string,
    accessKeyId?: string,
    secretAccessKey = client.secretAccessKey,
  ): Promise<{ result: string; trips: number }> {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...withTightLimit, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) };
    const signer = accessKeyId
      ? new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sqs' })
      : client;
    const headers = {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': 'AmazonSQS.SendMessage',
    };
    const body = JSON.stringify({ QueueUrl: QueueUrl(), MessageBody: 'x' });
    const request = await signedBy(signer, headers, body);
    request.headers.set('CF-Connecting-IP', address);
    const response = await app.fetch(request, bindings);
    const code = response.headers.get('x-amzn-query-error')?.split(';')[0] ?? 'ok';
    // The rate limit period is one minute.
    const wait = Number(response.headers.get('Retry-After') ?? 1);
    expect(wait > 0 && wait <= 60).toBe(true);
    expect(response.headers.has('Retry-After')).toBe(code === 'RequestThrottled');
    return { result: `${response.status} ${code}`, trips: cost.trips };
  }

  beforeEach(() => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(SENT));
  });

  it('is rate limited after a few attempts, without blocking valid keys of the same network', async () => {
    const address = newAddress();
    const results: string[] = [];
    // The rate limit period can end during the loop.
    while (results.length < 20 && results.at(-1) !== '403 RequestThrottled')
      results.push((await sendMessage(address, newKey())).result);
    expect(results.length).toBeLessThan(13);
    expect(new Set(results.slice(0, -1))).toEqual(new Set(['403 InvalidClientTokenId']));
    // Further guesses cost one lookup. Valid keys keep working, even when this isolate has not seen them.
    expect(await sendMessage(address, newKey())).toEqual({ result: '403 RequestThrottled', trips: 1 });
    const made = (
      await clientOf(owner, 'fr-par').post('/sqs-credentials', {
        project_id: owner.project_id,
        permissions: { can_publish: true },
      })
    ).body;
    expect((await sendMessage(address, made.access_key, made.secret_key)).result).toBe('200 ok');
    expect(await sendMessage(address)).toEqual({ result: '200 ok', trips: 0 });
  });

  it('does not include retries with a revoked key, which never exhaust the limit', async () => {
    const api = clientOf(owner, 'fr-par');
    const permissions = { can_publish: true };
    const { body } = await api.post('/sqs-credentials', { project_id: owner.project_id, permissions });
    await api.delete(`/sqs-credentials/${body.id}`);
    const address = newAddress();
    await Promise.all(Array.from({ length: 20 }, () => sendMessage(address, body.access_key)));
    for (let time = 0; time < 20; time++)
      expect(await sendMessage(address, body.access_key)).toEqual({
        result: '403 InvalidClientTokenId',
        trips: 0,
      });
    expect((await sendMessage(address, newKey())).result).toBe('403 InvalidClientTokenId');
  });

  it('does not include valid keys without a check, from before the check or another sign-in secret', async () => {
    const [old] = await rows<{ key: string }>(
      'fr-par',
      'select key from credentials where id = ?',
      credentialsId,
    );
    const withOtherSecret = { ...withTightLimit, SIGN_IN_SECRET: crypto.randomUUID() };
    expect(hasCheck(old?.key ?? '', configOf(withOtherSecret).accessKeyCheck)).toBe(false);
    const body = JSON.stringify({ QueueUrl: QueueUrl(), MessageBody: 'x' });
    const headers = {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': 'AmazonSQS.SendMessage',
    };
    for (let time = 0; time < 20; time++)
      expect((await app.fetch(await signedBy(client, headers, body), withOtherSecret)).status).toBe(200);
  });

  it('does not include a valid key used in the wrong region or service, which stays valid in its own', async () => {
    const amsterdam = { label: 'Amsterdam', nats_endpoint: 'nats://127.0.0.1:4223' };
    const bindings = { ...envWithEngine, REGIONS: { ...envWithEngine.REGIONS, 'nl-ams': amsterdam } };
    const post = async (settings: { region: string; service: string }) => {
      const { accessKeyId, secretAccessKey } = client;
      const signer = new AwsClient({ accessKeyId, secretAccessKey, ...settings });
      const headers = {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': 'AmazonSQS.SendMessage',
      };
      const body = JSON.stringify({ QueueUrl: QueueUrl(), MessageBody: 'x' });
      return (await app.fetch(await signedBy(signer, headers, body), bindings)).status;
    };
    expect(await post({ region: 'nl-ams', service: 'sqs' })).toBe(403);
    expect(await post({ region: 'fr-par', service: 'sns' })).toBe(403);
    expect(await post({ region: 'fr-par', service: 'sqs' })).toBe(200);
  });

  it('makes no database lookup for a malformed key', async () => {
    for (const key of ['AKIAIOSFODNN7EXAMPLE', `${newKey()}0`, 'LKEY', newKey().toLowerCase()])
      expect(await sendMessage(newAddress(), key)).toEqual({ result: '403 InvalidClientTokenId', trips: 0 });
  });
});
