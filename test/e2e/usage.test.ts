/**
 * The usage of credentials with real clients and servers, and with objects that the runtime evicts. Runs the code for
 * Node.js and curl on the page about usage.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueUrlCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { run } from './access-key-form.ts';
import { activate, newCredentials, newProject, sqsClient } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { connectWith, newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const REPORTED = { timeout: 15_000, interval: 300 };
const AT = '/mnq/v1beta1/regions/fr-par';

interface Usage {
  buckets: Record<string, unknown>[];
  networks: { network: string }[];
  clients: { name: string }[];
}

const usageOf = (product: string, id: string) =>
  api<Usage>(local, 'GET', `${AT}/${product}-credentials/${id}/usage`);

/** Resolves to the number of ListQueues requests of credentials. */
async function listsOf(id: string): Promise<number> {
  const { buckets } = await usageOf('sqs', id);
  const counts = buckets.map(({ requests }) => (requests as Record<string, number>).ListQueues ?? 0);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Replaces the address on the page. */
const here = (code = '') => code.replaceAll('https://latchkey.example.com', local.stack.origin);

it('of an SDK’s requests is counted, kept when the guard is evicted, and printed by the programs on the page', async () => {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId, ['sqs']);
  const credentials = await newCredentials(local, 'sqs', { can_manage: true }, { projectId });
  const client = sqsClient(local, credentials);
  const list = async () => void (await client.send(new ListQueuesCommand({})));
  const count = () => listsOf(credentials.id);
  for (let time = 0; time < 10; time++) await list();
  await expect.poll(count, REPORTED).toBe(10);
  // The runtime evicts an object that is idle for ten seconds. It stores its counts before that.
  await sleep(20_000);
  expect(await count()).toBe(10);
  await list();
  await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toThrow();
  await expect.poll(count, REPORTED).toBe(11);
  const { networks, clients } = await usageOf('sqs', credentials.id);
  expect(networks.map(({ network }) => network)).toEqual([expect.stringMatching(/\/24$|\/48$|^unknown$/)]);
  expect(clients.map(({ name }) => name)).toEqual([expect.stringMatching(/^aws-sdk-js\/3\.\d+\.\d+$/)]);
  const env = { CREDENTIALS_ID: credentials.id };
  const [program] = codeOf('reference/usage', 'ts', 'Node.js');
  const [script] = codeOf('reference/usage', 'bash', 'curl');
  const outputs = [
    await run(local, 'node usage.ts', [{ name: 'usage.ts', content: here(program) }], env),
    await run(local, here(script), [], env),
  ];
  for (const output of outputs) {
    expect(output.trim().split('\n')).toHaveLength(28);
    expect(output).toMatch(/T\d\d:00:00\.000Z 12 0\n$/);
  }
});

it('of both keys is counted through a rotation and its cancellation', async () => {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId, ['sqs']);
  const credentials = await newCredentials(local, 'sqs', { can_manage: true }, { projectId });
  const list = (key: typeof credentials) => sqsClient(local, key).send(new ListQueuesCommand({}));
  await list(credentials);
  const item = `${AT}/sqs-credentials/${credentials.id}`;
  const rotated = await api<typeof credentials>(local, 'POST', `${item}/rotate`, {});
  await list(rotated);
  await list(credentials);
  await api(local, 'POST', `${item}/rotate/cancel`);
  await list(credentials);
  const count = () => listsOf(credentials.id);
  // The usage of the new key ended with it.
  await expect.poll(count, REPORTED).toBe(3);
});

it('of NATS credentials is sampled by the schedule', async () => {
  const creds = await newCreds(local, 'fr-par');
  const connections = await Promise.all(
    [1, 2].map(() => connectWith(local.stack.nats.get('fr-par')?.url ?? '', creds.content)),
  );
  const [one, two] = connections;
  two?.subscribe('orders', { callback: () => {} });
  await two?.flush();
  for (let time = 0; time < 5; time++) one?.publish('orders', 'x');
  await one?.flush();
  await local.stack.schedule();
  const { buckets, networks, clients } = await usageOf('nats', creds.id);
  const used = buckets.filter(({ connections }) => connections !== 0);
  expect(used).toEqual([expect.objectContaining({ connections: 2, messages_in: 5, messages_out: 5 })]);
  expect(networks).toEqual([expect.objectContaining({ network: '127.0.0.0/24', connections: 2 })]);
  expect(clients.length).toBe(1);
  await Promise.all(connections.map((connection) => connection.close()));
});
