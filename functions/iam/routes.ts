/**
 * The part of the Account and IAM APIs that the official clients ask for before they work: the caller's projects, and
 * what an API key is.
 */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import { getApiKey } from '../../db/identity/api-keys.ts';
import { listProjects } from '../../db/identity/projects.ts';
import { errorResponses, newRouter, ok, pageOf, requireScope, wireTime, wireTimeOrNull } from '../app.ts';
import { paging, uuid } from '../credentials/schemas.ts';
import { ApiError } from '../errors.ts';

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

const apiKey = z
  .object({
    access_key: z.string(),
    secret_key: z.null(),
    application_id: z.string().nullable(),
    user_id: z.string().nullable(),
    description: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    default_project_id: z.string(),
    editable: z.boolean(),
    managed: z.boolean(),
    creation_ip: z.string(),
  })
  .meta({ id: 'ApiKey' });

const times = { created_at: '2026-11-21T09:00:00.000Z', updated_at: '2026-11-21T09:00:00.000Z' };
const projectExample = {
  id: '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
  name: 'default',
  organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
  ...times,
  description: '',
  qualification: null,
};

/** `/account/v3`: the projects that the caller may see. */
export const accountRoutes = newRouter().openapi(
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

/** `/iam/v1alpha1`: what an API key is. */
export const iamRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/api-keys/{access_key}',
    tags: ['IAM'],
    summary: 'Get an API key',
    request: { params: z.object({ access_key: z.string().regex(/^SCW[A-Z0-9]{17}$/) }) },
    responses: {
      ...ok(apiKey, {
        access_key: 'SCWEXAMPLEEXAMPLE000',
        secret_key: null,
        application_id: null,
        user_id: '6a1f4f4e-6f0c-4b1e-9a57-1f6f0a8d3c44',
        description: '',
        ...times,
        expires_at: null,
        default_project_id: projectExample.id,
        editable: true,
        managed: false,
        creation_ip: '',
      }),
      ...errorResponses('not_found'),
    },
  }),
  async (c) => {
    const accessKey = c.req.valid('param').access_key;
    const { organizationIds } = requireScope(c, { resource: 'iam', action: 'read' });
    const key = await getApiKey(c.get('identity'), accessKey, organizationIds);
    if (!key) throw new ApiError('not_found', { resource: 'api_key', resource_id: accessKey });
    return c.json(
      {
        access_key: key.accessKey,
        secret_key: null,
        application_id: key.applicationId,
        user_id: key.userId,
        description: key.description,
        created_at: wireTime(key.createdAt),
        updated_at: wireTime(key.updatedAt),
        expires_at: wireTimeOrNull(key.expiresAt),
        default_project_id: key.defaultProjectId,
        editable: true,
        managed: false,
        creation_ip: key.creationAddress ?? '',
      },
      200,
    );
  },
);
