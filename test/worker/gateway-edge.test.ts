/**
 * The gateway in workerd with an engine made of a function: what a request costs, what ends when the client goes, and
 * what is said without an engine.
 */
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../db/identity/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
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
let credentialsId: string;

beforeAll(async () => {
  owner = await newOwner();
  const api = clientOf(owner, 'fr-par');
  const { project_id } = owner;
  await api.post('/activate-sqs', { project_id });
  const permissions = { can_publish: true, can_receive: true, can_manage: true };
  const { body } = await api.post('/sqs-credentials', { project_id, permissions });
  credentialsId = body.id;
  client = new AwsClient({
    accessKeyId: body.access_key,
    secretAccessKey: body.secret_key,
    region: 'fr-par',
    service: 'sqs',
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function signed(action: string, fields: object, init: RequestInit = {}): Promise<Request> {
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` };
  const body = JSON.stringify(fields);
  const request = await client.sign(`${ORIGIN}/`, { method: 'POST', headers, body });
  // A request that has come over no wire has no Host of its own.
  request.headers.set('Host', new URL(ORIGIN).host);
  return new Request(request.url, { method: 'POST', headers: request.headers, body, ...init });
}

const QueueUrl = () => `${ORIGIN}/project-${owner.project_id}/orders`;

describe('a request', () => {
  it('takes one round trip to its region’s database and none to another', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ MessageId: 'm' }));
    const send = async () => {
      const [identity, region]: [Cost, Cost] = [
        { trips: 0, rowsRead: 0 },
        { trips: 0, rowsRead: 0 },
      ];
      const bindings = {
        ...withEngine,
        IDENTITY: counted(env.IDENTITY, identity),
        REGION_FR_PAR: counted(env.REGION_FR_PAR, region),
      };
      const answer = await app.fetch(
        await signed('SendMessage', { QueueUrl: QueueUrl(), MessageBody: 'x' }),
        bindings,
      );
      expect(answer.status).toBe(200);
      // Whatever it does in the background is counted too.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { identity: identity.trips, region: region.trips, rows: region.rowsRead };
    };
    // The first use is noted: beside the request, not before its answer.
    await send();
    await expect
      .poll(() => rows('fr-par', 'select last_used_at from credentials where id = ?', credentialsId))
      .not.toEqual([{ last_used_at: null }]);
    expect(await send()).toEqual({ identity: 0, region: 1, rows: 2 });
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
