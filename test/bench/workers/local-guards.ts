/** Replaces the guards in a Worker without Durable Objects. */
import type { D1Database, DurableObjectNamespace } from '@cloudflare/workers-types';
import { openDatabase } from '../../../db/database.ts';
import { findGatewayCredential, type GatewayCredential } from '../../../db/region/gateway.ts';
import type { Guard } from '../../../functions/guard/guards.ts';
import { noUsage } from '../../../functions/guard/usage.ts';

/**
 * Returns the binding `CREDENTIAL_GUARD` of such a Worker. Rows are kept in its own memory and never read again, which
 * is the least that a gateway can cost: changes in another isolate would go unnoticed.
 */
export function localGuards(region: D1Database): DurableObjectNamespace {
  const rows = new Map<string, Promise<GatewayCredential | null>>();
  const rowOf = (accessKey: string) => {
    const row = rows.get(accessKey) ?? findGatewayCredential(openDatabase(region), accessKey);
    rows.set(accessKey, row);
    return row;
  };
  const guard: Guard = {
    admit: async ({ accessKey }) => ({ read: true, credential: await rowOf(accessKey) }),
    async changed() {},
    async record({ accessKey }, _row, usage) {
      const credential = await rowOf(accessKey);
      if (credential) credential.lastUsedAt = usage.last?.at ?? null;
    },
    usage: async () => noUsage(),
    requestsSince: async () => 0,
  };
  return { idFromName: (name: string) => name, get: () => guard } as unknown as DurableObjectNamespace;
}
