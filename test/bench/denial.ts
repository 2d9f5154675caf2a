/**
 * The time from a DELETE until access is denied. NATS: until the live client is disconnected, and until the DELETE
 * returns, compared with the round trip of one message on the same server. Gateway: the number of requests that start
 * after the DELETE has returned and are accepted, under constant load; and the time from the response to a DELETE until
 * waiting receives get their denial.
 */
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { call, newQueueCredentials, request, signSqs } from './client.ts';
import { percentile } from './rounds.ts';

/** Measured in milliseconds, one number for each revocation. */
interface DenialTimes {
  /** From sending the DELETE to the live client's disconnect. */
  disconnect: number[];
  /** From sending the DELETE to its response. */
  response: number[];
  /** From a publish to its arrival at the publisher, measured before each revocation. */
  roundTrip: number[];
}

const REGION = 'fr-par';
const REVOCATIONS = 40;
const CLIENTS = 8;
const AFTER_MS = 200;
const WAITING = 200;
/** When all receives wait and watch their credentials. */
const WATCHED_MS = 4000;

/** Measures the time until access is denied. */
export const denial: Area = {
  name: 'denial',
  async measure({ rounds, stack: start }) {
    const stack = await start();
    // The first ones include loading and compiling.
    await measureNats(stack, 10);
    const times: DenialTimes[] = [];
    for (let round = 0; round < rounds; round++) times.push(await measureNats(stack, REVOCATIONS));
    const p50 = (of: keyof DenialTimes) => times.map((each) => percentile(each[of], 50));
    // All rounds together: a single round has too few revocations.
    const p99 = (of: keyof DenialTimes) => [
      percentile(
        times.flatMap((each) => each[of]),
        99,
      ),
    ];
    const figures = (measure: string, of: keyof DenialTimes, aim?: string): Figure[] =>
      Object.entries({ p50, p99 }).map(([rank, ranked]) => ({
        measure: `NATS, ${measure}`,
        unit: `ms ${rank}`,
        values: ranked(of),
        baseline: { of: 'round trip', values: ranked('roundTrip') },
        ...(rank === 'p99' && { aim }),
      }));
    const accepted: number[] = [];
    for (let round = 0; round < rounds; round++) accepted.push(await acceptedAfterRevocation(stack));
    const waiting: number[][] = [];
    for (let round = 0; round < rounds; round++) waiting.push(await denialsOfWaiting(stack));
    const denied = `gateway, answer to a DELETE to denial of ${WAITING} waiting receives`;
    return [
      ...figures('DELETE to disconnect', 'disconnect', '≤ 100 ms'),
      ...figures('DELETE to answer', 'response'),
      {
        measure: 'gateway, accepted after the answer to a DELETE',
        unit: 'requests',
        values: accepted,
        aim: 'none',
      },
      { measure: denied, unit: 'ms p50', values: waiting.map((times) => percentile(times, 50)) },
      {
        measure: `${denied}, the last`,
        unit: 'ms',
        values: waiting.map((times) => Math.max(...times)),
        aim: '≤ 300 ms',
      },
    ];
  },
};

/**
 * Revokes credentials of one account one after another, each with a connected client. Rejects if a revocation was not
 * enforced when the DELETE returned, because the measurement would be wrong.
 */
async function measureNats(stack: Stack, revocations: number): Promise<DenialTimes> {
  const times: DenialTimes = { disconnect: [], response: [], roundTrip: [] };
  const { id: account } = await call<{ id: string }>(stack, REGION, 'POST', '/nats-accounts', {
    project_id: stack.owner?.project_id,
  });
  const { connection: steady } = await connectNew(stack, account);
  for (let i = 0; i < revocations; i++) {
    const { id, connection } = await connectNew(stack, account);
    times.roundTrip.push(await timeRoundTrip(steady));
    const start = performance.now();
    const [response, disconnect] = await Promise.all([
      timeRevocation(stack, id, start),
      connection.closed().then(() => performance.now() - start),
    ]);
    times.response.push(response);
    times.disconnect.push(disconnect);
  }
  await steady.close();
  return times;
}

