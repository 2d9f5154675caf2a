/**
 * Declares the endpoints of credentials and of the activation that Queues and Topics and Events need first: paths,
 * schemas and examples. The implementation is in handlers.ts.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type * as z from 'zod';
import type { AccessKeyProductId } from '../../db/products.ts';
import { GUARDED_DESCRIPTION } from '../guard/announce.ts';
import { requireInProject, writableProjects } from '../iam/access/require-access.ts';
import { ENFORCEMENT_DESCRIPTION } from '../nats/publication.ts';
import { generateName } from '../shared/default-names.ts';
import {
  type AppEnv,
  ENFORCEMENT_HEADER,
  errorResponses,
  json,
  newRouter,
  noContent,
  ok,
} from '../shared/http.ts';
import { IDEMPOTENCY_DESCRIPTION, idempotencyHeaders, readIdempotencyKey } from '../shared/idempotency.ts';
import { bitsOf } from '../shared/permissions.ts';
import { regionParams, uuid } from '../shared/schemas.ts';
import { runBatch } from './batch.ts';
import * as examples from './examples.ts';
import {
  activate,
  connections,
  create,
  deactivate,
  disable,
  endRotationNow,
  enforce,
  enforceRole,
  get,
  info,
  list,
  revoke,
  rotate,
  timeOf,
  update,
} from './handlers.ts';
import { type AccessKeyProduct, type CallerKey, nats } from './products.ts';
import * as schemas from './schemas.ts';

const params = regionParams.extend({ credentials_id: uuid });
const bodyErrors = ['payload_too_large', 'unsupported_media_type'] as const;

/** Returns the part of a request to create credentials that is the same for every product. */
function requested(
  c: Context<AppEnv>,
  body:
    | z.infer<typeof schemas.createNatsCredentialsBody>
    | z.infer<typeof schemas.createAccessKeyCredentialsBody>,
) {
  const { type, id, name } = c.get('principal');
  const restricted = 'permissions' in body ? body : undefined;
  return {
    ...callerKeyOf('permissions' in body ? {} : body),
    name: body.name ?? generateName(),
    description: body.description ?? '',
    tags: body.tags ?? [],
    expiresAt: timeOf(body.expires_at),
    resources: restricted?.resources ?? null,
    sourceIps: restricted?.source_ips ?? null,
    createdBy: { type, id, name },
  };
}

/** Returns the caller's key in a request; null members if it has none. */
function callerKeyOf(
  body: Partial<Pick<z.infer<typeof schemas.createNatsCredentialsBody>, 'user_public_key' | 'proof'>>,
): CallerKey {
  return { publicKey: body.user_public_key ?? null, proof: body.proof ?? null };
}

const CALLER_KEY_DESCRIPTION = `With \`user_public_key\`, the public key of a pair that you created, \`credentials.content\` is only
  the JWT, and the private key stays with you. \`proof\` is the signature by the private key over the UTF-8 bytes of the
  id of the NATS account followed by the name. A region accepts each key once: if credentials have or had it, the response
  is 409.`;

