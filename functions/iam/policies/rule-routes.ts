/** The rule and permission set endpoints of Scaleway IAM v1alpha1. */
import { createRoute } from '@hono/zod-openapi';
import { listRules, replaceRules } from '../../../db/identity/policies.ts';
import { ApiError } from '../../shared/errors.ts';
import { errorResponses, json, newRouter, ok } from '../../shared/http.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import { accessOf, changed, readableOrganizations } from '../access/organizations.ts';
import { permissionSets } from '../access/permission-sets.ts';
import * as examples from '../examples.ts';
import * as schemas from '../schemas.ts';
import { newRules, presentRule, problemOfRules } from './rules.ts';

const tags = ['IAM'];
const missing = (id: string) => new ApiError('not_found', { resource: 'policy', resource_id: id });

/** The API representation of the permission sets. Their names are their ids. */
const SETS = Object.entries(permissionSets).map(([name, { scope, description }]) => ({
  id: name,
  name,
  scope_type: scope,
  description: description as string,
  categories: [] as string[],
}));
const SETS_BY_NAME = SETS.toSorted((a, b) => (a.name < b.name ? -1 : 1));
const ORDERED_SETS = {
  created_at_asc: SETS,
  created_at_desc: SETS.toReversed(),
  name_asc: SETS_BY_NAME,
  name_desc: SETS_BY_NAME.toReversed(),
};

export const ruleRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'put',
      path: '/rules',
      tags,
      summary: 'Replace the rules of a policy',
      description: `They apply from the next request on. A policy has at most ${schemas.MAX_RULES} rules.`,
      request: { body: { required: true, content: json(schemas.setRulesBody, examples.setRules) } },
      responses: {
        ...ok(schemas.setRulesAnswer, { rules: [examples.rule] }),
        ...errorResponses('not_found', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const { policy_id: id, rules } = c.req.valid('json');
      const access = accessOf(c);
      const problems = new Map(
        c.get('principal').memberships.map((one) => [one.organizationId, problemOfRules(rules, one)]),
      );
      const writable = access.writable.filter((organizationId) => !problems.get(organizationId));
      const found = await replaceRules(
        c.get('identityDb'),
        auditContextOf(c),
        id,
        { ...access, writable },
        newRules(rules),
      );
      const { organizationId } = changed(found?.policy ?? null, access, missing(id));
      const problem = problems.get(organizationId);
      if (problem || !found) throw problem ?? missing(id);
      return c.json({ rules: found.rows.map((row) => presentRule(found.policy, row)) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/rules',
      tags,
      summary: 'List the rules of a policy',
      request: { query: schemas.listRulesQuery },
      responses: {
        ...ok(schemas.ruleList, { total_count: 1, rules: [examples.rule] }),
        ...errorResponses('not_found'),
      },
    }),
    async (c) => {
      const { policy_id: id, page, page_size: limit } = c.req.valid('query');
      const found = await listRules(c.get('identityDb'), id, readableOrganizations(c), {
        offset: (page - 1) * limit,
        limit,
      });
      if (!found) throw missing(id);
      const rules = found.rows.map((row) => presentRule(found.policy, row));
      return c.json({ total_count: found.policy.rules, rules }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/permission-sets',
      tags,
      summary: 'List the permission sets that rules can grant',
      request: { query: schemas.listPermissionSetsQuery },
      responses: {
        ...ok(schemas.permissionSetList, { total_count: SETS.length, permission_sets: SETS.slice(0, 1) }),
        ...errorResponses(),
      },
    }),
    (c) => {
      const query = c.req.valid('query');
      readableOrganizations(c, query.organization_id);
      const offset = (query.page - 1) * query.page_size;
      const sets = ORDERED_SETS[query.order_by].slice(offset, offset + query.page_size);
      return c.json({ total_count: SETS.length, permission_sets: sets }, 200);
    },
  );
