/**
 * The quota list of Scaleway IAM v1alpha1. Quotas belong to the deployment and are the same for every organization; the
 * statements that create resources enforce them (db/region).
 */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import type { Config, Quotas } from '../shared/env.ts';
import { ApiError } from '../shared/errors.ts';
import { errorResponses, newRouter, ok } from '../shared/http.ts';
import { paging, uuid } from '../shared/schemas.ts';
import { requireScope } from './access/require-access.ts';

const quotum = z
  .object({
    name: z.string(),
    limit: z.number().int(),
    pretty_name: z.string(),
    unit: z.string(),
    description: z.string(),
    locality_type: z.literal('region'),
    limits: z.array(z.object({ region: z.string(), limit: z.number().int() })),
  })
  .meta({ id: 'Quotum' });

/** The name, unit and description of each quota. */
const TEXTS: Record<keyof Quotas, { pretty_name: string; unit: string; description: string }> = {
  credentials: {
    pretty_name: 'Credentials',
    unit: 'credentials',
    description: 'Credentials of a project in a region, for NATS, Queues and Topics and Events together',
  },
  nats_accounts: {
    pretty_name: 'NATS accounts',
    unit: 'accounts',
    description: 'NATS accounts of the organization in a region',
  },
  nats_roles: {
    pretty_name: 'NATS roles',
    unit: 'roles',
    description: 'Roles of a NATS account',
  },
};

const NAMES = Object.keys(TEXTS).sort() as (keyof Quotas)[];

function present(name: keyof Quotas, { quotas, regions }: Config): z.infer<typeof quotum> {
  const limit = quotas[name];
  const limits = [...regions.keys()].map((region) => ({ region, limit }));
  return { name, limit, ...TEXTS[name], locality_type: 'region', limits };
}

const permission = { resource: 'iam', action: 'read' } as const;

export const quotaRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/quota',
    tags: ['IAM'],
    summary: 'List quotas',
    request: {
      query: paging.omit({ order_by: true }).extend({
        organization_id: uuid.optional(),
        quotum_names: z.union([z.string(), z.array(z.string())]).optional(),
        order_by: z.enum(['name_asc', 'name_desc']).default('name_asc'),
      }),
    },
    responses: {
      ...ok(z.object({ total_count: z.number().int(), quota: z.array(quotum) }), {
        total_count: 1,
        quota: [
          {
            name: 'nats_accounts',
            limit: 1000,
            ...TEXTS.nats_accounts,
            locality_type: 'region' as const,
            limits: [{ region: 'fr-par', limit: 1000 }],
          },
        ],
      }),
      ...errorResponses(),
    },
  }),
  (c) => {
    const query = c.req.valid('query');
    const { organizationIds } = requireScope(c, permission);
    const asked = query.organization_id ?? organizationIds[0];
    if (asked === undefined || !organizationIds.includes(asked)) {
      throw new ApiError('permissions_denied', { details: [permission] });
    }
    const named = query.quotum_names && [query.quotum_names].flat();
    const names = NAMES.filter((name) => named?.includes(name) ?? true);
    if (query.order_by === 'name_desc') names.reverse();
    const offset = (query.page - 1) * query.page_size;
    const quota = names.slice(offset, offset + query.page_size).map((name) => present(name, c.get('config')));
    return c.json({ total_count: names.length, quota }, 200);
  },
);
