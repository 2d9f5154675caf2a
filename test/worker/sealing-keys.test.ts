/** Sealing keys are replaced while the Worker runs: nothing that cannot be opened stops the rest, or blames the client. */
import { AwsClient } from 'aws4fetch';
import { beforeEach, describe, expect, it, vi } from 'vitest';
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
  const made = (await api.post('/sqs-credentials', body)).body as Record<string, string>;
  const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
  return {
    api,
    id: made.id ?? '',
    accessKey: made.access_key ?? '',
    secretKey: made.secret_key ?? '',
    account,
  };
}

const alter = (id: string, secret: string) =>
  env.REGION_FR_PAR.prepare('update credentials set sealed_secret = ? where id = ?').bind(secret, id).run();

const keyOf = async (id: string) =>
  (await rows<{ k: string }>('fr-par', 'select sealing_key_id as k from credentials where id = ?', id))[0]?.k;

/** Asks the gateway for a queue, signed. */
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
  // A Host header of its own, as every client sends one.
  const sent = new Request(request, { headers: [...request.headers, ['Host', new URL(ORIGIN).host]] });
  const response = await app.fetch(sent, bindings);
  return { status: response.status, type: ((await response.json()) as { __type?: string }).__type };
}

const withKeys = (...keys: SealingKey[]) => ({ ...env, SEALING_KEYS: JSON.stringify(keys) });

/** What was logged as an error, which the test asks for. */
let logged: string[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
  vi.spyOn(console, 'info').mockImplementation(() => {});
});

describe('a secret that cannot be opened', () => {
  it('stops no other from moving under the newest key, is logged by its id, and is counted as left', async () => {
    const made = [await newKeys(), await newKeys(), await newKeys()];
    await reseal(region(), [old, newest]);
    // The one that the schedule comes to first.
    const [poisoned = ''] = made.map(({ id }) => id).sort();
    await alter(poisoned, btoa('x'.repeat(60)));
    const { moved, left, failed } = await reseal(region(), [newest, old]);
    expect({ left, failed }).toEqual({ left: 1, failed: [`credential ${poisoned}`] });
    expect(moved).toBeGreaterThanOrEqual(5);
    for (const { id } of made) expect(await keyOf(id)).toBe(id === poisoned ? 'old' : 'new');
    expect(await rows('fr-par', `select id from nats_accounts where sealing_key_id <> 'new'`)).toEqual([]);
    expect(logged.join()).toContain(poisoned);
    await env.REGION_FR_PAR.prepare('delete from credentials where id = ?').bind(poisoned).run();
  });

  it('is an error of the server at the gateway, never a wrong signature', async () => {
    const made = await newKeys();
    expect((await signed(made, env)).status).not.toBe(403);
    await alter(made.id, btoa('x'.repeat(60)));
    expect(await signed(made, env)).toMatchObject({
      status: 500,
      type: expect.stringContaining('InternalFailure'),
    });
    expect(logged.join()).toContain(made.id);
    await env.REGION_FR_PAR.prepare('delete from credentials where id = ?').bind(made.id).run();
  });
});

it('a secret that changes while it is being moved stays as it was changed to', async () => {
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

describe('a key that an isolate does not know yet', () => {
  it('makes the gateway answer 503, so that clients try again', async () => {
    const made = await newKeys();
    expect(await keyOf(made.id)).toBe('new');
    expect((await signed(made, withKeys(old))).status).toBe(503);
    expect(logged.join()).toContain('Sealing key new does not exist');
  });

  it('makes the API answer 503 with Retry-After', async () => {
    const { api, account } = await newKeys();
    const answer = await api.post(
      '/nats-credentials',
      { nats_account_id: account.id },
      { env: withKeys(old) },
    );
    expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
    expect(answer.headers.get('Retry-After')).toBe('5');
  });

  it('never meets a secret under it when keys are added last, then moved to the front', async () => {
    const made = await newKeys();
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
      await signed(made, withKeys(...(before as SealingKey[])));
      expect(logged).toEqual([]);
    }
  });
});
