/**
 * The roles of NATS accounts. A change of the permissions gives the account a new revision; a role is only deleted while
 * no credentials use it. What a definition means is in functions/nats/role-template.ts.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement, ROW_COLUMNS } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import {
  type IdempotencyRecord,
  type IdempotentRequest,
  insertIdempotencyRecord,
  notReplayed,
  selectIdempotencyRecord,
} from '../idempotency.ts';
import type { Listed, Page } from '../page.ts';
import { newRevision } from './account-sync.ts';
import { inProjects, listFiltered, listPage, projectScopes } from './fragments.ts';
import { natsRoles } from './schema.ts';

export type NatsRole = typeof natsRoles.$inferSelect;

/** A new role. Organization and project come from its account. */
export type NewNatsRole = Omit<NatsRole, 'organizationId' | 'projectId' | 'createdAt' | 'updatedAt'>;

/** Identifies a role, in the projects that the caller can use. */
export interface RoleRef {
  id: string;
  projectIds: readonly string[];
}

/** How many roles an account can have, and how many bytes of its JWT they can take together. */
export interface RoleLimits {
  roles: number;
  bytes: number;
}

/** The name of roles in counts and the audit trail. */
export const ROLES = 'nats_roles';

/** A role as the audit trail shows it, for a statement over their table. */
export const AUDITED_ROLE = auditedWith(sql.raw('name'), sql.raw('definition'));

function auditedWith(name: SQL, definition: SQL): SQL {
  return sql`json_insert(${definition}, '$.name', ${name})`;
}

const auditedRow = { ...ROW_COLUMNS, resource: ROLES };

const matching = ({ id, projectIds }: RoleRef): SQL => sql`id = ${id} and ${inProjects(projectIds)}`;

const selectWhere = (where: SQL) =>
  sql`select ${columnsOf(natsRoles, 'nats_roles')} from nats_roles where ${where}`;

/** Why a role was not created or changed; `current` is what the account has without it. */
export type RoleFailure =
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'roles' | 'bytes'; projectId: string; current: number };

/**
 * Creates a role in its account. Fails with `not_found` if these projects have no such account, with `roles` or `bytes`
 * if it would exceed a limit, and with `replayed` if the idempotency key was used before.
 */
export async function createRole(
  db: Database,
  audit: AuditContext,
  role: NewNatsRole,
  {
    projectIds,
    limits,
    idempotency,
  }: {
    projectIds: readonly string[];
    limits: RoleLimits;
    idempotency: IdempotentRequest | null;
  },
): Promise<
  { ok: true; row: NatsRole } | RoleFailure | { ok: false; reason: 'replayed'; record: IdempotencyRecord }
> {
  const r = role;
  const parent = sql`nats_accounts where id = ${r.natsAccountId} and deleted_at is null and ${inProjects(projectIds)}`;
  const held = (what: SQL) =>
    sql`(select ${what} from nats_roles where nats_account_id = ${r.natsAccountId})`;
  const [count, bytes] = [held(sql`count(*)`), held(sql`coalesce(sum(size), 0)`)];
  const created = sql`exists (select 1 from nats_roles where id = ${r.id})`;
  const [, , , , rows, parents, , replayed] = await db.batch(
    sql`insert into nats_roles (id, organization_id, project_id, nats_account_id, name, definition, size, signing_key,
        sealed_signing_seed, sealing_key_id, created_at, updated_at)
      select ${r.id}, organization_id, project_id, id, ${r.name}, ${r.definition}, ${r.size}, ${r.signingKey},
        ${r.sealedSigningSeed}, ${r.sealingKeyId}, ${audit.now}, ${audit.now}
      from ${parent} and ${count} < ${limits.roles} and ${bytes} + ${r.size} <= ${limits.bytes}
        and ${notReplayed(idempotency)}`,
    sql`insert into counts (scope, resource, value)
      select project_id, ${ROLES}, 1 from nats_roles where id = ${r.id} and changes() > 0
      on conflict (scope, resource) do update set value = value + 1`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: AUDITED_ROLE },
      sql`from nats_roles where id = ${r.id} and changes() > 0`,
    ),
    newRevision(sql`id = ${r.natsAccountId} and ${created}`, Math.floor(audit.now / 1000)),
    selectWhere(sql`id = ${r.id}`),
    sql`select project_id as "projectId", ${count} as roles, ${bytes} as bytes from ${parent}`,
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, r.id, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<NatsRole>(rows)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const [found] = rowsOf<{ projectId: string } & RoleLimits>(parents);
  if (!found) return { ok: false, reason: 'not_found' };
  const reason = found.roles >= limits.roles ? 'roles' : 'bytes';
  return { ok: false, reason, projectId: found.projectId, current: found[reason] };
}

