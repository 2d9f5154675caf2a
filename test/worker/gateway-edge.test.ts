/**
 * The gateway in workerd with an engine made of a function: what a request costs, what ends when the client goes, and
 * what is said without an engine.
 */
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { noteUse } from '../../db/region/gateway.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { failing, lagging } from './fault.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';

const ENGINE = 'http://engine.test';
const withEngine = {
  ...env,
  REGIONS: {
    'fr-par': {
      label: 'Paris',
      nats_endpoint: 'nats://127.0.0.1:4222',
      engine: { sqs_endpoint: ENGINE, sns_endpoint: ENGINE, region: 'eu-west-3', account: '1' },
    },
  },
  ENGINE_KEY_FR_PAR: '{"access_key_id":"operator","secret_access_key":"secret"}',
};

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
  // A request that has come over no wire has no Host of its own.
  request.headers.set('Host', new URL(ORIGIN).host);
  return new Request(request.url, { method: 'POST', headers: request.headers, body, ...init });
}

/** What an engine says of a message that it took, and of one that is received. */
const SENT = { MessageId: 'm', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' };
const RECEIVED = {
  Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: SENT.MD5OfMessageBody }],
};

const QueueUrl = () => `${ORIGIN}/project-${owner.project_id}/orders`;

it('an answer names the regions when a signature is for another, and the token when it has one', async () => {
  const told = async (settings: object) => {
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
      (await (await app.fetch(await signedBy(other, headers, '{}'), withEngine)).json()) as {
        message: string;
      }
    ).message;
  };
  expect(await told({ region: 'par' })).toContain('The regions are fr-par');
  expect(await told({ sessionToken: 'x' })).toContain('session token');
});