async function timeRevocation(stack: Stack, id: string, start: number): Promise<number> {
  const response = await request(stack, REGION, 'DELETE', `/nats-credentials/${id}`);
  const took = performance.now() - start;
  const enforcement = response.headers.get('Latchkey-Enforcement');
  if (!enforcement?.startsWith('enforced')) throw new Error(`A revocation returned: ${enforcement}`);
  return took;
}

function timeRoundTrip(connection: NatsConnection): Promise<number> {
  return new Promise((resolve) => {
    const start = performance.now();
    connection.subscribe('round.trip', { max: 1, callback: () => resolve(performance.now() - start) });
    connection.publish('round.trip', 'x');
  });
}

async function connectNew(
  stack: Stack,
  account: string,
): Promise<{ id: string; connection: NatsConnection }> {
  const made = await call<{ id: string; credentials: { content: string } }>(
    stack,
    REGION,
    'POST',
    '/nats-credentials',
    { nats_account_id: account },
  );
  const connection = await connect({
    servers: stack.nats.get(REGION)?.url ?? '',
    authenticator: credsAuthenticator(new TextEncoder().encode(made.credentials.content)),
    reconnect: false,
  });
  return { id: made.id, connection };
}

/**
 * Revokes credentials in use by several clients. Returns the number of accepted requests that started after the
 * response.
 */
async function acceptedAfterRevocation(stack: Stack): Promise<number> {
  const credentials = await newQueueCredentials(stack, REGION);
  const attempts: { begun: number; accepted: boolean }[] = [];
  let going = true;
  const client = async () => {
    while (going) {
      const signed = await signSqs(stack.origin, REGION, credentials, 'ListQueues', {});
      const begun = performance.now();
      const response = await fetch(signed);
      await response.arrayBuffer();
      attempts.push({ begun, accepted: response.status === 200 });
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  await wait(AFTER_MS);
  await request(stack, REGION, 'DELETE', `/sqs-credentials/${credentials.id}`);
  const answered = performance.now();
  await wait(AFTER_MS);
  going = false;
  await Promise.all(clients);
  const before = attempts.filter(({ begun, accepted }) => begun < answered && accepted);
  const after = attempts.filter(({ begun }) => begun >= answered);
  if (before.length === 0 || after.length === 0)
    throw new Error('No request was in flight around the DELETE');
  return after.filter(({ accepted }) => accepted).length;
}

/**
 * Revokes credentials while receives wait. Returns the milliseconds from the response to each denial, negative if the
 * denial came first. Rejects if a receive ended otherwise, or if the revocation was not enforced.
 */
async function denialsOfWaiting(stack: Stack): Promise<number[]> {
  const credentials = await newQueueCredentials(stack, REGION);
  const sign = (action: string, fields: object) => signSqs(stack.origin, REGION, credentials, action, fields);
  const made = await fetch(await sign('CreateQueue', { QueueName: crypto.randomUUID() }));
  const { QueueUrl } = (await made.json()) as { QueueUrl: string };
  const fields = { QueueUrl, WaitTimeSeconds: 20 };
  const receives = Array.from({ length: WAITING }, async () => {
    const response = await fetch(await sign('ReceiveMessage', fields));
    const at = performance.now();
    await response.arrayBuffer();
    if (response.status !== 403) throw new Error(`A waiting receive returned ${response.status}`);
    return at;
  });
  const all = Promise.all(receives);
  await Promise.race([all, wait(WATCHED_MS)]);
  const response = await request(stack, REGION, 'DELETE', `/sqs-credentials/${credentials.id}`);
  const answered = performance.now();
  const enforcement = response.headers.get('Latchkey-Enforcement');
  if (enforcement !== 'enforced') throw new Error(`A revocation returned: ${enforcement}`);
  return (await all).map((at) => at - answered);
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
