/**
 * The API key endpoints of Scaleway IAM v1alpha1. Only an Owner can create, change or delete an Owner's keys: otherwise
 * anyone allowed to manage keys could become an Owner by creating one.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import type { IdempotencyRecord, IdempotentRequest } from '../../../db/idempotency.ts';
import {
  type ApiKey,
  createApiKey,
  deleteApiKey,
  getApiKey,
  listApiKeys,
  updateApiKey,
} from '../../../db/identity/api-keys.ts';
import type { Access } from '../../../db/identity/fragments.ts';
import { ApiError, invalidArgument } from '../../shared/errors.ts';
import {
  type AppEnv,
  apiTime,
  apiTimeOrNull,
  errorResponses,
  json,
  newRouter,
  noContent,
  ok,
  pageOf,
} from '../../shared/http.ts';
import {
  derivedBytes,
  IDEMPOTENCY_DESCRIPTION,
  idempotencyHeaders,
  readIdempotencyKey,
  replayedResource,
  secretBytes,
  secretUnrecoverable,
} from '../../shared/idempotency.ts';
import { auditContextOf } from '../../shared/write-context.ts';
import {
  accessOf,
  changed,
  denied,
  readableOrganizations,
  writableOrganizations,
} from '../access/organizations.ts';
import * as examples from '../examples.ts';
import * as schemas from '../schemas.ts';
import { hashSecretKey, newApiKey, secretKeyOf } from './api-keys.ts';

const collection = '/api-keys';
const item = `${collection}/{access_key}` as const;
const params = z.object({ access_key: schemas.accessKey });
const tags = ['IAM'];

/** Returns the API representation of a key, without its secret key. */
export function presentApiKey(key: ApiKey): z.infer<typeof schemas.apiKey> {
  return {
    access_key: key.accessKey,
    secret_key: null,
    application_id: key.applicationId,
    user_id: key.userId,
    description: key.description,
    created_at: apiTime(key.createdAt),
    updated_at: apiTime(key.updatedAt),
    expires_at: apiTimeOrNull(key.expiresAt),
    last_used_at: apiTimeOrNull(key.lastUsedAt),
    default_project_id: key.defaultProjectId,
    editable: true,
    deletable: true,
    managed: false,
    creation_ip: key.creationAddress ?? '',
  };
}

const missing = (accessKey: string) =>
  new ApiError('not_found', { resource: 'api_key', resource_id: accessKey });

/** Like {@link changed}, but also throws 403 for an Owner's key that the caller cannot change. */
function changedKey(row: ApiKey | null, access: Access, accessKey: string): ApiKey {
  const key = changed(row, access, missing(accessKey));
  if (key.ofOwner && !access.owned.includes(key.organizationId)) throw denied('owner', 'write');
  return key;
}

/**
 * Returns the caller's access for creating a key with this default project. Throws 403 if the caller cannot write
 * there.
 */
function accessToCreate(c: Context<AppEnv>, projectId: string | null): Access {
  const { memberships } = c.get('principal');
  const writable = writableOrganizations(c).filter(
    (id) =>
      projectId === null ||
      memberships.some((one) => one.organizationId === id && one.projectIds.includes(projectId)),
  );
  if (writable.length === 0) throw denied('project', 'read');
  return { ...accessOf(c), writable };
}

/** The error for a key that was not created. */
function refusalOf(reason: 'no_principal' | 'of_owner' | 'ambiguous' | 'no_project'): ApiError {
  switch (reason) {
    case 'no_principal':
      return denied('iam', 'write');
    case 'of_owner':
      return denied('owner', 'write');
    case 'ambiguous':
      return invalidArgument(
        'default_project_id',
        'required',
        'is required: the user is a member of several organizations',
      );
    case 'no_project':
      return new ApiError('precondition_failed', {
        precondition: 'attribute_must_be_set',
        help_message: 'The organization has no project. Create one first.',
      });
  }
}

/** The resource kind from which a replay rederives the secret key. */
const KIND = 'api_key';

/** The response to a replayed creation, with the rederived secret key. */
async function replay(
  c: Context<AppEnv>,
  access: Access,
  idempotency: IdempotentRequest | null,
  done: IdempotencyRecord,
): Promise<z.infer<typeof schemas.issuedApiKey>> {
  const found = await replayedResource(idempotency, done, missing, (accessKey) =>
    getApiKey(c.get('identityDb'), accessKey, access.readable),
  );
  const key = changedKey(found, access, found.accessKey);
  const random = await derivedBytes(c.get('config').sealingKeys, done, KIND);
  const secretKey = random && secretKeyOf(random);
  if (secretKey === null || (await hashSecretKey(secretKey)) !== key.secretHash) {
    throw secretUnrecoverable('api_key', key.accessKey);
  }
  return { ...presentApiKey(key), secret_key: secretKey };
}

