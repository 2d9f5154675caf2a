/** Declares the endpoints that report how credentials are used. The implementation is in usage.ts. */
import { createRoute } from '@hono/zod-openapi';
import type { AccessKeyProductId } from '../../db/products.ts';
import { MAX_NAMES } from '../guard/usage.ts';
import { errorResponses, newRouter, ok } from '../shared/http.ts';
import { regionParams, uuid } from '../shared/schemas.ts';
import { type AccessKeyProduct, nats } from './products.ts';
import { connectionsInLastDayOf, connectionUsageOf, requestsInLastDayOf, requestUsageOf } from './usage.ts';
import * as schemas from './usage-schemas.ts';

const params = regionParams.extend({ credentials_id: uuid });

const NETWORKS = `Networks are truncated: the /24 of an IPv4 address, the /48 of an IPv6 address. At most ${MAX_NAMES}
  networks and clients are listed.`;

/** Returns the usage routes of NATS credentials. */
export function natsUsageRoutes() {
  const tags = [nats.label];
  return newRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/nats-credentials/{credentials_id}/usage',
        tags,
        summary: 'Get the usage of NATS credentials',
        description: `Connections and messages in each hour of the last day, each six hours of the last week, or each day of
          the last 30 days, in UTC. They are sampled every five minutes: a connection that is opened and closed between
          two samples is not counted, and neither are messages after a connection's last sample. ${NETWORKS}`,
        request: { params, query: schemas.usageQuery },
        responses: {
          ...ok(schemas.connectionUsage, schemas.examples.connections),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        return c.json(await connectionUsageOf(c, credentials_id, c.req.valid('query').period), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/nats-usage',
        tags,
        summary: 'Get the connections and messages of several NATS credentials in the last day',
        description: `Returns up to ${schemas.MAX_CREDENTIALS} credentials, without those that do not exist or that you
          cannot read.`,
        request: { params: regionParams, query: schemas.lastDayQuery },
        responses: {
          ...ok(schemas.connectionsInLastDay, schemas.examples.connectionsInLastDay),
          ...errorResponses(),
        },
      }),
      async (c) => c.json(await connectionsInLastDayOf(c, c.req.valid('query').credentials_id), 200),
    );
}

/** Returns the usage routes of a product with access keys. */
export function requestUsageRoutes<const Id extends AccessKeyProductId>(product: AccessKeyProduct<Id>) {
  const tags = [product.label];
  return newRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: `/${product.id}-credentials/{credentials_id}/usage` as const,
        tags,
        summary: `Get the usage of ${product.label} credentials`,
        description: `Requests in each hour of the last day, each six hours of the last week, or each day of the last 30
          days, in UTC. Only requests with a valid signature count. \`denied\`, \`throttled\` and \`failed\` are part of
          \`requests\`. Counts are approximate. ${NETWORKS}`,
        request: { params, query: schemas.usageQuery },
        responses: {
          ...ok(schemas.requestUsage, schemas.examples.requests),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        return c.json(await requestUsageOf(c, product, credentials_id, c.req.valid('query').period), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: `/${product.id}-usage` as const,
        tags,
        summary: `Get the number of requests of several ${product.label} credentials in the last day`,
        description: `Returns up to ${schemas.MAX_CREDENTIALS} credentials, without those that do not exist or that you
          cannot read.`,
        request: { params: regionParams, query: schemas.lastDayQuery },
        responses: {
          ...ok(schemas.requestsInLastDay, schemas.examples.requestsInLastDay),
          ...errorResponses(),
        },
      }),
      async (c) => c.json(await requestsInLastDayOf(c, product, c.req.valid('query').credentials_id), 200),
    );
}
