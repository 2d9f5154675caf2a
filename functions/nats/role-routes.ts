/** The endpoints of NATS roles: paths, schemas and examples. The rules are in roles.ts and the database statements. */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type * as z from 'zod';
import { getAccount } from '../../db/region/accounts.ts';
import { deleteRole, getRole, listRoles, type NatsRole, type RoleFailure } from '../../db/region/roles.ts';
import { refusalOfChange, requireScope, writableProjects } from '../iam/access/require-access.ts';
import { generateName } from '../shared/default-names.ts';
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
import { regionParams, uuid } from '../shared/schemas.ts';
import { auditContextOf, writeContextOf } from '../shared/write-context.ts';
import * as examples from './examples.ts';
import { ENFORCEMENT_DESCRIPTION, publishAndReport } from './publication.ts';
import * as schemas from './role-schemas.ts';
import { definitionOf, MAX_ROLE_BYTES, type RoleDefinition } from './role-template.ts';
import { changeRole, createRole, missingRole } from './roles.ts';

type C = Context<AppEnv>;

const collection = '/nats-roles';
const item = `${collection}/{nats_role_id}` as const;
const params = regionParams.extend({ nats_role_id: uuid });
const tags = [PRODUCT_LABELS.nats];
const read = { resource: 'nats', action: 'read' } as const;
const bodyErrors = ['payload_too_large', 'unsupported_media_type'] as const;

/** Returns the API representation of a role. */
function present(role: NatsRole, region: string): z.infer<typeof schemas.natsRole> {
  const definition = definitionOf(role);
  const { publish, subscribe, responses, source_ips, connection_types } = definition;
  const list = <Item>(items: readonly Item[] | undefined) => (items ? [...items] : null);
  const subjects = ({ allow, deny }: RoleDefinition['publish']) => ({ allow: [...allow], deny: [...deny] });
  return {
    id: role.id,
    name: role.name,
    nats_account_id: role.natsAccountId,
    project_id: role.projectId,
    region,
    created_at: apiTime(role.createdAt),
    updated_at: apiTime(role.updatedAt),
    publish: subjects(publish),
    subscribe: subjects(subscribe),
    responses: responses ?? null,
    source_ips: list(source_ips),
    connection_types: list(connection_types),
    max_subscriptions: definition.max_subscriptions ?? null,
    max_payload: definition.max_payload ?? null,
  };
}

const missingAccount = (id: string) => new ApiError('not_found', { resource: 'namespace', resource_id: id });

/** The error for a change to a role that was not found where the caller can change roles. */
const refusal = (c: C, id: string) =>
  refusalOfChange(c, 'nats', missingRole(id), (projectIds) => getRole(c.get('regionDb'), { id, projectIds }));

/** The error for a role that exceeds the number or the bytes that an account can have. */
function tooMany(c: C, { reason, projectId, current }: Extract<RoleFailure, { current: number }>): ApiError {
  const limited =
    reason === 'roles'
      ? { resource: 'nats_roles', quota: writeContextOf(c).quotas.nats_roles }
      : { resource: 'bytes of the nats_roles of the account', quota: MAX_ROLE_BYTES };
  return new ApiError('quotas_exceeded', { details: [{ ...limited, current, project_id: projectId }] });
}

/** Pushes a change of a role and returns the headers that report whether it is in force. */
const enforce = (c: C, account: string) =>
  publishAndReport(c.get('config'), { region: c.get('region').name, account, user: null });

