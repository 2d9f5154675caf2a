/** The application endpoints of Scaleway IAM v1alpha1. */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import {
  type Application,
  createApplication,
  deleteApplication,
  getApplication,
  listApplications,
  updateApplication,
} from '../../../db/identity/applications.ts';
import { ApiError } from '../../shared/errors.ts';
import { apiTime, errorResponses, json, newRouter, noContent, ok, pageOf } from '../../shared/http.ts';
import { uuid } from '../../shared/schemas.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { accessOf, changed, readableOrganizations, writableOrganization } from '../access/organizations.ts';
import * as examples from '../examples.ts';
import * as schemas from '../schemas.ts';

const collection = '/applications';
const item = `${collection}/{application_id}` as const;
const params = z.object({ application_id: uuid });
const tags = ['IAM'];

function present(row: Application): z.infer<typeof schemas.application> {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    organization_id: row.organizationId,
    created_at: apiTime(row.createdAt),
    updated_at: apiTime(row.updatedAt),
    editable: true,
    deletable: true,
    managed: false,
    nb_api_keys: row.apiKeys,
    tags: JSON.parse(row.tags) as string[],
  };
}

const missing = (id: string) => new ApiError('not_found', { resource: 'application', resource_id: id });

export const applicationRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create an application',
      request: {
        body: { required: true, content: json(schemas.createApplicationBody, examples.createApplication) },
      },
      responses: {
        ...ok(schemas.application, examples.application),
        ...errorResponses('payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const application = await createApplication(c.get('identityDb'), auditContextOf(c), {
        id: crypto.randomUUID(),
        organizationId: writableOrganization(c, body.organization_id),
        name: body.name,
        description: body.description ?? '',
        tags: body.tags ?? [],
      });
      return c.json(present(application), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List applications',
      request: { query: schemas.listApplicationsQuery },
      responses: {
        ...ok(schemas.applicationList, { total_count: 1, applications: [examples.application] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const filter = {
        organizationIds: schemas.editableIn(readableOrganizations(c, query.organization_id), query.editable),
        ids: schemas.valuesOf(query.application_ids),
        name: query.name,
        tag: query.tag,
      };
      const { total, rows } = await listApplications(c.get('identityDb'), filter, pageOf(query));
      return c.json({ total_count: total, applications: rows.map(present) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get an application',
      request: { params },
      responses: { ...ok(schemas.application, examples.application), ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').application_id;
      const application = await getApplication(c.get('identityDb'), id, readableOrganizations(c));
      if (!application) throw missing(id);
      return c.json(present(application), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update an application',
      description: 'Absent and null fields keep their values.',
      request: {
        params,
        body: { required: true, content: json(schemas.updateApplicationBody, examples.updateApplication) },
      },
      responses: {
        ...ok(schemas.application, examples.application),
        ...errorResponses('not_found', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const id = c.req.valid('param').application_id;
      const body = c.req.valid('json');
      const access = accessOf(c);
      const application = await updateApplication(c.get('identityDb'), auditContextOf(c), id, access, {
        name: body.name ?? undefined,
        description: body.description ?? undefined,
        tags: body.tags ?? undefined,
      });
      return c.json(present(changed(application, access, missing(id))), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete an application and its API keys',
      description: 'Its API keys stop working on the next request. Its policies stay, without a principal.',
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').application_id;
      const access = accessOf(c);
      changed(
        await deleteApplication(c.get('identityDb'), auditContextOf(c), id, access),
        access,
        missing(id),
      );
      return c.body(null, 204);
    },
  );