/** Returns the routes of NATS credentials: create, list, read and revoke. There is no update. */
export function natsCredentialsRoutes() {
  const collection = '/nats-credentials';
  const item = `${collection}/{credentials_id}` as const;
  const tags = [nats.label];
  return newRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: collection,
        tags,
        summary: 'Create NATS credentials',
        description: `The creds file is returned only in this response. With \`nats_role_id\`, the header
          ${ENFORCEMENT_HEADER} shows whether every server knows the role. ${CALLER_KEY_DESCRIPTION}
          ${IDEMPOTENCY_DESCRIPTION}`,
        request: {
          params: regionParams,
          headers: idempotencyHeaders,
          body: {
            required: true,
            content: json(schemas.createNatsCredentialsBody, examples.createNatsCredentials),
          },
        },
        responses: {
          ...ok(schemas.issuedNatsCredentials, examples.issuedNatsCredentials),
          ...errorResponses(
            'not_found',
            'already_exists',
            'precondition_failed',
            'quotas_exceeded',
            ...bodyErrors,
          ),
        },
      }),
      async (c) => {
        const body = c.req.valid('json');
        const projectIds = writableProjects(c, nats.id);
        const request = {
          ...requested(c, body),
          natsAccountId: body.nats_account_id,
          natsRoleId: body.nats_role_id ?? null,
          permissions: null,
          projectIds,
        };
        const wire = await create(c, nats, request, await readIdempotencyKey(c, body));
        return c.json(wire, 200, await enforceRole(c, wire));
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: collection,
        tags,
        summary: 'List NATS credentials',
        request: { params: regionParams, query: schemas.listNatsCredentialsQuery },
        responses: {
          ...ok(schemas.natsCredentialsList, {
            total_count: 1,
            nats_credentials: [examples.natsCredentials],
          }),
          ...errorResponses(),
        },
      }),
      async (c) => {
        const { total, items } = await list(c, nats, c.req.valid('query'));
        return c.json({ total_count: total, nats_credentials: items }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: item,
        tags,
        summary: 'Get NATS credentials',
        request: { params },
        responses: {
          ...ok(schemas.natsCredentials, examples.natsCredentials),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => c.json(await get(c, nats, c.req.valid('param').credentials_id), 200),
    )
    .openapi(
      createRoute({
        method: 'delete',
        path: item,
        tags,
        summary: 'Revoke NATS credentials',
        description: ENFORCEMENT_DESCRIPTION,
        request: { params },
        responses: { ...noContent, ...errorResponses('not_found') },
      }),
      async (c) => {
        const revoked = await revoke(c, nats, c.req.valid('param').credentials_id);
        return c.body(null, 204, await enforce(c, revoked));
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/disable`,
        tags,
        summary: 'Disable NATS credentials',
        description: `Disabled credentials are rejected as revoked ones are, but can be enabled again. ${ENFORCEMENT_DESCRIPTION}`,
        request: {
          params,
          body: { required: true, content: json(schemas.disableBody, examples.disable) },
        },
        responses: {
          ...ok(schemas.natsCredentials, { ...examples.natsCredentials, ...examples.disabled }),
          ...errorResponses('not_found', ...bodyErrors),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await disable(c, nats, credentials_id, c.req.valid('json'));
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/enable`,
        tags,
        summary: 'Enable NATS credentials',
        description: ENFORCEMENT_DESCRIPTION,
        request: {
          params,
        },
        responses: {
          ...ok(schemas.natsCredentials, examples.natsCredentials),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await disable(c, nats, credentials_id, null);
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate`,
        tags,
        summary: 'Rotate NATS credentials',
        description: `Returns a new secret, once. The previous one works until overlap_seconds after the first use of
          the new one. ${CALLER_KEY_DESCRIPTION} ${IDEMPOTENCY_DESCRIPTION}`,
        request: {
          params,
          headers: idempotencyHeaders,
          body: { required: true, content: json(schemas.rotateNatsBody, examples.rotate) },
        },
        responses: {
          ...ok(schemas.issuedNatsCredentials, examples.rotatedNatsCredentials),
          ...errorResponses(
            'not_found',
            'already_exists',
            'precondition_failed',
            'quotas_exceeded',
            ...bodyErrors,
          ),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const body = c.req.valid('json');
        const idempotency = await readIdempotencyKey(c, body);
        const request = { overlapSeconds: body.overlap_seconds, ...callerKeyOf(body) };
        const { result, headers } = await rotate(c, nats, credentials_id, request, idempotency);
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate/finish`,
        tags,
        summary: 'Finish the rotation of NATS credentials: end the previous key',
        description: ENFORCEMENT_DESCRIPTION,
        request: { params },
        responses: {
          ...ok(schemas.natsCredentials, examples.natsCredentials),
          ...errorResponses('not_found', 'precondition_failed'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await endRotationNow(c, nats, credentials_id, 'previous');
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate/cancel`,
        tags,
        summary: 'Cancel the rotation of NATS credentials: end the new key',
        description: ENFORCEMENT_DESCRIPTION,
        request: { params },
        responses: {
          ...ok(schemas.natsCredentials, examples.natsCredentials),
          ...errorResponses('not_found', 'precondition_failed'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await endRotationNow(c, nats, credentials_id, 'new');
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${collection}/batch`,
        tags,
        summary: 'Disable, enable or revoke several NATS credentials',
        description: `Up to ${schemas.MAX_BATCH}, by id or by the filters of the list. With dry_run, nothing changes. ${ENFORCEMENT_DESCRIPTION}`,
        request: {
          params: regionParams,
          body: { required: true, content: json(schemas.batchBody, examples.batch) },
        },
        responses: {
          ...ok(schemas.batchResult, examples.batchResult),
          ...errorResponses(...bodyErrors),
        },
      }),
      async (c) => {
        const { result, headers } = await runBatch(c, nats, c.req.valid('json'));
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: `${item}/connections`,
        tags,
        summary: 'List the connections of NATS credentials',
        request: { params },
        responses: {
          ...ok(schemas.natsConnections, examples.natsConnections),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => c.json(await connections(c, c.req.valid('param').credentials_id), 200),
    );
}

/** Returns the routes of the credentials of a product with permissions. */
export function accessKeyCredentialsRoutes<const Id extends AccessKeyProductId>(
  product: AccessKeyProduct<Id>,
) {
  const collection = `/${product.id}-credentials` as const;
  const item = `${collection}/{credentials_id}` as const;
  const key = `${product.id}_credentials` as const;
  const tags = [product.label];
  return newRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: collection,
        tags,
        summary: `Create ${product.label} credentials`,
        description: `The secret key is returned only in this response. ${IDEMPOTENCY_DESCRIPTION}`,
        request: {
          params: regionParams,
          headers: idempotencyHeaders,
          body: {
            required: true,
            content: json(schemas.createAccessKeyCredentialsBody, examples.createAccessKeyCredentials),
          },
        },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.issuedAccessKeyCredentials),
          ...errorResponses('not_found', 'precondition_failed', 'quotas_exceeded', ...bodyErrors),
        },
      }),
      async (c) => {
        const body = c.req.valid('json');
        const { projectIds } = requireInProject(
          c,
          { resource: product.id, action: 'write' },
          body.project_id,
        );
        const permissions = bitsOf(body.permissions);
        const request = {
          ...requested(c, body),
          natsAccountId: null,
          natsRoleId: null,
          permissions,
          projectIds,
        };
        const wire = await create(c, product, request, await readIdempotencyKey(c, { ...body, permissions }));
        return c.json(wire, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: collection,
        tags,
        summary: `List ${product.label} credentials`,
        request: { params: regionParams, query: schemas.listAccessKeyCredentialsQuery },
        responses: {
          ...ok(schemas.accessKeyCredentialsList(product.id), examples.accessKeyCredentialsList(product.id)),
          ...errorResponses(),
        },
      }),
      async (c) => {
        const { total, items } = await list(c, product, c.req.valid('query'));
        return c.json({ total_count: total, [key]: items } as schemas.AccessKeyCredentialsList<Id>, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: item,
        tags,
        summary: `Get ${product.label} credentials`,
        request: { params },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.accessKeyCredentials),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => c.json(await get(c, product, c.req.valid('param').credentials_id), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: item,
        tags,
        summary: `Update the name and permissions of ${product.label} credentials`,
        description: `Absent fields keep their values. Null removes the description, the tags, the expiry and the restrictions, and
          keeps the name and the permissions. At least one permission must remain. ${GUARDED_DESCRIPTION}`,
        request: {
          params,
          body: {
            required: true,
            content: json(schemas.updateAccessKeyCredentialsBody, examples.updateAccessKeyCredentials),
          },
        },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.accessKeyCredentials),
          ...errorResponses('not_found', ...bodyErrors),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await update(c, product, credentials_id, c.req.valid('json'));
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'delete',
        path: item,
        tags,
        summary: `Revoke ${product.label} credentials`,
        description: GUARDED_DESCRIPTION,
        request: { params },
        responses: { ...noContent, ...errorResponses('not_found') },
      }),
      async (c) => {
        const revoked = await revoke(c, product, c.req.valid('param').credentials_id);
        return c.body(null, 204, await enforce(c, revoked));
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/disable`,
        tags,
        summary: `Disable ${product.label} credentials`,
        description: `Disabled credentials are rejected as revoked ones are, but can be enabled again. ${GUARDED_DESCRIPTION}`,
        request: {
          params,
          body: { required: true, content: json(schemas.disableBody, examples.disable) },
        },
        responses: {
          ...ok(schemas.accessKeyCredentials, { ...examples.accessKeyCredentials, ...examples.disabled }),
          ...errorResponses('not_found', ...bodyErrors),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await disable(c, product, credentials_id, c.req.valid('json'));
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/enable`,
        tags,
        summary: `Enable ${product.label} credentials`,
        description: GUARDED_DESCRIPTION,
        request: {
          params,
        },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.accessKeyCredentials),
          ...errorResponses('not_found'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await disable(c, product, credentials_id, null);
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate`,
        tags,
        summary: `Rotate ${product.label} credentials`,
        description: `Returns a new secret, once. The previous one works until overlap_seconds after the first use of
          the new one. ${IDEMPOTENCY_DESCRIPTION}`,
        request: {
          params,
          headers: idempotencyHeaders,
          body: { required: true, content: json(schemas.rotateBody, examples.rotate) },
        },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.rotatedAccessKeyCredentials),
          ...errorResponses(
            'not_found',
            'already_exists',
            'precondition_failed',
            'quotas_exceeded',
            ...bodyErrors,
          ),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const body = c.req.valid('json');
        const idempotency = await readIdempotencyKey(c, body);
        const { result, headers } = await rotate(
          c,
          product,
          credentials_id,
          { overlapSeconds: body.overlap_seconds, ...callerKeyOf({}) },
          idempotency,
        );
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate/finish`,
        tags,
        summary: `Finish the rotation of ${product.label} credentials: end the previous key`,
        description: GUARDED_DESCRIPTION,
        request: { params },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.accessKeyCredentials),
          ...errorResponses('not_found', 'precondition_failed'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await endRotationNow(c, product, credentials_id, 'previous');
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${item}/rotate/cancel`,
        tags,
        summary: `Cancel the rotation of ${product.label} credentials: end the new key`,
        description: GUARDED_DESCRIPTION,
        request: { params },
        responses: {
          ...ok(schemas.accessKeyCredentials, examples.accessKeyCredentials),
          ...errorResponses('not_found', 'precondition_failed'),
        },
      }),
      async (c) => {
        const { credentials_id } = c.req.valid('param');
        const { result, headers } = await endRotationNow(c, product, credentials_id, 'new');
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `${collection}/batch`,
        tags,
        summary: `Disable, enable or revoke several ${product.label} credentials`,
        description: `Up to ${schemas.MAX_BATCH}, by id or by the filters of the list. With dry_run, nothing changes. ${GUARDED_DESCRIPTION}`,
        request: {
          params: regionParams,
          body: { required: true, content: json(schemas.batchBody, examples.batch) },
        },
        responses: {
          ...ok(schemas.batchResult, examples.batchResult),
          ...errorResponses(...bodyErrors),
        },
      }),
      async (c) => {
        const { result, headers } = await runBatch(c, product, c.req.valid('json'));
        return c.json(result, 200, headers);
      },
    );
}

/** Returns the routes that activate, read and deactivate a product in a project. */
export function serviceRoutes<const Id extends AccessKeyProductId>(product: AccessKeyProduct<Id>) {
  const tags = [product.label];
  const schema = schemas.serviceInfo(product.id);
  const response = ok(schema, examples.serviceInfo(product.id));
  const request = {
    params: regionParams,
    body: { required: true, content: json(schemas.projectBody, examples.projectBody) },
  };
  return newRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: `/activate-${product.id}`,
        tags,
        summary: `Activate ${product.label} for a project`,
        description: GUARDED_DESCRIPTION,
        request,
        responses: { ...response, ...errorResponses('not_found', 'already_exists', ...bodyErrors) },
      }),
      async (c) => {
        const { result, headers } = await activate(c, product, c.req.valid('json').project_id);
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: `/deactivate-${product.id}`,
        tags,
        summary: `Deactivate ${product.label} for a project and revoke its credentials`,
        description: GUARDED_DESCRIPTION,
        request,
        responses: { ...response, ...errorResponses('not_found', ...bodyErrors) },
      }),
      async (c) => {
        const { result, headers } = await deactivate(c, product, c.req.valid('json').project_id);
        return c.json(result, 200, headers);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: `/${product.id}-info`,
        tags,
        summary: `Check whether ${product.label} is active for a project`,
        request: { params: regionParams, query: schemas.projectQuery },
        responses: { ...response, ...errorResponses('not_found') },
      }),
      async (c) => c.json(await info(c, product, c.req.valid('query').project_id), 200),
    );
}
