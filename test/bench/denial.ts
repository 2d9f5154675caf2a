/**
 * How long after a DELETE the bearer is denied. NATS: until the live client is cut off, and until the DELETE is
 * answered, beside the round trip of one message on the same server. The gateway: how many requests that are begun after
 * the answer to a DELETE are accepted, with requests under way all the time.
 */
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { call, newQueueCredentials, request, signSqs } from './client.ts';
import { percentile } from './rounds.ts';

/** What was measured, in milliseconds, one number for each revocation. */
interface DenialTimes {
  /** From sending the DELETE to the live client's disconnect. */
  disconnect: number[];
  /** From sending the DELETE to its answer. */
  response: number[];
  /** From a publish to its arrival at the publisher, measured before each revocation. */
  roundTrip: number[];
}

const REGION = 'fr-par';
const REVOCATIONS = 40;
const CLIENTS = 8;
const AFTER_MS = 200;

/** See this file's head. */
export const denial: Area = {
  name: 'denial',
  async measure({ rounds, stack: start }) {
    const stack = await start();
    // The first ones pay for what is loaded and compiled once.
    await measureNats(stack, 10);
    const times: DenialTimes[] = [];
    for (let round = 0; round < rounds; round++) times.push(await measureNats(stack, REVOCATIONS));
    const p50 = (of: keyof DenialTimes) => times.map((each) => percentile(each[of], 50));
    // Of all rounds together: the revocations of one are too few to have one.
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
    return [
      ...figures('DELETE to disconnect', 'disconnect', '≤ 100 ms'),
      ...figures('DELETE to answer', 'response'),
      {
        measure: 'gateway, accepted after the answer to a DELETE',
        unit: 'requests',
        values: accepted,
        aim: 'none',
      },
    ];
  },
};

/**
 * Revokes credentials of one account, one after another, each with a client that is connected. Rejects when a
 * revocation was not enforced when it was answered, because then it is not what is to be measured.
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
  const answer = await request(stack, REGION, 'DELETE', `/nats-credentials/${id}`);
  const took = performance.now() - start;
  const enforcement = answer.headers.get('Latchkey-Enforcement');
  if (!enforcement?.startsWith('enforced')) throw new Error(`A revocation was answered with: ${enforcement}`);
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

/** Revokes credentials that several clients are using; how many of their requests begun after the answer are accepted. */
async function acceptedAfterRevocation(stack: Stack): Promise<number> {
  const credentials = await newQueueCredentials(stack, REGION);
  const attempts: { begun: number; accepted: boolean }[] = [];
  let going = true;
  const client = async () => {
    while (going) {
      const signed = await signSqs(stack.origin, REGION, credentials, 'ListQueues', {});
      const begun = performance.now();
      const answer = await fetch(signed);
      await answer.arrayBuffer();
      attempts.push({ begun, accepted: answer.status === 200 });
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
    throw new Error('No request was under way around the DELETE');
  return after.filter(({ accepted }) => accepted).length;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