export const apiKeyRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create an API key',
      description: `The secret key is returned only in this response. The default project is the oldest of the organization unless you set one. Only an Owner can create a key for an Owner. ${IDEMPOTENCY_DESCRIPTION}`,
      request: {
        headers: idempotencyHeaders,
        body: { required: true, content: json(schemas.createApiKeyBody, examples.createApiKey) },
      },
      responses: {
        ...ok(schemas.issuedApiKey, examples.issuedApiKey),
        ...errorResponses('not_found', 'precondition_failed', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const defaultProjectId = body.default_project_id ?? null;
      const idempotency = await readIdempotencyKey(c, body);
      const { accessKey, secretKey } = newApiKey(
        await secretBytes(c.get('config').sealingKeys, idempotency, KIND),
      );
      const key = {
        accessKey,
        secretHash: await hashSecretKey(secretKey),
        principal: body.user_id
          ? { type: 'user' as const, id: body.user_id }
          : { type: 'application' as const, id: body.application_id ?? '' },
        description: body.description ?? '',
        defaultProjectId,
        expiresAt: body.expires_at ? Date.parse(body.expires_at) : null,
      };
      const access = accessToCreate(c, defaultProjectId);
      const made = await createApiKey(c.get('identityDb'), auditContextOf(c), key, access, idempotency);
      if (made.ok) return c.json({ ...presentApiKey(made.row), secret_key: secretKey }, 200);
      if (made.reason !== 'replayed') throw refusalOf(made.reason);
      return c.json(await replay(c, access, idempotency, made.record), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List API keys',
      request: { query: schemas.listApiKeysQuery },
      responses: {
        ...ok(schemas.apiKeyList, { total_count: 1, api_keys: [examples.apiKey] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const filter = {
        organizationIds: schemas.editableIn(readableOrganizations(c, query.organization_id), query.editable),
        accessKeys: schemas.valuesOf(query.access_keys),
        accessKey: query.access_key,
        userId: query.user_id,
        applicationId: query.application_id,
        principalId: query.bearer_id,
        principalType: query.bearer_type,
        description: query.description,
        expired: schemas.flagOf(query.expired),
        now: Date.now(),
      };
      const { total, rows } = await listApiKeys(c.get('identityDb'), filter, pageOf(query));
      return c.json({ total_count: total, api_keys: rows.map(presentApiKey) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get an API key',
      description: 'An API key can always read itself.',
      request: { params },
      responses: { ...ok(schemas.apiKey, examples.apiKey), ...errorResponses('not_found') },
    }),
    async (c) => {
      const { access_key: accessKey } = c.req.valid('param');
      const caller = c.get('principal');
      const organizationIds =
        accessKey === caller.accessKey
          ? caller.memberships.map(({ organizationId }) => organizationId)
          : readableOrganizations(c);
      const key = await getApiKey(c.get('identityDb'), accessKey, organizationIds);
      if (!key) throw missing(accessKey);
      return c.json(presentApiKey(key), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update an API key',
      description: 'Absent and null fields keep their values. Only an Owner can update the key of an Owner.',
      request: {
        params,
        body: { required: true, content: json(schemas.updateApiKeyBody, examples.updateApiKey) },
      },
      responses: {
        ...ok(schemas.apiKey, examples.apiKey),
        ...errorResponses('not_found', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const { access_key: accessKey } = c.req.valid('param');
      const body = c.req.valid('json');
      const access = accessOf(c);
      const row = await updateApiKey(c.get('identityDb'), auditContextOf(c), accessKey, access, {
        description: body.description ?? undefined,
        defaultProjectId: body.default_project_id ?? undefined,
        expiresAt: body.expires_at ? Date.parse(body.expires_at) : undefined,
      });
      const key = changedKey(row, access, accessKey);
      if (key.defaultProjectId !== (body.default_project_id ?? key.defaultProjectId)) {
        throw denied('project', 'read');
      }
      return c.json(presentApiKey(key), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete an API key',
      description: 'The key stops working on the next request. Only an Owner can delete the key of an Owner.',
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found') },
    }),
    async (c) => {
      const { access_key: accessKey } = c.req.valid('param');
      const access = accessOf(c);
      changedKey(
        await deleteApiKey(c.get('identityDb'), auditContextOf(c), accessKey, access),
        access,
        accessKey,
      );
      return c.body(null, 204);
    },
  );
