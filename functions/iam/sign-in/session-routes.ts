/**
 * A person's own sessions, as the JWTs of Scaleway IAM v1alpha1. Policies do not apply: everyone can list and revoke
 * their own sessions only. API keys are rejected: a key can be in other hands, and acts in one organization only. A
 * revoked session is rejected on its next request.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import { listSessions, revokeSession } from '../../../db/identity/sessions.ts';
import { ApiError } from '../../shared/errors.ts';
import { type AppEnv, errorResponses, newRouter, noContent, ok, pageOf } from '../../shared/http.ts';
import { uuid } from '../../shared/schemas.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import * as schemas from '../members/user-schemas.ts';

/** Returns the caller's user id. Throws 403 for an API key or another person's sessions. */
function ownId(c: Context<AppEnv>, action: string, wanted: string | undefined): string {
  const { sessionId, id } = c.get('principal');
  if (sessionId === null || (wanted !== undefined && wanted !== id)) {
    throw new ApiError('permissions_denied', { details: [{ resource: 'jwt', action }] });
  }
  return id;
}

export const sessionRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/jwts',
      tags: ['IAM'],
      summary: 'List your sessions',
      description: 'Your active browser sessions. Expired sessions are not listed.',
      request: { query: schemas.listJwtsQuery },
      responses: {
        ...ok(schemas.jwtList, { total_count: 1, jwts: [schemas.jwtExample] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const userId = ownId(c, 'read', query.audience_id);
      const { rows, total } = await listSessions(c.get('identityDb'), userId, Date.now(), pageOf(query));
      const { sessionId } = c.get('principal');
      const jwts = rows.map((session) => schemas.presentJwt(session, sessionId));
      return c.json({ total_count: total, jwts }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/jwts/{jti}',
      tags: ['IAM'],
      summary: 'End one of your sessions',
      request: { params: z.object({ jti: uuid }) },
      responses: { ...noContent, ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').jti;
      const userId = ownId(c, 'write', undefined);
      if (!(await revokeSession(c.get('identityDb'), auditContextOf(c), { id, userId }))) {
        throw new ApiError('not_found', { resource: 'jwt', resource_id: id });
      }
      return c.body(null, 204);
    },
  );
