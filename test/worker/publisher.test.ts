/** The publisher of an account while its region's servers are unreachable: its retries and its pending work. */
import { runInDurableObject } from 'cloudflare:test';
import type { DurableObjectState } from '@cloudflare/workers-types';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AccountPublisher, type PublishRequest } from '../../functions/nats/publisher.ts';
import { env } from './env.ts';
import { clientOf, newOwner } from './harness.ts';

const unreachable = {
  ...env,
  REGIONS: {
    'fr-par': {
      label: 'Paris',
      nats_endpoint: 'nats://127.0.0.1:4222',
      nats_websockets: ['ws://127.0.0.1:9'],
    },
  },
} as unknown as typeof env;

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  // A connection error that the runtime does not also report as an uncaught error.
  vi.spyOn(globalThis, 'fetch').mockImplementation(() => Promise.reject(new Error('refused')));
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs `work` in the object of a new account and returns the pending state, without the account's identity. */
async function pendingAfter(
  work: (
    publish: (request: Partial<PublishRequest>) => Promise<unknown>,
    publisher: AccountPublisher,
    storage: DurableObjectState['storage'],
    named: { region: string; account: string },
  ) => Promise<unknown>,
): Promise<unknown> {
  const owner = await newOwner();
  const made = await clientOf(owner, 'fr-par').post('/nats-accounts', { project_id: owner.project_id });
  const named = { region: 'fr-par', account: made.body.id as string };
  const { ACCOUNT_PUBLISHER: objects } = env;
  const object = objects.get(objects.idFromName(crypto.randomUUID()));
  return runInDurableObject(object as never, async (_instance, given) => {
    const state = given as unknown as DurableObjectState;
    const publisher = new AccountPublisher(state, unreachable);
    const publish = async (request: Partial<PublishRequest>) => {
      const body = JSON.stringify({ ...named, user: null, ...request });
      await publisher.fetch(new Request('https://publisher/', { method: 'POST', body }));
      // The test triggers the alarm itself.
      await state.storage.deleteAlarm();
    };
    await work(publish, publisher, state.storage, named);
    const { region, account, ...due } = (await state.storage.get<Record<string, unknown>>('due')) ?? {};
    await Promise.all([state.storage.deleteAlarm(), state.storage.deleteAll()]);
    return account === undefined ? null : due;
  });
}

it('a change stays pending until a server has it, even when the lease is renewed first', async () => {
  const due = await pendingAfter(async (publish) => {
    await publish({ user: '*' });
    await publish({ renewal: true });
  });
  expect(due).toEqual({ failures: 0 });
});

it('a lease renewal is retried a few times and then left to the schedule; a change is retried until it succeeds', async () => {
  const after = (rest: object) =>
    pendingAfter(async (_publish, publisher, storage, named) => {
      await storage.put('due', { ...named, ...rest });
      await publisher.alarm();
    });
  expect(await after({ failures: 0, renewal: true })).toEqual({ failures: 1, renewal: true });
  expect(await after({ failures: 100, renewal: true })).toBeNull();
  expect(await after({ failures: 100 })).toEqual({ failures: 101 });
});
