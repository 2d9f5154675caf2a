/**
 * The endpoints of NATS accounts: paths, schemas and examples. The rules are in accounts.ts and the database
 * statements.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type * as z from 'zod';
import {
  deleteAccount,
  getAccount,
  listAccounts,
  type NatsAccount,
  renameAccount,
} from '../../db/region/accounts.ts';
import {
  refusalOfChange,
  requireInProject,
  requireScope,
  writableProjects,
} from '../iam/access/require-access.ts';
import { generateName } from '../shared/default-names.ts';
import type { Region } from '../shared/env.ts';
import { ApiError } from '../shared/errors.ts';
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
import { PRODUCT_LABELS } from '../shared/products.ts';
import { regionParams } from '../shared/schemas.ts';
import { auditContextOf, writeContextOf } from '../shared/write-context.ts';
import { createAccount } from './accounts.ts';
import * as examples from './examples.ts';
import { ENFORCEMENT_DESCRIPTION, presentEnforcement, publishAndReport } from './publication.ts';
import * as schemas from './schemas.ts';

const collection = '/nats-accounts';
const item = `${collection}/{nats_account_id}` as const;
const params = regionParams.extend({ nats_account_id: schemas.natsAccountId });
const tags = [PRODUCT_LABELS.nats];
const read = { resource: 'nats', action: 'read' } as const;
const write = { resource: 'nats', action: 'write' } as const;

/** Returns the API representation of an account. */
export function presentAccount(account: NatsAccount, region: Region): z.infer<typeof schemas.natsAccount> {
  return {
    id: account.id,
    name: account.name,
    endpoint: region.natsEndpoint,
    websockets: [...region.natsWebsockets],
    project_id: account.projectId,
    region: region.name,
    created_at: apiTime(account.createdAt),
    updated_at: apiTime(account.updatedAt),
    enforcement: presentEnforcement(account),
  };
}

const missing = (id: string) => new ApiError('not_found', { resource: 'namespace', resource_id: id });

/** The error for a change to an account that was not found where the caller can change accounts. */
const refusal = (c: Context<AppEnv>, id: string) =>
  refusalOfChange(c, 'nats', missing(id), (projectIds) => getAccount(c.get('regionDb'), { id, projectIds }));

/** The error for an organization at its account quota. */
function tooMany(quota: number, organizationId: string, current: number): ApiError {
  return new ApiError('quotas_exceeded', {
    details: [{ resource: 'nats_accounts', quota, current, organization_id: organizationId }],
  });
}

/** The error for a region whose servers cannot reserve storage for another account. */
function noStorage(region: string): ApiError {
  console.warn(
    JSON.stringify({ refused: 'nats_accounts', reason: 'nats_storage or nats_memory is exhausted', region }),
  );
  return new ApiError('precondition_failed', {
    precondition: 'unknown_precondition',
    help_message: `The NATS servers of ${region} have no storage left for another NATS account. Delete one, or ask the operator for more`,
  });
}

export const natsAccountRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create a NATS account',
      description: IDEMPOTENCY_DESCRIPTION,
      request: {
        params: regionParams,
        headers: idempotencyHeaders,
        body: { required: true, content: json(schemas.createAccountBody, examples.createAccount) },
      },
      responses: {
        ...ok(schemas.natsAccount, examples.account),
        ...errorResponses(
          'not_found',
          'precondition_failed',
          'quotas_exceeded',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const scope = requireInProject(c, write, body.project_id);
      const idempotency = await readIdempotencyKey(c, body);
      const organizationId = scope.organizationOf(body.project_id);
      const input = { name: body.name ?? generateName(), projectId: body.project_id, organizationId };
      const context = writeContextOf(c);
      const created = await createAccount(context, input, idempotency);
      if (!created.ok && created.reason === 'quota') {
        throw tooMany(context.quotas.nats_accounts, organizationId, created.current);
      }
      if (!created.ok && created.reason === 'storage') throw noStorage(context.region.name);
      const account = created.ok
        ? created.row
        : await replayedResource(idempotency, created.record, missing, (id) =>
            getAccount(c.get('regionDb'), { id, projectIds: scope.projectIds }),
          );
      return c.json(presentAccount(account, c.get('region')), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List NATS accounts',
      request: { params: regionParams, query: schemas.listAccountsQuery },
      responses: {
        ...ok(schemas.natsAccountList, { total_count: 1, nats_accounts: [examples.account] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const { projectIds } = requireScope(c, read, query.project_id);
      const { total, rows } = await listAccounts(c.get('regionDb'), projectIds, pageOf(query));
      const accounts = rows.map((row) => presentAccount(row, c.get('region')));
      return c.json({ total_count: total, nats_accounts: accounts }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get a NATS account',
      request: { params },
      responses: { ...ok(schemas.natsAccount, examples.account), ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').nats_account_id;
      const { projectIds } = requireScope(c, read);
      const account = await getAccount(c.get('regionDb'), { id, projectIds });
      if (!account) throw missing(id);
      return c.json(presentAccount(account, c.get('region')), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Rename a NATS account',
      request: {
        params,
        body: { required: true, content: json(schemas.updateAccountBody, examples.updateAccount) },
      },
      responses: {
        ...ok(schemas.natsAccount, examples.account),
        ...errorResponses('not_found', 'payload_too_large', 'unsupported_media_type'),
      },
    }),
    async (c) => {
      const id = c.req.valid('param').nats_account_id;
      const projectIds = writableProjects(c, 'nats');
      const name = c.req.valid('json').name ?? undefined;
      const account = await renameAccount(c.get('regionDb'), auditContextOf(c), { id, projectIds }, name);
      if (!account) throw await refusal(c, id);
      return c.json(presentAccount(account, c.get('region')), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete a NATS account and its credentials',
      description: `Also deletes its streams and messages. ${ENFORCEMENT_DESCRIPTION}`,
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').nats_account_id;
      const projectIds = writableProjects(c, 'nats');
      if (!(await deleteAccount(c.get('regionDb'), auditContextOf(c), { id, projectIds })))
        throw await refusal(c, id);
      const request = { region: c.get('region').name, account: id, user: '*' };
      return c.body(null, 204, await publishAndReport(c.get('config'), request));
    },
  );
