/**
 * Crash recovery (kill -9): a DELETE is completed after a crash of the Worker's runtime, the nats-server, or
 * everything. The only intervention is to start the killed process again.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { signal } from '../stack/signal.ts';
import { type LocalStack, useStack } from './local-stack.ts';
import {
  access,
  accountJwtOf,
  bystander,
  type Creds,
  CUT,
  claimsOf,
  connectWith,
  deleteAccount,
  endOf,
  enforcementOf,
  newCreds,
  revoke,
} from './nats-client.ts';
import { credsOf } from './past-creds.ts';
import { startProcess } from './start-process.ts';

const REGION = 'fr-par';
const FOR_EVER = 253_402_300_799;

const local = useStack();

const server = () => {
  const found = local.stack.nats.get(REGION);
  if (!found) throw new Error('no server');
  return found;
};

/** Returns an account's streams on the server, from its files. */
function streamsOf({ state }: LocalStack, account: string): string[] {
  const folder = join(state, 'nats', REGION, 'jetstream', 'jetstream', account, 'streams');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Creates creds of a new account with streams. */
async function withStreams(on: LocalStack, url: string, names: readonly string[]): Promise<Creds> {
  const creds = await newCreds(on, REGION);
  const connection = await connectWith(url, creds.content);
  const manager = await jetstreamManager(connection);
  for (const name of names) await manager.streams.add({ name, subjects: [`${name}.>`] });
  await jetstream(connection).publish(`${names[0]}.x`, 'payload');
  await connection.close();
  expect(streamsOf(on, creds.account)).toEqual(names);
  return creds;
}

/** Waits until the account's streams are deleted and its tombstone denies everyone permanently. */
async function expectPurged(on: LocalStack, account: string): Promise<void> {
  const revocations = async () => claimsOf(await accountJwtOf(on, REGION, account)).nats.revocations;
  await expect.poll(revocations).toEqual({ '*': FOR_EVER });
  expect(streamsOf(on, account)).toEqual([]);
}

/** Expects that a deleted account accepts no one, not even creds signed now or later with its signing key. */
async function expectTombstone(creds: Creds): Promise<void> {
  await expectPurged(local, creds.account);
  const ofPurge = await credsOf(local, creds, { age: -60 });
  expect(await access(server().url, ofPurge.content)).toBe('refused');
  await server().stop();
  await server().start();
  await local.stack.schedule();
  for (const { content } of [creds, ofPurge]) expect(await access(server().url, content)).toBe('refused');
}

describe('a deleted account', () => {
  it('disconnects everyone, loses its streams, and is never revived', async () => {
    const creds = await withStreams(local, server().url, ['ONE', 'TWO']);
    const connection = await connectWith(server().url, creds.content);
    const { enforcement, receipt } = await deleteAccount(local, REGION, creds.account);
    expect(enforcement).toBe('enforced; servers=1');
    expect(receipt).toMatch(/^connections=1;/);
    expect(await endOf(connection)).toMatch(CUT);
    expect(streamsOf(local, creds.account)).toEqual([]);
    await expectTombstone(creds);
  });

  it('loses its streams also when the server is down during the DELETE', async () => {
    const creds = await withStreams(local, server().url, ['ONE', 'TWO']);
    await server().stop();
    const { enforcement } = await deleteAccount(local, REGION, creds.account);
    expect(enforcement).toBe('pending; acknowledged=0; servers=0');
    await server().start();
    expect(await access(server().url, creds.content)).toBe('refused');
    await expectTombstone(creds);
    local.logged.splice(0);
  });

  it.each([4, 8, 16])(
    'loses its streams also when the server is killed %i ms after the DELETE starts',
    async (delay) => {
      const names = Array.from({ length: 20 }, (_, i) => `S${String(i).padStart(2, '0')}`);
      const creds = await withStreams(local, server().url, names);
      const deleting = deleteAccount(local, REGION, creds.account);
      await sleep(delay);
      signal(server().pid(), 'SIGKILL');
      await expect.poll(() => server().pid()).toBeUndefined();
      await deleting;
      await server().start();
      await expectTombstone(creds);
      local.logged.splice(0);
    },
  );
});

describe('a revocation', () => {
  it('survives a crash of the runtime while it waits for a frozen server', async () => {
    const revoked = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, revoked.account);
    const other = await bystander(server().url, sibling.content);
    const connection = await connectWith(server().url, revoked.content);
    const frozen = server().pid();
    const runtime = local.stack.pids().worker;
    signal(frozen, 'SIGSTOP');
    const response = revoke(local, revoked).catch(() => 'nothing');
    // Recorded in the database and being pushed.
    await expect
      .poll(async () => (await enforcementOf(local, REGION, revoked.account)).state, { interval: 5 })
      .toBe('pending');
    signal(runtime, 'SIGKILL');
    expect(await response).toBe('nothing');
    signal(frozen, 'SIGCONT');
    await expect.poll(() => local.stack.pids().worker).not.toBe(runtime);
    expect(await endOf(connection)).toMatch(CUT);
    expect(await access(server().url, revoked.content)).toBe('refused');
    await expect
      .poll(async () => (await enforcementOf(local, REGION, revoked.account)).state)
      .toBe('enforced');
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    local.logged.splice(0);
  });
});

describe('a crash of the whole stack (kill -9)', () => {
  it('delays pending work until the next start', async () => {
    const state = mkdtempSync(join(tmpdir(), 'latchkey-crash-'));
    let running = await startProcess(state);
    try {
      const { owner, origin } = running;
      const on = { stack: { origin }, owner, state } as LocalStack;
      const { nats } = JSON.parse(readFileSync(join(state, 'ports.json'), 'utf8'));
      const url = `nats://127.0.0.1:${nats[REGION].client}`;
      const deleted = await withStreams(on, url, ['ONE', 'TWO']);
      const revoked = await newCreds(on, REGION);
      const sibling = await newCreds(on, REGION, revoked.account);
      const recorded: { role: string; pid: number }[] = JSON.parse(
        readFileSync(join(state, 'processes.json'), 'utf8'),
      );
      signal(recorded.find(({ role }) => role === `nats ${REGION}`)?.pid, 'SIGSTOP');
      const responses = [deleteAccount(on, REGION, deleted.account), revoke(on, revoked)].map((response) =>
        response.catch(() => 'nothing'),
      );
      await expect
        .poll(async () => (await enforcementOf(on, REGION, revoked.account)).state, { interval: 5 })
        .toBe('pending');
      await running.killAll();
      expect(await Promise.all(responses)).toEqual(['nothing', 'nothing']);

      running = await startProcess(state);
      expect(await access(url, revoked.content)).toBe('refused');
      await expect
        .poll(async () => (await enforcementOf(on, REGION, revoked.account)).state)
        .toBe('enforced');
      await expectPurged(on, deleted.account);
      expect(await access(url, deleted.content)).toBe('refused');
      expect(await access(url, sibling.content)).toBe('yes');
    } finally {
      await running.interrupt();
      rmSync(state, { recursive: true, force: true });
    }
  });
});
