/**
 * Lists a project's queues and topics for the console. The lists come from the inventory without a request to the
 * engine, so a listed resource might no longer exist there.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import { listNamesOfProject, type ResourceKind } from '../../db/region/inventory.ts';
import { requireScope } from '../iam/access/require-access.ts';
import { type AppEnv, errorResponses, newRouter, ok } from '../shared/http.ts';
import { PRODUCT_LABELS } from '../shared/products.ts';
import { regionParams, uuid } from '../shared/schemas.ts';
import type { Service } from './actions.ts';
import { clientArn, clientQueueUrl } from './names.ts';

const query = z.object({
  project_id: uuid,
  page_size: z.coerce.number().int().min(1).max(100).default(50),
  /** The `next_page_token` of the previous page. */
  page_token: z.string().max(256).default(''),
});

const named = z.object({ name: z.string(), arn: z.string() });
const next = { next_page_token: z.string().nullable() };
const queueList = z.object({ queues: z.array(named.extend({ url: z.string() })), ...next });
const topicList = z.object({ topics: z.array(named), ...next });

const project = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
const arnOf = (product: string, name: string) => `arn:scw:${product}:fr-par:project-${project}:${name}`;
const queueExample = {
  name: 'orders',
  arn: arnOf('sqs', 'orders'),
  url: `https://latchkey.example.com/project-${project}/orders`,
};

/** Returns the requested page of names and the token of the next one. */
async function page(c: Context<AppEnv>, kind: ResourceKind, product: Service, asked: z.infer<typeof query>) {
  const { project_id: projectId, page_size: limit, page_token: after } = asked;
  requireScope(c, { resource: product, action: 'read' }, projectId);
  const names = await listNamesOfProject(c.get('regionDb'), kind, {
    projectId,
    product,
    after,
    limit: limit + 1,
  });
  const shown = names.slice(0, limit);
  const region = c.get('region').name;
  return {
    items: shown.map((name) => ({ name, arn: clientArn({ region, projectId }, product, name) })),
    next_page_token: names.length > limit ? (shown.at(-1) ?? null) : null,
  };
}

/** The routes `/queues` and `/topics` of a region. */
export const inventoryRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/queues',
      tags: [PRODUCT_LABELS.sqs],
      summary: 'List the queues of a project',
      description: 'Sorted by name. Lists queues that have been created.',
      request: { params: regionParams, query },
      responses: {
        ...ok(queueList, { queues: [queueExample], next_page_token: null }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const asked = c.req.valid('query');
      const { items, next_page_token } = await page(c, 'queues', 'sqs', asked);
      const place = { origin: new URL(c.req.url).origin, projectId: asked.project_id };
      const listed = items.map((item) => ({ ...item, url: clientQueueUrl(place, item.name) }));
      return c.json({ queues: listed, next_page_token }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/topics',
      tags: [PRODUCT_LABELS.sns],
      summary: 'List the topics of a project',
      description: 'Sorted by name. Lists topics that have been created.',
      request: { params: regionParams, query },
      responses: {
        ...ok(topicList, {
          topics: [{ name: 'orders', arn: arnOf('sns', 'orders') }],
          next_page_token: null,
        }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const { items, next_page_token } = await page(c, 'topics', 'sns', c.req.valid('query'));
      return c.json({ topics: items, next_page_token }, 200);
    },
  );
