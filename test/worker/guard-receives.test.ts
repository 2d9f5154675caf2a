/**
 * Receives that wait while their credentials change: each ends at once, and what the engine still delivers is made
 * visible to others. The engine is a function.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import type { DurableObjectNamespace, DurableObjectState } from '@cloudflare/workers-types';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import {
  mockEngine,
  newTenant,
  RECEIVED,
  resultOf,
  type Tenant,
  type WaitingEngine,
} from './guarded-tenant.ts';
import { rows } from './harness.ts';

let engine: WaitingEngine;

beforeEach(() => {
  engine = mockEngine();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Longer than a receive waits before it is watched. */
const PATIENCE = { timeout: 15_000 };

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const guardOf = ({ guardName }: Tenant) =>
  env.CREDENTIAL_GUARD.get(env.CREDENTIAL_GUARD.idFromName(guardName)) as never;

/** Counts the WebSockets of waiting receives at the guard. */
const sockets = (tenant: Tenant) =>
  runInDurableObject(
    guardOf(tenant),
    (_guard, state) => (state as unknown as DurableObjectState).getWebSockets().length,
  );

const receive = (tenant: Tenant) => tenant.send('ReceiveMessage', { WaitTimeSeconds: 20 });

/** Begins a receive. Resolves when the guard watches it. */
async function watched(tenant: Tenant): Promise<{ result: Promise<[number, unknown]> }> {
  const result = receive(tenant);
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(1);
  return { result };
}

/** Expects that the engine's messages are made visible again, and that the guard has no socket left. */
async function expectPutBack(tenant: Tenant): Promise<void> {
  expect(engine.actions).toEqual(['ReceiveMessage']);
  engine.deliver();
  await expect
    .poll(() => engine.actions, PATIENCE)
    .toEqual(['ReceiveMessage', 'ChangeMessageVisibilityBatch']);
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(0);
}

/** A namespace whose stubs have other methods. */
const withMethods =
  (methods: (local: DurableObjectNamespace) => object) =>
  (local: DurableObjectNamespace): DurableObjectNamespace =>
    ({
      idFromName: local.idFromName,
      get: (id: never) => ({ ...local.get(id), ...methods(local) }),
    }) as unknown as DurableObjectNamespace;

it('a receive delivers its messages if nothing changed while it waited, and leaves no socket', async () => {
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  engine.deliver();
  expect(await result).toEqual([200, RECEIVED]);
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(0);
  expect(tenant.database.reads).toBe(1);
});

it('a receive goes on waiting after a change that takes nothing away', async () => {
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  await tenant.update({ name: 'renamed' });
  await expect.poll(() => tenant.database.reads, PATIENCE).toBe(2);
  engine.deliver();
  expect(await result).toEqual([200, RECEIVED]);
});

it.each<[string, (tenant: Tenant) => Promise<unknown>, [number, unknown]]>([
  [
    'they are revoked',
    (tenant) => tenant.api('DELETE', `/sqs-credentials/${tenant.id}`),
    [403, 'InvalidClientTokenId'],
  ],
  [
    'they are disabled',
    (tenant) => tenant.api('POST', `/sqs-credentials/${tenant.id}/disable`, {}),
    [403, 'InvalidClientTokenId'],
  ],
  [
    'the Read permission is removed',
    (tenant) => tenant.update({ permissions: { can_receive: false } }),
    [403, 'AccessDenied'],
  ],
  [
    'their addresses no longer match',
    (tenant) => tenant.update({ source_ips: ['192.0.2.1/32'] }),
    [403, 'AccessDenied'],
  ],
  [
    'the product is deactivated',
    (tenant) => tenant.api('POST', '/deactivate-sqs', { project_id: tenant.owner.project_id }),
    [403, 'InvalidClientTokenId'],
  ],
  // The next one is denied. This one was admitted with other names.
  ['their resources no longer match', (tenant) => tenant.update({ resources: ['other'] }), [200, {}]],
])('a waiting receive ends before its messages come when %s', async (_name, change, expected) => {
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  await change(tenant);
  expect(await result).toEqual(expected);
  await expectPutBack(tenant);
});

it.each([
  ['while it waits', 200],
  ['before it waits for long', 0],
])('a receive returns nothing if its permission was removed and granted again %s', async (_name, delay) => {
  const tenant = await newTenant();
  const result = receive(tenant);
  await expect.poll(() => engine.actions, PATIENCE).toEqual(['ReceiveMessage']);
  await sleep(delay);
  await tenant.update({ permissions: { can_receive: false } });
  await tenant.update({ permissions: { can_receive: true } });
  if (delay === 0) engine.deliver();
  expect(await result).toEqual([200, {}]);
  engine.deliver();
  await expect
    .poll(() => engine.actions, PATIENCE)
    .toEqual(['ReceiveMessage', 'ChangeMessageVisibilityBatch']);
  engine.actions.splice(0);
  expect(await receive(tenant)).toEqual([200, RECEIVED]);
});

