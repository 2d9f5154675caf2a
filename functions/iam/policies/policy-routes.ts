/** The policy endpoints of Scaleway IAM v1alpha1. The endpoints of their rules are in rule-routes.ts. */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import {
  createPolicy,
  deletePolicy,
  getPolicy,
  listPolicies,
  type Policy,
  type PolicyPrincipal,
  updatePolicy,
} from '../../../db/identity/policies.ts';
import { ApiError } from '../../shared/errors.ts';
import {
  type AppEnv,
  apiTime,
  errorResponses,
  json,
  newRouter,
  noContent,
  ok,
  pageOf,
} from '../../shared/http.ts';
import { uuid } from '../../shared/schemas.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import {
  accessOf,
  changed,
  denied,
  readableOrganizations,
  writableOrganization,
} from '../access/organizations.ts';
import * as examples from '../examples.ts';
import * as schemas from '../schemas.ts';
import { newRules, problemOfRules } from './rules.ts';

const collection = '/policies';
const item = `${collection}/{policy_id}` as const;
const params = z.object({ policy_id: uuid });
const tags = ['IAM'];

function present(row: Policy): z.infer<typeof schemas.policy> {
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
    nb_rules: row.rules,
    nb_scopes: row.scopes,
    nb_permission_sets: row.permissionSets,
    tags: JSON.parse(row.tags) as string[],
    user_id: row.userId,
    group_id: null,
    application_id: row.applicationId,
    no_principal: row.userId === null && row.applicationId === null ? true : null,
  };
}

/** Values of `order_by` → order of the page. */
const ORDERS = {
  created_at_asc: 'created_at_asc',
  created_at_desc: 'created_at_desc',
  policy_name_asc: 'name_asc',
  policy_name_desc: 'name_desc',
} as const;

const missing = (id: string) => new ApiError('not_found', { resource: 'policy', resource_id: id });

/** Returns the principal that the body names, or undefined if it names none. */
function wantedPrincipal(body: z.infer<typeof schemas.updatePolicyBody>): PolicyPrincipal | undefined {
  if (!body.user_id && !body.application_id && !body.no_principal) return undefined;
  return { userId: body.user_id ?? null, applicationId: body.application_id ?? null };
}

/** Returns the organization of a new policy with these rules. Throws 403 or 400. */
function organizationFor(c: Context<AppEnv>, body: z.infer<typeof schemas.createPolicyBody>): string {
  const organizationId = writableOrganization(c, body.organization_id);
  const membership = c.get('principal').memberships.find((one) => one.organizationId === organizationId);
  const problem = membership && problemOfRules(body.rules ?? [], membership);
  if (problem) throw problem;
  return organizationId;
}

export const policyRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create a policy with its rules',
      description:
        'A policy grants the permission sets in its rules to one user or application. Invited users can have policies before they join.',
      request: { body: { required: true, content: json(schemas.createPolicyBody, examples.createPolicy) } },
      responses: {
        ...ok(schemas.policy, examples.policy),
        ...errorResponses('payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const policy = await createPolicy(c.get('identityDb'), auditContextOf(c), {
        id: crypto.randomUUID(),
        organizationId: organizationFor(c, body),
        name: body.name,
        description: body.description ?? '',
        tags: body.tags ?? [],
        userId: body.user_id ?? null,
        applicationId: body.application_id ?? null,
        rules: newRules(body.rules ?? []),
      });
      if (!policy) throw denied('iam', 'write');
      return c.json(present(policy), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List policies',
      request: { query: schemas.listPoliciesQuery },
      responses: {
        ...ok(schemas.policyList, { total_count: 1, policies: [examples.policy] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const { order_by, ...query } = c.req.valid('query');
      const principals = [query.user_ids, query.application_ids, query.group_ids].map(schemas.valuesOf);
      const filter = {
        organizationIds: schemas.editableIn(readableOrganizations(c, query.organization_id), query.editable),
        ids: schemas.valuesOf(query.policy_ids),
        principalIds: principals.some(Boolean) ? principals.flatMap((ids) => ids ?? []) : undefined,
        noPrincipal: schemas.flagOf(query.no_principal),
        name: query.policy_name,
        tag: query.tag,
      };
      const page = pageOf({ ...query, order_by: ORDERS[order_by] });
      const { total, rows } = await listPolicies(c.get('identityDb'), filter, page);
      return c.json({ total_count: total, policies: rows.map(present) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get a policy',
      request: { params },
      responses: { ...ok(schemas.policy, examples.policy), ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').policy_id;
      const policy = await getPolicy(c.get('identityDb'), id, readableOrganizations(c));
      if (!policy) throw missing(id);
      return c.json(present(policy), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update a policy',
      description:
        'Absent and null fields keep their values. To replace the rules, use PUT /iam/v1alpha1/rules.',
      request: {
        params,
        body: { required: true, content: json(schemas.updatePolicyBody, examples.updatePolicy) },
      },
      responses: {
        ...ok(schemas.policy, examples.policy),
        ...errorResponses('not_found', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const id = c.req.valid('param').policy_id;
      const body = c.req.valid('json');
      const access = accessOf(c);
      const principal = wantedPrincipal(body);
      const row = await updatePolicy(c.get('identityDb'), auditContextOf(c), id, access, {
        name: body.name ?? undefined,
        description: body.description ?? undefined,
        tags: body.tags ?? undefined,
        principal,
      });
      const policy = changed(row, access, missing(id));
      const { userId, applicationId } = principal ?? policy;
      if (policy.userId !== userId || policy.applicationId !== applicationId) throw denied('iam', 'write');
      return c.json(present(policy), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete a policy',
      description: 'The permissions that it granted end with the next request.',
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').policy_id;
      const access = accessOf(c);
      changed(await deletePolicy(c.get('identityDb'), auditContextOf(c), id, access), access, missing(id));
      return c.body(null, 204);
    },
  );