describe('a request', () => {
  it('takes one round trip to its region’s database and none to another, and one more with messages', async () => {
    const cost = async (action: string, fields: object, engineAnswer: object) => {
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(engineAnswer));
      const [identity, region]: [Cost, Cost] = [
        { trips: 0, rowsRead: 0 },
        { trips: 0, rowsRead: 0 },
      ];
      const bindings = {
        ...withEngine,
        IDENTITY: counted(env.IDENTITY, identity),
        REGION_FR_PAR: counted(env.REGION_FR_PAR, region),
      };
      const request = await signed(action, { QueueUrl: QueueUrl(), ...fields });
      expect((await app.fetch(request, bindings)).status).toBe(200);
      // Whatever it does in the background is counted too.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { identity: identity.trips, region: region.trips, rows: region.rowsRead };
    };
    const send = () => cost('SendMessage', { MessageBody: 'x' }, SENT);
    // The first use is noted: beside the request, not before its answer.
    await send();
    await expect
      .poll(() => rows('fr-par', 'select last_used_at from credentials where id = ?', credentialsId))
      .not.toEqual([{ last_used_at: null }]);
    expect(await send()).toEqual({ identity: 0, region: 1, rows: 3 });
    expect(await cost('ReceiveMessage', {}, {})).toEqual({ identity: 0, region: 1, rows: 3 });
    expect(await cost('ReceiveMessage', {}, RECEIVED)).toEqual({ identity: 0, region: 2, rows: 6 });
  });

  it('is noted as the last use when five minutes have passed, whatever else was on its way', async () => {
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
    await noteUse(db, credentialsId, noted, noted - 300_000);
    await noteUse(db, credentialsId, noted + 1000, noted - 299_000);
    await noteUse(db, credentialsId, noted - 1000, noted - 301_000);
    expect(await lastUse()).toBe(noted);
    await noteUse(db, credentialsId, noted + 300_000, noted);
    expect(await lastUse()).toBe(noted + 300_000);
    await rows(
      'fr-par',
      'update credentials set last_used_at = ? where id = ?',
      made?.last_used_at,
      credentialsId,
    );
  });

  it('delivers nothing when what it was authorised on is gone, however soon, and gives it back', async () => {
    const asked: string[] = [];
    const change = (sql: string) => env.REGION_FR_PAR.prepare(sql).bind(credentialsId).run();
    const [before] = await rows('fr-par', 'select * from credentials where id = ?', credentialsId);
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
      const action = (input as Request).headers.get('X-Amz-Target') ?? '';
      asked.push(action);
      if (action === 'AmazonSQS.ReceiveMessage') {
        await change('update credentials set permissions = 5 where id = ?');
        return Response.json(RECEIVED);
      }
      expect(await (input as Request).json()).toMatchObject({
        Entries: [{ ReceiptHandle: 'r', VisibilityTimeout: 0 }],
      });
      return Response.json({ Successful: [{ Id: '0' }] });
    });
    const request = await signed('ReceiveMessage', { QueueUrl: QueueUrl() });
    // A replica that lags may answer all but the first query of a session.
    const bindings = { ...withEngine, REGION_FR_PAR: lagging(env.REGION_FR_PAR) };
    const answer = await app.fetch(request, bindings);
    await change(`update credentials set permissions = ${before?.permissions} where id = ?`);
    expect([answer.status, await answer.json()]).toEqual([
      403,
      expect.objectContaining({ __type: 'com.amazon.coral.service#AccessDeniedException' }),
    ]);
    expect(asked).toEqual(['AmazonSQS.ReceiveMessage', 'AmazonSQS.ChangeMessageVisibilityBatch']);
  });

  it('to subscribe can be sent again when what came of it could not be written down', async () => {
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
      const told =
        action === 'CreateTopic'
          ? `<TopicArn>${arn}</TopicArn>`
          : `<SubscriptionArn>${arn}:id</SubscriptionArn>`;
      return new Response(
        `<${action}Response><${action}Result>${told}</${action}Result></${action}Response>`,
      );
    });
    await app.fetch(await signedForTopics({ Action: 'CreateTopic', Name: 'events' }), withEngine);
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
    expect(await subscribe({ ...withEngine, REGION_FR_PAR: failed })).toBe(503);
    expect(await written()).toEqual([]);
    expect(await subscribe(withEngine)).toBe(200);
    expect(await written()).toEqual([{ id: 'id' }]);
  });

  it('ends at the engine when the client goes away', async () => {
    const reached = Promise.withResolvers<AbortSignal | null | undefined>();
    vi.spyOn(globalThis, 'fetch').mockImplementation((_input, init) => {
      reached.resolve(init?.signal);
      return new Promise((_, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    });
    const leaving = new AbortController();
    const request = await signed(
      'ReceiveMessage',
      { QueueUrl: QueueUrl(), WaitTimeSeconds: 20 },
      { signal: leaving.signal },
    );
    const answer = app.fetch(request, withEngine);
    const signal = await reached.promise;
    expect(signal?.aborted).toBe(false);
    leaving.abort();
    expect((await answer).status).toBe(503);
    expect(signal?.aborted).toBe(true);
  });

  it('is answered 503 where the region has no engine', async () => {
    const answer = await app.fetch(await signed('ListQueues', {}), env);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ __type: 'com.amazon.coral.service#ServiceUnavailable' }),
    ]);
  });

  it('stops at a key of the engine that is missing, by its name', async () => {
    const { ENGINE_KEY_FR_PAR: _, ...without } = withEngine;
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const answer = await app.fetch(await signed('ListQueues', {}), without as unknown as typeof env);
    expect(answer.status).toBe(500);
    expect(String(told.mock.calls[0])).toContain('ENGINE_KEY_FR_PAR');
  });
});

