/**
 * Tests of guarantees that some versions of nats-server cannot keep. Nothing is skipped: on a server with the fault,
 * the test must fail, and its name is reported as a known fault of that server. The faults are those of
 * functions/nats/server-versions.json.
 */
import { it } from 'vitest';
import { faults, faultsOf } from '../../functions/nats/versions.ts';
import { natsServerVersion } from '../stack/nats.ts';

/** The version of the nats-server under test, for example `2.15.1`. */
export const serverVersion = natsServerVersion();

/**
 * Defines a test that nats-servers with the fault `id` cannot pass. On a server without it, this is vitest's `it`. On
 * a server with it, `work` must fail in an assertion (`expect`); any other error, and passing, fails the test. Throws
 * if the table has no such fault.
 */
export function itUnlessFault(id: string, name: string, work: () => Promise<void>, timeout?: number): void {
  const fault = faults.find((each) => each.id === id);
  if (!fault) throw new Error(`functions/nats/server-versions.json has no fault ${id}`);
  if (!faultsOf(serverVersion).includes(fault)) {
    it(name, work, timeout);
    return;
  }
  const known = `known fault of nats-server ${serverVersion} (${fault.reference ?? id})`;
  const confirm = async () => {
    await expectFault(work, known);
    console.warn(`${known}: ${name}\n  ${fault.summary}`);
  };
  it(`${name} [${known}]`, confirm, timeout);
}

/** Resolves if `work` fails in an assertion. Rejects with its error if it fails otherwise, and if it passes. */
export async function expectFault(work: () => Promise<void>, known: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') return;
    throw error;
  }
  throw new Error(`Passed, but is listed as ${known}. Correct functions/nats/server-versions.json.`);
}
