/**
 * Sealing key rotation while the Worker runs: an unreadable secret neither blocks the others nor looks like a client
 * error.
 */
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reseal } from '../../functions/credentials/reseal.ts';
import { app } from '../../functions/index.ts';
import { type Bindings, configOf, type SealingKey } from '../../functions/shared/env.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';

const [newest, old] = JSON.parse(env.SEALING_KEYS as string) as [SealingKey, SealingKey];
const region = () => {
  const found = configOf(env).regions.get('fr-par');
  if (!found) throw new Error('no region');
  return found;
};

async function newKeys() {
  const owner = await newOwner();
  const api = clientOf(owner, 'fr-par');
  await api.post('/activate-sqs', { project_id: owner.project_id });
  const body = { project_id: owner.project_id, permissions: { can_manage: true } };
  const created = (await api.post('/sqs-credentials', body)).body as Record<string, string>;
  const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
  return {
    api,
    id: created.id ?? '',
    accessKey: created.access_key ?? '',
    secretKey: created.secret_key ?? '',
    account,
  };
}

const alter = (id: string, secret: string) =>
  env.REGION_FR_PAR.prepare('update credentials set sealed_secret = ? where id = ?').bind(secret, id).run();

const keyOf = async (id: string) =>
  (await rows<{ k: string }>('fr-par', 'select sealing_key_id as k from credentials where id = ?', id))[0]?.k;

/** Sends a signed request to the gateway. */
async function signed({ accessKey, secretKey }: Awaited<ReturnType<typeof newKeys>>, bindings: Bindings) {
  const client = new AwsClient({
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    service: 'sqs',
    region: 'fr-par',
  });
  const request = await client.sign(`${ORIGIN}/`, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'AmazonSQS.ListQueues', 'Content-Type': 'application/x-amz-json-1.0' },
    body: '{}',
  });
  // A Host header, as real clients send one.
  const sent = new Request(request, { headers: [...request.headers, ['Host', new URL(ORIGIN).host]] });
  const response = await app.fetch(sent, bindings);
  return { status: response.status, type: ((await response.json()) as { __type?: string }).__type };
}

const withKeys = (...keys: SealingKey[]) => ({ ...env, SEALING_KEYS: JSON.stringify(keys) });

/** Captures the errors that a test provokes. */
let logged: string[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
  vi.spyOn(console, 'info').mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

describe('a secret that cannot be decrypted', () => {
  it('does not block the rotation of others, is logged by its ID, and is counted as remaining', async () => {
    const created = [await newKeys(), await newKeys(), await newKeys()];
    await reseal(region(), [old, newest]);
    // The first one that the schedule processes.
    const [unreadable = ''] = created.map(({ id }) => id).sort();
    await alter(unreadable, btoa('x'.repeat(60)));
    const { resealed: moved, left: remaining, failed } = await reseal(region(), [newest, old]);
    expect({ left: remaining, failed }).toEqual({ left: 1, failed: [`credential ${unreadable}`] });
    expect(moved).toBeGreaterThanOrEqual(5);
    for (const { id } of created) expect(await keyOf(id)).toBe(id === unreadable ? 'old' : 'new');
    expect(await rows('fr-par', `select id from nats_accounts where sealing_key_id <> 'new'`)).toEqual([]);
    expect(logged.join()).toContain(unreadable);
    await env.REGION_FR_PAR.prepare('delete from credentials where id = ?').bind(unreadable).run();
  });

  it('makes the gateway return a server error, never a signature error', async () => {
    const created = await newKeys();
    await alter(created.id, btoa('x'.repeat(60)));
    expect(await signed(created, env)).toMatchObject({
      status: 500,
      type: expect.stringContaining('InternalFailure'),
    });
    expect(logged.join()).toContain(created.id);
    await env.REGION_FR_PAR.prepare('delete from credentials where id = ?').bind(created.id).run();
  });
});

it('a secret that changes concurrently with its rotation keeps the change (race)', async () => {
  const { id } = await newKeys();
  await reseal(region(), [old, newest]);
  const gate = gated(env.REGION_FR_PAR, /update credentials set sealed_secret/);
  const moving = reseal({ ...region(), database: gate.database }, [newest, old]);
  await gate.arrived;
  await alter(id, 'changed');
  gate.open();
  await moving;
  expect(
    await rows('fr-par', 'select sealed_secret, sealing_key_id from credentials where id = ?', id),
  ).toEqual([{ sealed_secret: 'changed', sealing_key_id: 'old' }]);
  await env.REGION_FR_PAR.prepare('delete from credentials where id = ?').bind(id).run();
});

describe('a sealing key that an isolate does not know yet', () => {
  it('makes the gateway return 503, so that clients retry', async () => {
    const created = await newKeys();
    expect(await keyOf(created.id)).toBe('new');
    expect((await signed(created, withKeys(old))).status).toBe(503);
    expect(logged.join()).toContain('Sealing key new does not exist');
  });

  it('makes the API return 503 with Retry-After', async () => {
    const { api, account } = await newKeys();
    const response = await api.post(
      '/nats-credentials',
      { nats_account_id: account.id },
      { env: withKeys(old) },
    );
    expect([response.status, response.body.type]).toEqual([503, 'unavailable']);
    expect(response.headers.get('Retry-After')).toBe('5');
  });

  it('is never used when keys are appended first, then moved to the front', async () => {
    const created = await newKeys();
    await reseal(region(), [old, newest]);
    for (const [before, after] of [
      [[old], [old, newest]],
      [
        [old, newest],
        [newest, old],
      ],
    ]) {
      // Both configurations run at the same time during a deployment, and each reads what the other has written.
      await reseal(region(), after as SealingKey[]);
      await reseal(region(), before as SealingKey[]);
      await signed(created, withKeys(...(before as SealingKey[])));
      expect(logged).toEqual([]);
    }
  });
});