describe('a page of another origin', () => {
  const preflight = (path: string, headers: Record<string, string> = {}) =>
    app.fetch(new Request(`${ORIGIN}${path}`, { method: 'OPTIONS', headers }), withEngine);

  it('may send what SDKs send, wherever they send it', async () => {
    for (const path of ['/', `/project-${owner.project_id}/orders`]) {
      const asked = 'authorization,content-type,x-amz-date,x-amz-target';
      const answer = await preflight(path, {
        Origin: 'https://shop.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      });
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(answer.headers.get('Access-Control-Allow-Methods')).toBe('GET, POST');
      expect(answer.headers.get('Access-Control-Allow-Headers')).toBe(asked);
      expect(answer.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    }
  });

  it('may read answers and errors, with the headers that SDKs act on', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(SENT));
    const good = await signed('SendMessage', { QueueUrl: QueueUrl(), MessageBody: 'x' });
    const unsigned = new Request(`${ORIGIN}/`, { method: 'POST' });
    for (const [request, status] of [
      [good, 200],
      [unsigned, 403],
    ] as const) {
      const answer = await app.fetch(request, withEngine);
      expect([answer.status, answer.headers.get('Access-Control-Allow-Origin')]).toEqual([status, '*']);
      const exposed = answer.headers.get('Access-Control-Expose-Headers');
      for (const name of ['Date', 'Retry-After', 'x-amzn-query-error', 'x-amzn-RequestId'])
        expect(exposed).toContain(name);
    }
  });

  it('gets no such permission for the API, whose sessions are cookies', async () => {
    const answer = await preflight('/iam/v1alpha1/principal', { 'Access-Control-Request-Method': 'GET' });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('guessing an access key', () => {
  const tight = { ...withEngine, TOKEN_LIMIT: env.TIGHT_TOKEN_LIMIT };
  const newKey = () => `LKEY${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
  /** Whose requests are counted by themselves: to the limits, any text is an address. */
  const newAddress = () => crypto.randomUUID();

  /** What is told to the bearer of a key, or to who really has one, and how often the database was asked. */
  async function ask(
    address: string,
    accessKeyId?: string,
    secretAccessKey = client.secretAccessKey,
  ): Promise<{ told: string; trips: number }> {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...tight, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) };
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
    const answer = await app.fetch(request, bindings);
    const code = answer.headers.get('x-amzn-query-error')?.split(';')[0] ?? 'ok';
    // The window is a minute.
    const wait = Number(answer.headers.get('Retry-After') ?? 1);
    expect(wait > 0 && wait <= 60).toBe(true);
    expect(answer.headers.has('Retry-After')).toBe(code === 'RequestThrottled');
    return { told: `${answer.status} ${code}`, trips: cost.trips };
  }

  beforeEach(() => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(SENT));
  });

  it('is throttled after a few, and locks out no key of the same network that exists', async () => {
    const address = newAddress();
    const told: string[] = [];
    // A window may end meanwhile.
    while (told.length < 20 && told.at(-1) !== '403 RequestThrottled')
      told.push((await ask(address, newKey())).told);
    expect(told.length).toBeLessThan(13);
    expect(new Set(told.slice(0, -1))).toEqual(new Set(['403 InvalidClientTokenId']));
    // Further guesses cost the one look-up that a good key does, and a good one works, seen here for the first time or not.
    expect(await ask(address, newKey())).toEqual({ told: '403 RequestThrottled', trips: 1 });
    const made = (
      await clientOf(owner, 'fr-par').post('/sqs-credentials', {
        project_id: owner.project_id,
        permissions: { can_publish: true },
      })
    ).body;
    expect((await ask(address, made.access_key, made.secret_key)).told).toBe('200 ok');
    expect(await ask(address)).toEqual({ told: '200 ok', trips: 1 });
  });

  it('is not what a client does whose key was revoked, however often it asks', async () => {
    const [address, revoked] = [newAddress(), newKey()];
    expect(await ask(address, revoked)).toEqual({ told: '403 InvalidClientTokenId', trips: 1 });
    const atOnce = newKey();
    await Promise.all(Array.from({ length: 20 }, () => ask(address, atOnce)));
    for (let time = 0; time < 20; time++)
      expect(await ask(address, revoked)).toEqual({ told: '403 InvalidClientTokenId', trips: 0 });
    expect((await ask(address)).told).toBe('200 ok');
  });

  it('with a real key in the wrong region or service does not make it unknown in its own', async () => {
    const amsterdam = { label: 'Amsterdam', nats_endpoint: 'nats://127.0.0.1:4223' };
    const bindings = { ...withEngine, REGIONS: { ...withEngine.REGIONS, 'nl-ams': amsterdam } };
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

  it('takes a key that could be one', async () => {
    for (const key of ['AKIAIOSFODNN7EXAMPLE', `${newKey()}0`, 'LKEY', newKey().toLowerCase()])
      expect(await ask(newAddress(), key)).toEqual({ told: '403 InvalidClientTokenId', trips: 0 });
  });
});
