/**
 * Declares the feedback endpoints: any reader can send feedback on a page, and the Owners of the first organization
 * can read it.
 */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import { openDatabase } from '../../db/database.ts';
import { addFeedback, firstOrganization, listFeedback } from '../../db/identity/feedback.ts';
import { isOwner } from '../iam/access/authorize.ts';
import { authenticate } from '../iam/sign-in/authenticate.ts';
import { onlySameOrigin } from '../iam/sign-in/session-cookie.ts';
import { ApiError } from '../shared/errors.ts';
import { apiTime, errorResponses, json, newRouter, ok } from '../shared/http.ts';
import { limitVisitors } from '../shared/rate-limits.ts';
import { paging } from '../shared/schemas.ts';
import { feedback, feedbackBody } from './schemas.ts';

const example = { page: '/how-to/create-credentials/', helpful: true, remark: '' };

/** The route `/feedback`. */
export const feedbackRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/feedback',
      tags: ['Site'],
      summary: 'Send feedback about a page',
      description: 'Used by the pages of this site. Requires no sign-in.',
      security: [],
      middleware: [onlySameOrigin, limitVisitors] as const,
      request: { body: { required: true, content: json(feedbackBody, example) } },
      responses: {
        204: { description: 'Saved. The response has no body.' },
        ...errorResponses('too_many_requests', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      await addFeedback(openDatabase(c.get('config').identity), { at: Date.now(), ...c.req.valid('json') });
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/feedback',
      tags: ['Site'],
      summary: 'List feedback about pages',
      description: 'Only for Owners of the first organization, which operates the deployment. Newest first.',
      middleware: [authenticate] as const,
      request: { query: paging.pick({ page: true, page_size: true }) },
      responses: {
        ...ok(z.object({ total_count: z.number().int(), feedback: z.array(feedback) }), {
          total_count: 1,
          feedback: [{ ...example, at: '2026-11-21T09:00:00.000Z' }],
        }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const { page, page_size: limit } = c.req.valid('query');
      const operator = await firstOrganization(c.get('identityDb'));
      if (operator === null || !isOwner(c.get('principal'), operator)) {
        throw new ApiError('permissions_denied', { details: [{ resource: 'feedback', action: 'read' }] });
      }
      const { total, rows } = await listFeedback(c.get('identityDb'), { offset: (page - 1) * limit, limit });
      const shown = rows.map(({ at, page, helpful, remark }) => ({
        page,
        helpful: helpful === 1,
        remark,
        at: apiTime(at),
      }));
      return c.json({ total_count: total, feedback: shown }, 200);
    },
  );