/** Returns the role, or null if these projects have none with that id. */
export async function getRole(db: Database, ref: RoleRef): Promise<NatsRole | null> {
  const rows = await db.all<NatsRole>(selectWhere(matching(ref)));
  return rows[0] ?? null;
}

/** Returns a page of the roles in the projects, or of one NATS account, whose number is limited. */
export function listRoles(
  db: Database,
  { projectIds, natsAccountId }: { projectIds: readonly string[]; natsAccountId: string | undefined },
  page: Page,
): Promise<Listed<NatsRole>> {
  const list = { table: natsRoles, name: 'nats_roles', resource: ROLES };
  if (natsAccountId === undefined) {
    const scopes = projectScopes(projectIds);
    return listPage<NatsRole>(db, { ...list, scopes, column: 'project_id', where: sql`true` }, page);
  }
  const scopes = projectScopes([natsAccountId]);
  const where = sql`nth.${inProjects(projectIds)}`;
  return listFiltered<NatsRole>(db, { ...list, scopes, column: 'nats_account_id', where }, page);
}

/** The part of a role that a change can set. */
export type RoleContent = Pick<NatsRole, 'name' | 'definition' | 'size'>;

/**
 * Changes a role from one content to another, with a new revision of its account unless only the name changes. Fails with
 * `changed` if the content is no longer `from`, and with `bytes` if the roles of the account would take more bytes.
 */
export async function updateRole(
  db: Database,
  audit: AuditContext,
  ref: RoleRef,
  { from, to, maxBytes }: { from: NatsRole; to: RoleContent; maxBytes: number },
): Promise<{ ok: true; row: NatsRole } | RoleFailure | { ok: false; reason: 'changed' }> {
  const others = sql`(select coalesce(sum(size), 0) from nats_roles
    where nats_account_id = ${from.natsAccountId} and id <> ${ref.id})`;
  // A role that stays as large as it is can always be changed, for example renamed after the limit was lowered.
  const changing = sql`${matching(ref)} and name = ${from.name} and definition = ${from.definition}
    and (${to.size} <= size or ${others} + ${to.size} <= ${maxBytes})`;
  const [, , , rows, sizes] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: 'update',
        before: AUDITED_ROLE,
        after: auditedWith(sql`${to.name}`, sql`${to.definition}`),
      },
      sql`from nats_roles where ${changing}`,
    ),
    newRevision(
      sql`id in (select nats_account_id from nats_roles where ${changing} and definition <> ${to.definition})`,
      Math.floor(audit.now / 1000),
    ),
    sql`update nats_roles set name = ${to.name}, definition = ${to.definition}, size = ${to.size},
      updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
    selectWhere(matching(ref)),
    sql`select ${others} as current`,
  );
  const row = rowsOf<NatsRole>(rows)[0];
  if (!row) return { ok: false, reason: 'not_found' };
  const has = ({ name, definition }: RoleContent) => row.name === name && row.definition === definition;
  if (has(to)) return { ok: true, row };
  if (!has(from)) return { ok: false, reason: 'changed' };
  const current = rowsOf<{ current: number }>(sizes)[0]?.current ?? 0;
  return { ok: false, reason: 'bytes', projectId: row.projectId, current };
}

/** Deletes a role. Fails with `used` if credentials use it, whatever their status. */
export async function deleteRole(
  db: Database,
  audit: AuditContext,
  ref: RoleRef,
): Promise<{ ok: true; natsAccountId: string } | { ok: false; reason: 'not_found' | 'used' }> {
  const unused = sql`${matching(ref)} and not exists (select 1 from credentials where nats_role_id = ${ref.id})`;
  const [, , , removed, rows] = await db.batch(
    auditStatement(
      audit,
      { ...auditedRow, action: 'delete', before: AUDITED_ROLE },
      sql`from nats_roles where ${unused}`,
    ),
    sql`update counts set value = value - 1
      where resource = ${ROLES} and scope in (select project_id from nats_roles where ${unused})`,
    newRevision(
      sql`id in (select nats_account_id from nats_roles where ${unused})`,
      Math.floor(audit.now / 1000),
    ),
    sql`delete from nats_roles where ${unused} returning nats_account_id as "natsAccountId"`,
    selectWhere(matching(ref)),
  );
  const [deleted] = rowsOf<{ natsAccountId: string }>(removed);
  if (deleted) return { ok: true, ...deleted };
  return { ok: false, reason: rowsOf(rows).length > 0 ? 'used' : 'not_found' };
}
