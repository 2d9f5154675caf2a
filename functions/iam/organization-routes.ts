/**
 * The security settings of an organization, at the paths of Scaleway IAM v1alpha1. Latchkey has a setting of its own there
 * and none of Scaleway's.
 */
import { createRoute } from '@hono/zod-openapi';
import * as z from 'zod';
import { setMaxCredentialsDuration } from '../../db/identity/organizations.ts';
import { errorResponses, json, newRouter, ok } from '../shared/http.ts';
import { uuid } from '../shared/schemas.ts';
import { auditContextOf } from '../shared/write-context.ts';
import { isOwner } from './access/authorize.ts';
import { denied, readableOrganizations } from './access/organizations.ts';
import * as examples from './examples.ts';
import * as schemas from './schemas.ts';

const path = '/organizations/{organization_id}/security-settings';
const params = z.object({ organization_id: uuid });
const tags = ['IAM'];

export const organizationRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path,
      tags,
      summary: 'Get the security settings of an organization',
      request: { params },
      responses: {
        ...ok(schemas.securitySettings, examples.securitySettings),
        ...errorResponses(),
      },
    }),
    (c) => {
      const id = c.req.valid('param').organization_id;
      readableOrganizations(c, id);
      // Authentication has just read it.
      const membership = c.get('principal').memberships.find(({ organizationId }) => organizationId === id);
      return c.json({ max_credentials_duration: membership?.maxCredentialsDuration ?? 0 }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path,
      tags,
      summary: 'Update the security settings of an organization',
      description: `Only Owners can do this. \`max_credentials_duration\` is the longest time in seconds until credentials for
        NATS, Queues, and Topics and Events must expire; 0 for no limit. It applies when credentials are created or rotated
        and when their \`expires_at\` changes: without an \`expires_at\` within that time from then, these requests get 400.
        Existing credentials keep their expiry.`,
      request: {
        params,
        body: {
          required: true,
          content: json(schemas.updateSecuritySettingsBody, examples.securitySettings),
        },
      },
      responses: {
        ...ok(schemas.securitySettings, examples.securitySettings),
        ...errorResponses('payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const id = c.req.valid('param').organization_id;
      readableOrganizations(c, id);
      if (!isOwner(c.get('principal'), id)) throw denied('owner', 'write');
      const { max_credentials_duration: seconds } = c.req.valid('json');
      await setMaxCredentialsDuration(c.get('identityDb'), auditContextOf(c), id, seconds);
      return c.json({ max_credentials_duration: seconds }, 200);
    },
  );
