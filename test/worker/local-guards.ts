/** Guards with bindings of the test, so that it can count, delay and break their database. */
import { runInDurableObject } from 'cloudflare:test';
import type { DurableObjectNamespace } from '@cloudflare/workers-types';
import type { CredentialGuard } from '../../functions/guard/credential-guard.ts';
import { env } from './env.ts';

/**
 * Returns the binding `CREDENTIAL_GUARD` of guards with these bindings. Their names start with `prefix`, so that they
 * are not the guards of other tests.
 */
export function localGuards(
  bindings: typeof env,
  prefix: string = crypto.randomUUID(),
): DurableObjectNamespace {
  const { CREDENTIAL_GUARD: guards } = env;
  const get = (id: ReturnType<typeof guards.idFromName>) => {
    const stub = guards.get(id) as unknown as CredentialGuard;
    const ready = runInDurableObject(stub as never, (guard) => {
      Object.assign(guard, { env: bindings });
    });
    const methods = ['admit', 'changed', 'record', 'usage', 'requestsSince', 'fetch'] as const;
    const calls = methods.map((name) => [
      name,
      async (...input: unknown[]) => {
        await ready;
        return (stub[name] as (...given: unknown[]) => unknown)(...input);
      },
    ]);
    return Object.fromEntries(calls);
  };
  const idFromName = (name: string) => guards.idFromName(`${prefix} ${name}`);
  return { idFromName, get } as unknown as DurableObjectNamespace;
}
