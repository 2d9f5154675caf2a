/** The project endpoints of Scaleway Account v3. */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import {
  createProject,
  getProject,
  listProjects,
  type Project,
  updateProject,
} from '../../db/identity/projects.ts';
import { authorize } from '../iam/access/authorize.ts';
import {
  missingProject as missing,
  refusalOfChange,
  requireScope,
  writableProjects,
} from '../iam/access/require-access.ts';
import { generateName } from '../shared/default-names.ts';
import { ApiError, invalidArgument } from '../shared/errors.ts';
import {
  type AppEnv,
  apiTime,
  errorResponses,
  json,
  newRouter,
  noContent,
  ok,
  pageOf,
} from '../shared/http.ts';
import {
  IDEMPOTENCY_DESCRIPTION,
  idempotencyHeaders,
  readIdempotencyKey,
  replayedResource,
} from '../shared/idempotency.ts';
import { nameSchema, paging, singleLine, uuid } from '../shared/schemas.ts';
import { auditContextOf } from '../shared/write-context.ts';
import { type BlockingResources, type DeletionRefused, deleteProject } from './delete-project.ts';

const collection = '/projects';
const item = `${collection}/{project_id}` as const;
const params = z.object({ project_id: uuid });
const tags = ['Projects'];
const read = { resource: 'project', action: 'read' } as const;
const write = { resource: 'project', action: 'write' } as const;

const project = z
  .object({
    id: z.string(),
    name: z.string(),
    organization_id: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    description: z.string(),
    qualification: z.null(),
    /** A project that is being deleted cannot be read. */
    status: z.literal('active'),
    srn: z.string(),
  })
  .meta({ id: 'Project' });

const name = nameSchema(64);
const description = singleLine(200);
const createBody = z.object({
  name: name.optional(),
  organization_id: uuid.nullish(),
  description: description.nullish(),
});
const updateBody = z.object({ name: name.nullish(), description: description.nullish() });
const listQuery = paging.omit({ order_by: true }).extend({
  organization_id: uuid.optional(),
  name: z.string().optional(),
  project_ids: z.union([z.array(uuid).max(100), uuid]).optional(),
  order_by: z.enum(['created_at_asc', 'created_at_desc', 'name_asc', 'name_desc']).default('created_at_asc'),
});

const example: z.infer<typeof project> = {
  id: '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
  name: 'default',
  organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
  created_at: '2026-11-21T09:00:00.000Z',
  updated_at: '2026-11-21T09:00:00.000Z',
  description: '',
  qualification: null,
  status: 'active',
  srn: 'srn://account.latchkey.example.com/projects/5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
};
const createExample = { name: 'default', organization_id: example.organization_id, description: '' };
const bodyErrors = ['payload_too_large', 'unsupported_media_type'] as const;

const present = (c: Context<AppEnv>, row: Project): z.infer<typeof project> => ({
  id: row.id,
  name: row.name,
  organization_id: row.organizationId,
  created_at: apiTime(row.createdAt),
  updated_at: apiTime(row.updatedAt),
  description: row.description,
  qualification: null,
  status: 'active',
  srn: `srn://account.${new URL(c.req.url).host}/projects/${row.id}`,
});

/**
 * Returns a reference to the project, limited to where the caller can change it. Throws 403 if the caller can read no
 * project.
 */
function writable(c: Context<AppEnv>, id: string) {
  writableProjects(c, 'project');
  const scope = authorize(c.get('principal'), write);
  return { id, organizationIds: scope.ok ? scope.organizationIds : [] };
}

/** The error for a project that is not {@link writable}. */
const refusal = (c: Context<AppEnv>, id: string) =>
  refusalOfChange(c, 'project', missing(id), async (projectIds) => projectIds.includes(id));

/** Returns the organization for a new project: the requested one, or the only one. Throws 403 or 400. */
function organizationFor(c: Context<AppEnv>, asked: string | null | undefined): string {
  const organizationIds = requireScope(c, write).organizationIds.filter((id) => !asked || id === asked);
  const [organization, other] = organizationIds;
  if (!organization) throw new ApiError('permissions_denied', { details: [{ ...write }] });
  if (other) {
    throw invalidArgument(
      'organization_id',
      'required',
      'is required: you have access to several organizations',
    );
  }
  return organization;
}

