/**
 * How long after a DELETE the live client is cut off, and how long the DELETE itself takes, on the local stack with a
 * real nats-server; beside them, in the same run, what one NATS publish to oneself takes. Prints, judges nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { type Stack, startStack } from '../stack/stack.ts';

/** What was measured, in milliseconds, one number for each revocation. */
export interface DenialTimes {
  /** From sending the DELETE to the live client's disconnect. */
  disconnect: number[];
  /** From sending the DELETE to its answer. */
  response: number[];
  /** From a publish to its arrival at the publisher, measured before each revocation. */
  roundTrip: number[];
}

const REGION = 'fr-par';

/**
 * Revokes credentials of one account, one after another, each with a client that is connected. Rejects when a
 * revocation was not enforced when it was answered, because then it is not what is to be measured.
 */
export async function measureDenial(stack: Stack, revocations: number): Promise<DenialTimes> {
  const times: DenialTimes = { disconnect: [], response: [], roundTrip: [] };
  const { id: account } = await call<{ id: string }>(stack, 'POST', '/nats-accounts', {
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
  const answer = await request(stack, 'DELETE', `/nats-credentials/${id}`);
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

async function call<Answer>(stack: Stack, method: string, path: string, body?: unknown): Promise<Answer> {
  return (await (await request(stack, method, path, body)).json()) as Answer;
}

async function request(stack: Stack, method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(`${stack.origin}/mnq/v1beta1/regions/${REGION}${path}`, {
    method,
    headers: { 'X-Auth-Token': stack.owner?.secret_key ?? '', 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
  return response;
}

/** The number that so many of a hundred are not above (nearest rank). */
function percentile(numbers: readonly number[], rank: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** Measures on a stack of its own, and prints a table and the same as one line of JSON. */
async function main(revocations: number): Promise<void> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets);
  const state = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const stack = await startStack({ state, port: 0 });
  try {
    // The first ones pay for what is loaded and compiled once.
    await measureDenial(stack, 20);
    const times = await measureDenial(stack, revocations);
    const rows = {
      'DELETE to disconnect': times.disconnect,
      'DELETE to response': times.response,
      'NATS round trip': times.roundTrip,
    };
    const figures = Object.fromEntries(
      Object.entries(rows).map(([name, numbers]) => [
        name,
        { median_ms: round(percentile(numbers, 50)), p99_ms: round(percentile(numbers, 99)) },
      ]),
    );
    console.table(figures);
    console.log(JSON.stringify({ benchmark: 'denial', revocations, ...figures }));
  } finally {
    await stack.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

const round = (milliseconds: number) => Number(milliseconds.toFixed(2));

if (import.meta.main) await main(Number(process.argv[2] ?? 200));
