/** Stands in for the Durable Objects that tell nats-servers of a change, where a Worker runs without: no server is active. */
import type { DurableObjectNamespace } from '@cloudflare/workers-types';

const publication = { revision: 1, acknowledged: 0, servers: 0, cut: null, finished: true };

/** The binding `ACCOUNT_PUBLISHER` of such a Worker. */
export const noServers = {
  idFromName: () => 'any',
  get: () => ({ fetch: async () => Response.json(publication) }),
} as unknown as DurableObjectNamespace;