const HOLDINGS = { nats: 'NATS accounts', sqs: 'Queues', sns: 'Topics and Events' } as const;

const told = ({ region, products }: BlockingResources) => {
  const held = (Object.keys(HOLDINGS) as (keyof typeof HOLDINGS)[]).filter((one) => products.includes(one));
  return `${held.map((product) => HOLDINGS[product]).join(' and ')} in ${region}`;
};

/** The error for a project that was not deleted. */
async function keptError(c: Context<AppEnv>, id: string, kept: DeletionRefused): Promise<ApiError> {
  const precondition = 'resource_still_in_use';
  switch (kept.reason) {
    case 'not_found':
      return refusal(c, id);
    case 'unsettled':
      return new ApiError(
        'unavailable',
        { resource: kept.regions.join(', ') || undefined },
        { 'Retry-After': '5' },
      );
    case 'only_one':
      return new ApiError('precondition_failed', {
        precondition,
        help_message: 'the organization has no other project. Create one first',
      });
    case 'held':
      return new ApiError('precondition_failed', {
        precondition,
        help_message: `the project still has ${kept.held.map(told).join(', ')}. Delete its NATS accounts and deactivate its products first`,
      });
  }
}

export const projectRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create a project',
      description: IDEMPOTENCY_DESCRIPTION,
      request: {
        headers: idempotencyHeaders,
        body: { required: true, content: json(createBody, createExample) },
      },
      responses: { ...ok(project, example), ...errorResponses('not_found', ...bodyErrors) },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const organizationId = organizationFor(c, body.organization_id);
      const idempotency = await readIdempotencyKey(c, body);
      const created = await createProject(
        c.get('identityDb'),
        auditContextOf(c),
        {
          id: crypto.randomUUID(),
          organizationId,
          name: body.name ?? generateName(),
          description: body.description ?? '',
        },
        idempotency,
      );
      const row = created.ok
        ? created.row
        : await replayedResource(idempotency, created.record, missing, (id) =>
            getProject(c.get('identityDb'), { id, organizationIds: [organizationId] }),
          );
      return c.json(present(c, row), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List projects',
      request: { query: listQuery },
      responses: {
        ...ok(z.object({ total_count: z.number().int(), projects: z.array(project) }), {
          total_count: 1,
          projects: [example],
        }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const { organization_id: organizationId, name, project_ids, ...query } = c.req.valid('query');
      const { projectIds } = requireScope(c, read);
      const asked = project_ids === undefined ? undefined : [project_ids].flat();
      const ids = asked ? projectIds.filter((id) => asked.includes(id)) : projectIds;
      const filter = { ids, organizationId, name };
      const { rows, total } = await listProjects(c.get('identityDb'), filter, pageOf(query));
      return c.json({ total_count: total, projects: rows.map((row) => present(c, row)) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get a project',
      request: { params },
      responses: { ...ok(project, example), ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').project_id;
      const scope = requireScope(c, read);
      if (!scope.projectIds.includes(id)) throw missing(id);
      const row = await getProject(c.get('identityDb'), { id, organizationIds: [scope.organizationOf(id)] });
      if (!row) throw missing(id);
      return c.json(present(c, row), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update the name and description of a project',
      description: 'Absent and null fields keep their values.',
      request: {
        params,
        body: { required: true, content: json(updateBody, { name: 'production' }) },
      },
      responses: { ...ok(project, example), ...errorResponses('not_found', ...bodyErrors) },
    }),
    async (c) => {
      const id = c.req.valid('param').project_id;
      const body = c.req.valid('json');
      const fields = { name: body.name ?? undefined, description: body.description ?? undefined };
      const row = await updateProject(c.get('identityDb'), auditContextOf(c), writable(c, id), fields);
      if (!row) throw await refusal(c, id);
      return c.json(present(c, row), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete a project',
      description:
        'A project cannot be deleted while it has resources in a region, while a region is unavailable, or if it is the last one of its organization. API keys that had it as default project get the oldest remaining one.',
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found', 'precondition_failed') },
    }),
    async (c) => {
      const id = c.req.valid('param').project_id;
      const deleted = await deleteProject(
        c.get('config'),
        c.get('identityDb'),
        auditContextOf(c),
        writable(c, id),
      );
      if (!deleted.ok) throw await keptError(c, id, deleted);
      return c.body(null, 204);
    },
  );