it('a receive is not given the messages of another activation', async () => {
  const tenant = await newTenant();
  const result = receive(tenant);
  await expect.poll(() => engine.actions, PATIENCE).toEqual(['ReceiveMessage']);
  // As after a restoration, because deactivation deletes the credentials.
  await rows(
    'fr-par',
    `update services set prefix = ? where project_id = ? returning 1`,
    crypto.randomUUID(),
    tenant.owner.project_id,
  );
  await tenant.update({ name: 'renamed' });
  engine.deliver();
  expect(await result).toEqual([403, 'InvalidClientTokenId']);
  await expect
    .poll(() => engine.actions, PATIENCE)
    .toEqual(['ReceiveMessage', 'ChangeMessageVisibilityBatch']);
});

it('a waiting receive without a WebSocket notices a revocation within a few seconds', async () => {
  const tenant = await newTenant(
    {},
    withMethods(() => ({ fetch: () => Promise.reject(new Error('refused')) })),
  );
  const result = receive(tenant);
  await sleep(1500);
  await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
  expect(await result).toEqual([403, 'InvalidClientTokenId']);
  await expectPutBack(tenant);
});

it('a waiting receive that loses its WebSocket notices a revocation within a few seconds', async () => {
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  await evictDurableObject(guardOf(tenant), { webSockets: 'close' });
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(0);
  await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
  expect(await result).toEqual([403, 'InvalidClientTokenId']);
  await expectPutBack(tenant);
});

it('a guard that was evicted wakes the receives that wait', async () => {
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  await evictDurableObject(guardOf(tenant));
  const began = Date.now();
  await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
  expect(await result).toEqual([403, 'InvalidClientTokenId']);
  // Sooner than by polling.
  expect(Date.now() - began).toBeLessThan(2500);
  await expectPutBack(tenant);
});

it('a waiting receive returns nothing if its credentials can no longer be checked', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  let isReachable = true;
  const tenant = await newTenant(
    {},
    (local) =>
      ({
        idFromName: local.idFromName,
        get(id: never) {
          const stub = local.get(id) as unknown as { admit(key: object): unknown };
          const admit = (key: object) => (isReachable ? stub.admit(key) : Promise.reject(new Error('reset')));
          return { ...stub, admit };
        },
      }) as unknown as DurableObjectNamespace,
  );
  const { result } = await watched(tenant);
  isReachable = false;
  const { reads } = tenant.database;
  await tenant.update({ name: 'renamed' });
  expect(await result).toEqual([200, {}]);
  // A read of the database would not help: nothing would end the wait at the next change.
  expect(tenant.database.reads).toBe(reads);
  await expectPutBack(tenant);
});

it('a waiting receive returns nothing if the database is down when its credentials change', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const tenant = await newTenant();
  const { result } = await watched(tenant);
  tenant.database.isDown = true;
  await tenant.update({ name: 'renamed' });
  expect(await result).toEqual([200, {}]);
  await expectPutBack(tenant);
});

it('a receive ends when its client disconnects, and leaves no socket', async () => {
  const tenant = await newTenant();
  const controller = new AbortController();
  const request = await tenant.signed(
    'ReceiveMessage',
    { WaitTimeSeconds: 20 },
    { signal: controller.signal },
  );
  const result = Promise.resolve(app.fetch(request, tenant.bindings)).then(resultOf);
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(1);
  controller.abort();
  expect((await result)[0]).toBe(503);
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(0);
});

it('many changes cause few checks: a receive asks its guard no more often than the credentials change', async () => {
  let admissions = 0;
  const tenant = await newTenant(
    {},
    (local) =>
      ({
        idFromName: local.idFromName,
        get(id: never) {
          const stub = local.get(id) as unknown as { admit(key: object): unknown };
          return {
            ...stub,
            admit(key: object) {
              admissions++;
              return stub.admit(key);
            },
          };
        },
      }) as unknown as DurableObjectNamespace,
  );
  const { result } = await watched(tenant);
  await expect.poll(() => admissions, PATIENCE).toBe(2);
  for (let change = 0; change < 30; change++) await tenant.update({ name: `name ${change}` });
  await sleep(300);
  expect(admissions).toBeLessThanOrEqual(32);
  engine.deliver();
  expect(await result).toEqual([200, RECEIVED]);
});

it('20 receives of the same credentials end with one read of the database', async () => {
  const tenant = await newTenant();
  const results = Array.from({ length: 20 }, () => receive(tenant));
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(20);
  const { reads } = tenant.database;
  await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
  expect(await Promise.all(results)).toEqual(Array(20).fill([403, 'InvalidClientTokenId']));
  expect(tenant.database.reads).toBe(reads + 1);
  engine.deliver();
  await expect.poll(() => sockets(tenant), PATIENCE).toBe(0);
});
