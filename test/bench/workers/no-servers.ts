/** Replaces the Durable Objects that push changes to nats-servers, in a Worker without them: no server is active. */
import type { DurableObjectNamespace } from '@cloudflare/workers-types';

const publication = { revision: 1, acknowledged: 0, servers: 0, cut: null, finished: true };

/** The binding `ACCOUNT_PUBLISHER` of such a Worker. */
export const noServers = {
  idFromName: () => 'any',
  get: () => ({ fetch: async () => Response.json(publication) }),
} as unknown as DurableObjectNamespace;
