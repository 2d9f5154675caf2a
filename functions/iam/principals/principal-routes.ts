/**
 * The endpoint that returns the caller's identity, organizations and permissions, for the console. A Latchkey addition:
 * Scaleway has no equivalent.
 */
import { createRoute } from '@hono/zod-openapi';
import type * as z from 'zod';
import { getPrincipalNames } from '../../../db/identity/callers.ts';
import { apiTimeOrNull, errorResponses, newRouter, ok } from '../../shared/http.ts';
import * as examples from '../examples.ts';
import * as schemas from '../schemas.ts';

export const principalRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/principal',
    tags: ['IAM'],
    summary: 'Get the caller and its permissions',
    description:
      'Requires no permission. An Owner has full access, whatever the rules say. For an API key, only its own organization is returned.',
    responses: { ...ok(schemas.principal, examples.principal), ...errorResponses() },
  }),
  async (c) => {
    const { type, id, accessKey, memberships } = c.get('principal');
    const organizationIds = memberships.map(({ organizationId }) => organizationId);
    const names = await getPrincipalNames(c.get('identityDb'), { type, id }, organizationIds);
    const answer: z.infer<typeof schemas.principal> = {
      type,
      id,
      email: names.email,
      name: names.name,
      access_key: accessKey,
      organizations: memberships.map(
        ({ organizationId, role, expiresAt, maxCredentialsDuration, rules }) => ({
          id: organizationId,
          name: names.organizations[organizationId] ?? '',
          role,
          expires_at: apiTimeOrNull(expiresAt),
          max_credentials_duration: maxCredentialsDuration,
          permission_sets: [...new Set(rules.flatMap(({ permissionSets }) => permissionSets))].sort(),
          rules: rules.map(({ permissionSets, projectIds }) => ({
            permission_set_names: permissionSets,
            project_ids: projectIds,
          })),
        }),
      ),
    };
    return c.json(answer, 200);
  },
);
