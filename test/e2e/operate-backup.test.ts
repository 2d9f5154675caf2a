/**
 * Checks what "Back up and restore" states about a restored database, and "Rotate keys" about the sign-in secret. The
 * database is restored by its rows: Cloudflare's own restore is not tested.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import type { D1Database } from '@cloudflare/workers-types';
import { expect, it } from 'vitest';
import { startStack } from '../stack/stack.ts';
import { ALL, activate, newCredentials, outcome, revoke, sqsClient } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { access, newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const REGION = 'fr-par';
const NATS = `/mnq/v1beta1/regions/${REGION}/nats-credentials`;

type Rows = Map<string, Record<string, unknown>[]>;

/** All rows of a database, by table. */
async function backUp(database: D1Database): Promise<Rows> {
  const tables = await database
    .prepare(
      `select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'd1_%' and name not like '_cf_%'`,
    )
    .all<{ name: string }>();
  const rows: Rows = new Map();
  for (const { name } of tables.results)
    rows.set(name, (await database.prepare(`select * from "${name}"`).all()).results);
  return rows;
}

/** Replaces a database's rows. */
async function restore(database: D1Database, backup: Rows): Promise<void> {
  const statements = [...backup].flatMap(([table, rows]) => [
    database.prepare(`delete from "${table}"`),
    ...rows.map((row) => {
      const columns = Object.keys(row);
      const places = columns.map(() => '?').join(', ');
      return database
        .prepare(
          `insert into "${table}" (${columns.map((name) => `"${name}"`).join(', ')}) values (${places})`,
        )
        .bind(...Object.values(row));
    }),
  ]);
  await database.batch(statements);
}

it('a restored region accepts revoked credentials, until they are revoked again', async () => {
  const { stack } = local;
  const url = stack.nats.get(REGION)?.url ?? '';
  const runSchedule = () => stack.schedule(stack.crons[0] ?? '');
  await activate(local, REGION, local.owner.project_id, ['sqs']);
  const queues = await newCredentials(local, 'sqs', ALL);
  const creds = await newCreds(local, REGION);
  const signedIn = () =>
    outcome(sqsClient(local, queues).send(new GetQueueUrlCommand({ QueueName: 'none' })));
  expect(await access(url, creds.content)).toBe('yes');

  const database = await stack.database('REGION_FR_PAR');
  const backup = await backUp(database);
  const since = Date.now() - 1;
  const later = await newCreds(local, REGION, creds.account);
  await revoke(local, 'sqs', queues);
  await api(local, 'DELETE', `${NATS}/${creds.id}`);
  expect([await signedIn(), await access(url, creds.content)]).toEqual(['InvalidClientTokenId', 'refused']);

  const [sql = ''] = codeOf('operate/backup', 'sh').flatMap(
    (code) => /"(select [^"]+)"/.exec(code)?.[1] ?? [],
  );
  const { results: changed } = await database
    .prepare(sql.replace('SINCE', `${since}`))
    .all<{ action: string; resource_id: string }>();
  await restore(database, backup);
  // The gateway caches for some seconds that the key does not exist.
  await expect.poll(signedIn).toBe('QueueDoesNotExist');
  await runSchedule();
  await expect.poll(() => access(url, creds.content)).toBe('yes');

  // Credentials created since then still work, and are not listed.
  expect(await access(url, later.content)).toBe('yes');
  await expect(api(local, 'DELETE', `${NATS}/${later.id}`)).rejects.toThrow('404');
  expect(changed).toContainEqual(expect.objectContaining({ action: 'create', resource_id: later.id }));

  const revoked = changed.filter(({ action }) => action === 'revoke').map(({ resource_id }) => resource_id);
  expect(revoked.sort()).toEqual([queues.id, creds.id].sort());
  await revoke(local, 'sqs', queues);
  await api(local, 'DELETE', `${NATS}/${creds.id}`);
  expect([await signedIn(), await access(url, creds.content)]).toEqual(['InvalidClientTokenId', 'refused']);
  await api(local, 'DELETE', `/mnq/v1beta1/regions/${REGION}/nats-accounts/${creds.account}`);
  expect(await access(url, later.content)).toBe('refused');
});

it('a new sign-in secret ends all sessions, and leaves API keys and passwords unchanged', async () => {
  const state = join(local.state, 'of-sign-in');
  const settings = { state, port: 0, onLog: () => {} };
  const signIn = async (origin: string, { email, password }: { email: string; password: string }) => {
    const headers = { 'Content-Type': 'application/json', Origin: origin };
    const body = JSON.stringify({ email, password });
    const response = await fetch(`${origin}/auth/sign-in/email`, { method: 'POST', headers, body });
    return (response.headers.get('Set-Cookie') ?? '').split(';')[0] ?? '';
  };
  const session = async (origin: string, cookie: string) =>
    (await fetch(`${origin}/auth/get-session`, { headers: { Cookie: cookie } })).json();

  const first = await startStack(settings);
  const { owner } = first;
  if (!owner) expect.unreachable('a fresh state folder has no Owner');
  const cookie = await signIn(first.origin, owner);
  expect(await session(first.origin, cookie)).toMatchObject({ user: { email: owner.email } });
  await first.stop();

  const file = join(state, 'secrets.json');
  const secrets = JSON.parse(readFileSync(file, 'utf8')) as { worker: Record<string, string> };
  const { SIGN_IN_SECRET: _, ...worker } = secrets.worker;
  writeFileSync(file, JSON.stringify({ ...secrets, worker }));

  const second = await startStack(settings);
  try {
    expect(await session(second.origin, cookie)).toBeNull();
    expect(await session(second.origin, await signIn(second.origin, owner))).toMatchObject({
      user: { email: owner.email },
    });
    await api({ stack: second, owner }, 'GET', '/account/v3/projects');
  } finally {
    await second.stop();
  }
});
