/** The endpoints of API keys, as Scaleway IAM v1alpha1 has them. */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import { getApiKey } from '../../db/identity/api-keys.ts';
import { errorResponses, newRouter, ok, requireScope, wireTime, wireTimeOrNull } from '../app.ts';
import { ApiError } from '../errors.ts';

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

/** `/iam/v1alpha1/api-keys`. */
export const apiKeyRoutes = newRouter().openapi(
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
        default_project_id: '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
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
