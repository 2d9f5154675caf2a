/**
 * Crash recovery (kill -9) while credentials are created: each creation is stored completely or not at all, and every
 * confirmed one is stored. Most kills end only the runtime, which holds the databases and restarts in a fifth of the
 * time; the others end the whole stack. For interrupted deletions of projects see worker/projects.test.ts, for
 * revocations see nats-crash.test.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../stack/databases.ts';
import { signal } from '../stack/signal.ts';
import { stackDatabases } from '../stack/stack.ts';
import { type StartProcess, startProcess } from './start-process.ts';

const KILLS = 50;
/** Every fifth kill ends the whole stack, the others only the runtime. */
const endsTheStack = (round: number) => round % 5 === 0;
const REGIONS = ['fr-par', 'nl-ams'] as const;
const PRODUCTS = ['nats', 'sqs', 'sns'] as const;

let state: string;
let running: StartProcess | undefined;
const accounts: Record<string, string> = {};

async function call(method: string, path: string, body?: unknown) {
  if (!running) throw new Error('the stack is not running');
  return fetch(`${running.origin}/mnq/v1beta1/regions/${path}`, {
    method,
    headers: { 'X-Auth-Token': running.owner.secret_key, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'latchkey-crash-'));
  running = await startProcess(state);
  const { project_id } = running.owner;
  for (const region of REGIONS) {
    for (const product of ['sqs', 'sns']) await call('POST', `${region}/activate-${product}`, { project_id });
    const account = (await (await call('POST', `${region}/nats-accounts`, { project_id })).json()) as {
      id: string;
    };
    accounts[region] = account.id;
  }
});

afterAll(async () => {
  await running?.interrupt();
  rmSync(state, { recursive: true, force: true });
});

/** Returns the process ID of the runtime. The stack restarts it after a crash. */
function runtime(): number | undefined {
  const recorded = JSON.parse(readFileSync(join(state, 'processes.json'), 'utf8')) as {
    role: string;
    pid: number;
  }[];
  return recorded.find(({ role }) => role === 'worker')?.pid;
}

/** Kills the runtime. Resolves when its replacement accepts requests. */
async function killRuntime(): Promise<void> {
  const killed = runtime();
  signal(killed, 'SIGKILL');
  await expect.poll(runtime, { interval: 20 }).not.toBe(killed);
  const accepts = () =>
    fetch(`${running?.origin}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(accepts, { interval: 20 }).toBe(true);
}

/** Sends a creation, and kills `delay` milliseconds later. Resolves to the id if confirmed, else null. */
async function createAndKill(round: number, delay: number): Promise<string | null> {
  const region = REGIONS[round % 2] ?? 'fr-par';
  const product = PRODUCTS[round % 3] ?? 'nats';
  const body = {
    name: `round ${round}`,
    ...(product === 'nats'
      ? { nats_account_id: accounts[region] }
      : { project_id: running?.owner.project_id, permissions: { can_publish: true } }),
  };
  const confirmedId = call('POST', `${region}/${product}-credentials`, body)
    .then(async (response) => ((await response.json()) as { id: string }).id)
    .catch(() => null);
  await sleep(delay);
  if (endsTheStack(round)) {
    await running?.killAll();
    running = undefined;
  } else await killRuntime();
  return confirmedId;
}

/** Reads the database files after a kill: ids of credentials, and inconsistent rows. */
async function inspect() {
  const found = { ids: [] as string[], wrong: [] as unknown[] };
  for (const { binding, file } of await stackDatabases(state)) {
    if (!binding.startsWith('REGION_')) continue;
    const database = openDatabase(file);
    try {
      const rows = (sql: string) => database.prepare(sql).all() as Record<string, unknown>[];
      found.ids.push(...rows('select id from credentials').map(({ id }) => String(id)));
      found.wrong.push(
        // Credentials without exactly one audit row, and audit rows without a credential.
        ...rows(`select id from credentials c where 1 <>
          (select count(*) from audit_events where resource_id = c.id and action = 'create')`),
        ...rows(`select resource_id from audit_events where action = 'create' and resource like '%_credentials'
          and resource_id not in (select id from credentials)`),
        // Counters that differ from the number of rows.
        ...rows(`select * from counts where value <> case
          when resource = 'nats_accounts' then (select count(*) from nats_accounts
            where scope in (project_id, 'organization:' || organization_id))
          when resource = 'nats_revocations' then (select count(*) from nats_revocations where account_id = scope)
          when length(scope) = 56 then (select count(*) from credentials where nats_account_id = scope)
          else (select count(*) from credentials where project_id = scope and product = resource) end`),
        // Credentials without a secret, permissions or an account.
        ...rows(`select id from credentials where case product
          when 'nats' then nats_account_id is null else sealed_secret is null or permissions is null end`),
      );
    } finally {
      database.close();
    }
  }
  return found;
}

it(`a crash leaves complete credentials or none, in ${KILLS} kills`, { timeout: 600_000 }, async () => {
  const confirmed: string[] = [];
  // The longest delay in milliseconds. It adapts to the machine, so that kills come before and after the write.
  let maxDelay = 30;
  let stored = 0;
  for (let round = 0; round < KILLS; round++) {
    running ??= await startProcess(state);
    const id = await createAndKill(round, Math.random() * maxDelay);
    if (id) confirmed.push(id);
    const found = await inspect();
    maxDelay *= found.ids.length > stored ? 0.7 : 1.3;
    stored = found.ids.length;
    expect(found.wrong, `round ${round}`).toEqual([]);
    expect(
      confirmed.filter((one) => !found.ids.includes(one)),
      `round ${round}`,
    ).toEqual([]);
  }
  const { ids } = await inspect();
  console.log(`${KILLS} kills: ${confirmed.length} creations confirmed, ${ids.length} credentials stored`);
  // Some kills must come before the write and some after it, or the test proves nothing.
  expect(ids.length).toBeGreaterThan(0);
  expect(ids.length).toBeLessThan(KILLS);

  running ??= await startProcess(state);
  for (const region of REGIONS) {
    for (const product of PRODUCTS) {
      const listed = await call('GET', `${region}/${product}-credentials?page_size=100`);
      const body = (await listed.json()) as Record<string, { id: string }[]> & { total_count: number };
      expect(body[`${product}_credentials`]).toHaveLength(body.total_count);
    }
  }
});
