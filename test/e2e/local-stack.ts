/**
 * Starts a stack with an empty state folder before the tests of a file, and removes it after them. The file fails if the
 * Worker logs anything that a test does not remove from `logged`, except printed emails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { natsServerVersion, versionWarning } from '../stack/nats.ts';
import { type Stack, type StackSettings, startStack } from '../stack/stack.ts';

/** A running stack for tests. */
export interface LocalStack {
  stack: Stack;
  owner: Owner;
  /** The state folder. */
  state: string;
  /** Lines that the Worker has logged. A test removes the lines that it expects. */
  logged: string[];
}

/** Whether the tests run on a nats-server that the Worker rightly warns about. `npm test` prints the same warning. */
const onUnsupportedServer = versionWarning(natsServerVersion()) !== undefined;
const isExpectedWarning = (line: string) =>
  onUnsupportedServer && line.includes('this version is not supported');

/** High rate limits, because all requests of a test come from one address. */
const LIMITS = {
  SIGN_IN_LIMIT: 10_000,
  ACCOUNT_LIMIT: 10_000,
  TOKEN_LIMIT: 10_000,
  VISITOR_LIMIT: 10_000,
};

/** Starts a stack for the tests of this file. Read the members of the returned object only inside tests and hooks. */
export function useStack(settings: Partial<StackSettings> = {}): LocalStack {
  const local = { logged: [] as string[] } as LocalStack;
  beforeAll(async () => {
    local.state = mkdtempSync(join(tmpdir(), 'latchkey-'));
    local.stack = await startStack({
      state: local.state,
      port: 0,
      onLog: ({ message }) => void (isExpectedWarning(message) || local.logged.push(message)),
      limits: LIMITS,
      ...settings,
    });
    if (!local.stack.owner) throw new Error('a fresh state folder has no Owner');
    local.owner = local.stack.owner;
  });
  afterAll(async () => {
    await local.stack?.stop();
    rmSync(local.state, { recursive: true, force: true });
    expect(local.logged.filter((line) => !line.startsWith('Email to '))).toEqual([]);
  });
  return local;
}

/** Calls the API as the Owner. Resolves to the parsed response, or null if it is empty. Rejects on an error status. */
export async function api<ResponseBody = Record<string, never>>(
  { stack, owner }: Pick<LocalStack, 'stack' | 'owner'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<ResponseBody> {
  const response = await fetch(stack.origin + path, {
    method,
    headers: { 'X-Auth-Token': owner.secret_key, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} responded with ${response.status}: ${text}`);
  return (text ? JSON.parse(text) : null) as ResponseBody;
}
