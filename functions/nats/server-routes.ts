/** The endpoint that lists a region's nats-servers. Each request queries the servers. */
import { createRoute } from '@hono/zod-openapi';
import type * as z from 'zod';
import { requireScope } from '../iam/access/require-access.ts';
import { errorResponses, newRouter, ok } from '../shared/http.ts';
import { PRODUCT_LABELS } from '../shared/products.ts';
import { regionParams } from '../shared/schemas.ts';
import * as examples from './examples.ts';
import * as schemas from './schemas.ts';
import { listServers, type NatsServerState } from './servers.ts';
import { faultsOf, isSupported } from './versions.ts';

function present({
  name,
  version,
  websockets,
  clockAhead,
}: NatsServerState): z.infer<typeof schemas.natsServer> {
  return {
    state: name === null ? 'no_reply' : 'replied',
    name,
    version,
    supported: version === null ? null : isSupported(version),
    faults: version === null ? [] : faultsOf(version).map(({ id, summary }) => ({ id, summary })),
    websockets,
    clock_ahead_ms: clockAhead,
  };
}

export const natsServerRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/nats-servers',
    tags: [PRODUCT_LABELS.nats],
    summary: 'List the nats-servers of a region',
    description: `Queries the servers now. \`no_reply\` marks a configured address where no server replied in time. Revocations
      stay pending until it does, or until the address is removed from the configuration. \`total_count\` also counts
      servers that did not reply but are known to others in their cluster.`,
    request: { params: regionParams },
    responses: {
      ...ok(schemas.natsServerList, { total_count: 1, nats_servers: [examples.natsServer] }),
      ...errorResponses(),
    },
  }),
  async (c) => {
    requireScope(c, { resource: 'nats', action: 'read' });
    const deadline = Date.now() + c.get('config').nats.push_deadline_ms;
    const { listed, servers } = await listServers(c.get('region'), deadline);
    return c.json({ total_count: servers, nats_servers: listed.map(present) }, 200);
  },
);
