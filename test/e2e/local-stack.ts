/**
 * A stack for one test file: started before its tests on a fresh state folder, ended and removed after them. A test
 * file fails when the Worker logged an error that it did not ask for; mail that it printed is none.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Stack, type StackSettings, startStack } from '../stack/stack.ts';

/** What tests use of a running stack. */
export interface LocalStack {
  stack: Stack;
  owner: Owner;
  /** The state folder. */
  state: string;
  /** What the Worker has printed so far. */
  logged: string[];
}

/** Everything of a test comes from one address, which would throttle itself. */
const WIDE = { SIGN_IN_LIMIT: 10_000, ACCOUNT_LIMIT: 10_000, TOKEN_LIMIT: 10_000, VISITOR_LIMIT: 10_000 };

/** Starts a stack for the tests of this file. Its members are there once the tests run. */
export function useStack(settings: Partial<StackSettings> = {}): LocalStack {
  const local = { logged: [] as string[] } as LocalStack;
  beforeAll(async () => {
    local.state = mkdtempSync(join(tmpdir(), 'latchkey-'));
    local.stack = await startStack({
      state: local.state,
      port: 0,
      onLog: ({ message }) => local.logged.push(message),
      limits: WIDE,
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

/** Calls the API as the Owner. Resolves to the parsed answer, or null when it is empty; rejects on an error status. */
export async function api<Answer = Record<string, never>>(
  { stack, owner }: Pick<LocalStack, 'stack' | 'owner'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(stack.origin + path, {
    method,
    headers: { 'X-Auth-Token': owner.secret_key, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return (text ? JSON.parse(text) : null) as Answer;
}