export const natsRoleRoutes = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: collection,
      tags,
      summary: 'Create a NATS role',
      description: `Credentials with the role can publish and subscribe only to its subjects: \`allow\` is \`[">"]\` for all
        and \`[]\` for none. ${ENFORCEMENT_DESCRIPTION} ${IDEMPOTENCY_DESCRIPTION}`,
      request: {
        params: regionParams,
        headers: idempotencyHeaders,
        body: { required: true, content: json(schemas.createRoleBody, examples.createRole) },
      },
      responses: {
        ...ok(schemas.natsRole, examples.role),
        ...errorResponses('not_found', 'quotas_exceeded', ...bodyErrors),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      const { nats_account_id: natsAccountId, name = generateName(), ...definition } = body;
      const projectIds = writableProjects(c, 'nats');
      const idempotency = await readIdempotencyKey(c, body);
      const input = { natsAccountId, name, definition: withoutNulls(definition) };
      const created = await createRole(writeContextOf(c), input, projectIds, idempotency);
      if (!created.ok && created.reason === 'not_found') {
        throw await refusalOfChange(c, 'nats', missingAccount(natsAccountId), (readable) =>
          getAccount(c.get('regionDb'), { id: natsAccountId, projectIds: readable }),
        );
      }
      if (!created.ok && created.reason !== 'replayed') throw tooMany(c, created);
      const role = created.ok
        ? created.row
        : await replayedResource(idempotency, created.record, missingRole, (id) =>
            getRole(c.get('regionDb'), { id, projectIds }),
          );
      return c.json(present(role, c.get('region').name), 200, await enforce(c, role.natsAccountId));
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: collection,
      tags,
      summary: 'List NATS roles',
      request: { params: regionParams, query: schemas.listRolesQuery },
      responses: {
        ...ok(schemas.natsRoleList, { total_count: 1, nats_roles: [examples.role] }),
        ...errorResponses(),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const { projectIds } = requireScope(c, read, query.project_id);
      const within = { projectIds, natsAccountId: query.nats_account_id };
      const { total, rows } = await listRoles(c.get('regionDb'), within, pageOf(query));
      const roles = rows.map((row) => present(row, c.get('region').name));
      return c.json({ total_count: total, nats_roles: roles }, 200);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: item,
      tags,
      summary: 'Get a NATS role',
      request: { params },
      responses: { ...ok(schemas.natsRole, examples.role), ...errorResponses('not_found') },
    }),
    async (c) => {
      const id = c.req.valid('param').nats_role_id;
      const { projectIds } = requireScope(c, read);
      const role = await getRole(c.get('regionDb'), { id, projectIds });
      if (!role) throw missingRole(id);
      return c.json(present(role, c.get('region').name), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'patch',
      path: item,
      tags,
      summary: 'Update a NATS role',
      description: `Absent fields keep their values. \`publish\` and \`subscribe\` are replaced as a whole: without \`deny\`, nothing
        is denied. A change of the permissions applies to all credentials with the role: the servers close their
        connections, and clients reconnect with the new permissions. ${ENFORCEMENT_DESCRIPTION}`,
      request: {
        params,
        body: { required: true, content: json(schemas.updateRoleBody, examples.updateRole) },
      },
      responses: {
        ...ok(schemas.natsRole, examples.role),
        ...errorResponses('not_found', 'quotas_exceeded', ...bodyErrors),
      },
    }),
    async (c) => {
      const ref = { id: c.req.valid('param').nats_role_id, projectIds: writableProjects(c, 'nats') };
      const { name, publish, subscribe, ...restrictions } = c.req.valid('json');
      const kept = { publish: publish ?? undefined, subscribe: subscribe ?? undefined };
      const change = { name: name ?? undefined, definition: { ...kept, ...restrictions } };
      const changed = await changeRole(writeContextOf(c), ref, change);
      if (!changed.ok) throw changed.reason === 'not_found' ? await refusal(c, ref.id) : tooMany(c, changed);
      const { row } = changed;
      return c.json(present(row, c.get('region').name), 200, await enforce(c, row.natsAccountId));
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: item,
      tags,
      summary: 'Delete a NATS role',
      description: `Refused while credentials use it, including disabled and expired ones. ${ENFORCEMENT_DESCRIPTION}`,
      request: { params },
      responses: { ...noContent, ...errorResponses('not_found', 'precondition_failed') },
    }),
    async (c) => {
      const ref = { id: c.req.valid('param').nats_role_id, projectIds: writableProjects(c, 'nats') };
      const deleted = await deleteRole(c.get('regionDb'), auditContextOf(c), ref);
      if (deleted.ok) return c.body(null, 204, await enforce(c, deleted.natsAccountId));
      if (deleted.reason === 'not_found') throw await refusal(c, ref.id);
      throw new ApiError('precondition_failed', {
        precondition: 'resource_still_in_use',
        help_message: `Credentials use this role: revoke them first. GET /nats-credentials?nats_role_id=${ref.id} lists them`,
      });
    },
  );

function withoutNulls<Members extends object>(members: Members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as {
    [Member in keyof Members]: Exclude<Members[Member], null>;
  };
}
