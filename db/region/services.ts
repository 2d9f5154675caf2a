/**
 * Activations of Queues and of Topics and Events in a project. Deactivation revokes all credentials of the product in
 * the project, in the same batch, and records what to remove from the engine.
 */
import { sql } from 'drizzle-orm';
import { type AuditContext, auditStatement, IF_CHANGED } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { AccessKeyProductId } from '../products.ts';
import { AUDITED, deleteRotations } from './credentials.ts';
import { insertDeactivation } from './deactivations.ts';
import { accessKeysOf, selectAccessKeys } from './gateway.ts';
import { services } from './schema.ts';

export type Service = typeof services.$inferSelect;

/** Identifies a product of a project. */
export interface ServiceRef {
  product: AccessKeyProductId;
  organizationId: string;
  projectId: string;
}

const matching = ({ projectId, product }: ServiceRef) =>
  sql`project_id = ${projectId} and product = ${product}`;

const audited = (ref: ServiceRef) => ({
  organizationId: ref.organizationId,
  projectId: ref.projectId,
  resource: ref.product,
  resourceId: ref.projectId,
});

const selectWhere = (ref: ServiceRef) =>
  sql`select ${columnsOf(services, 'services')} from services where ${matching(ref)}`;

/** Returns the activation, or null if the product was never activated in the project. */
export async function getService(db: Database, ref: ServiceRef): Promise<Service | null> {
  const rows = await db.all<Service>(selectWhere(ref));
  return rows[0] ?? null;
}

/**
 * Activates a product with a prefix. `accessKeys` are those of the project, which the change concerns. Fails with
 * `active` if it is already active, and with `prefix_taken` if another activation has this prefix, or an ended one that
 * is not cleaned up yet.
 */
export async function activateService(
  db: Database,
  audit: AuditContext,
  ref: ServiceRef,
  prefix: string,
): Promise<
  { ok: true; row: Service; accessKeys: string[] } | { ok: false; reason: 'active' | 'prefix_taken' }
> {
  const taken = sql`select 1 from services where prefix = ${prefix}
    union all select 1 from deactivations where prefix = ${prefix}`;
  const [, , rows, keys] = await db.batch(
    sql`insert into services (organization_id, project_id, product, status, prefix, created_at, updated_at)
      select ${ref.organizationId}, ${ref.projectId}, ${ref.product}, 'enabled', ${prefix}, ${audit.now}, ${audit.now}
      where not exists (${taken})
      on conflict (project_id, product) do update set status = excluded.status, prefix = excluded.prefix,
        created_at = excluded.created_at, updated_at = excluded.updated_at where status = 'disabled'`,
    auditStatement(audit, { ...audited(ref), action: 'activate' }, IF_CHANGED),
    selectWhere(ref),
    selectAccessKeys(ref.projectId),
  );
  const row = rowsOf<Service>(rows)[0];
  if (row?.status !== 'enabled') return { ok: false, reason: 'prefix_taken' };
  return row.prefix === prefix
    ? { ok: true, row, accessKeys: accessKeysOf(keys) }
    : { ok: false, reason: 'active' };
}

/**
 * Deactivates a product and revokes its credentials. `leftovers` is true if it had resources on the engine;
 * `accessKeys` are those that the project had, which the change concerns. Returns null if the product is not active.
 */
export async function deactivateService(
  db: Database,
  audit: AuditContext,
  ref: ServiceRef,
): Promise<{ row: Service; leftovers: boolean; accessKeys: string[] } | null> {
  const enabled = sql`exists (select 1 from services where ${matching(ref)} and status = 'enabled')`;
  const [keys, , , , , noted, changed, , rows] = await db.batch(
    selectAccessKeys(ref.projectId),
    auditStatement(
      audit,
      {
        ...audited(ref),
        action: 'revoke',
        resource: `${ref.product}_credentials`,
        resourceId: sql`id`,
        before: AUDITED,
      },
      sql`from credentials where ${matching(ref)} and ${enabled}`,
    ),
    sql`update counts set value = 0 where scope = ${ref.projectId} and resource = ${ref.product} and ${enabled}`,
    deleteRotations(sql`${matching(ref)} and ${enabled}`),
    sql`delete from credentials where ${matching(ref)} and ${enabled}`,
    insertDeactivation(sql`from services where ${matching(ref)} and status = 'enabled'`, audit.now),
    sql`update services set status = 'disabled', updated_at = ${audit.now}
      where ${matching(ref)} and status = 'enabled'`,
    auditStatement(audit, { ...audited(ref), action: 'deactivate' }, IF_CHANGED),
    selectWhere(ref),
  );
  const row = rowsOf<Service>(rows)[0];
  if (!row || !changed?.meta.changes) return null;
  return { row, leftovers: Boolean(noted?.meta.changes), accessKeys: accessKeysOf(keys) };
}
