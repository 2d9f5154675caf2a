/** The endpoints of projects, as Scaleway Account v3 has them. */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import { listProjects } from '../../db/identity/projects.ts';
import { errorResponses, newRouter, ok, pageOf, requireScope, wireTime } from '../app.ts';
import { paging, uuid } from '../credentials/schemas.ts';

const project = z
  .object({
    id: z.string(),
    name: z.string(),
    organization_id: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    description: z.string(),
    qualification: z.null(),
  })
  .meta({ id: 'Project' });

const times = { created_at: '2026-11-21T09:00:00.000Z', updated_at: '2026-11-21T09:00:00.000Z' };
const projectExample = {
  id: '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
  name: 'default',
  organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
  ...times,
  description: '',
  qualification: null,
};

/** `/account/v3/projects`. */
export const projectRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/projects',
    tags: ['Projects'],
    summary: 'List projects',
    request: {
      query: paging.omit({ order_by: true }).extend({
        organization_id: uuid.optional(),
        name: z.string().optional(),
        order_by: z
          .enum(['created_at_asc', 'created_at_desc', 'name_asc', 'name_desc'])
          .default('created_at_asc'),
      }),
    },
    responses: {
      ...ok(z.object({ total_count: z.number().int(), projects: z.array(project) }), {
        total_count: 1,
        projects: [projectExample],
      }),
      ...errorResponses(),
    },
  }),
  async (c) => {
    const { organization_id: organizationId, name, ...query } = c.req.valid('query');
    const { projectIds } = requireScope(c, { resource: 'project', action: 'read' });
    const { rows, total } = await listProjects(
      c.get('identity'),
      { ids: projectIds, organizationId, name },
      pageOf(query),
    );
    const projects = rows.map((row) => ({
      id: row.id,
      name: row.name,
      organization_id: row.organizationId,
      created_at: wireTime(row.createdAt),
      updated_at: wireTime(row.updatedAt),
      description: row.description,
      qualification: null,
    }));
    return c.json({ total_count: total, projects }, 200);
  },
);
