/**
 * Whether Queues, and Topics and Events, are activated for a project in a region. Deactivating revokes every
 * credential of the product there, in the same batch.
 */
import { sql } from 'drizzle-orm';
import { auditStatement, type Change, IF_CHANGED } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { services } from './schema.ts';

/** A row of `services`. */
export type Service = typeof services.$inferSelect;

/** Names a product of a project. */
export interface ServiceRef {
  product: string;
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

const selecting = (ref: ServiceRef) =>
  sql`select ${columnsOf(services, 'services')} from services where ${matching(ref)}`;

/** The activation, or null when the product never was activated for the project. */
export async function getService(db: Database, ref: ServiceRef): Promise<Service | null> {
  const rows = await db.all<Service>(selecting(ref));
  return rows[0] ?? null;
}

/** Activates a product with a fresh prefix. Returns null when it is active already. */
export async function activateService(
  db: Database,
  change: Change,
  ref: ServiceRef,
  prefix: string,
): Promise<Service | null> {
  const [changed, , rows] = await db.batch(
    sql`insert into services (organization_id, project_id, product, status, prefix, created_at, updated_at)
      values (${ref.organizationId}, ${ref.projectId}, ${ref.product}, 'enabled', ${prefix}, ${change.now}, ${change.now})
      on conflict (project_id, product) do update set status = excluded.status, prefix = excluded.prefix,
        created_at = excluded.created_at, updated_at = excluded.updated_at where status = 'disabled'`,
    auditStatement(change, { ...audited(ref), action: 'activate' }, IF_CHANGED),
    selecting(ref),
  );
  return changed?.meta.changes ? (rowsOf<Service>(rows)[0] ?? null) : null;
}

/** Deactivates a product and revokes its credentials. Returns null when it is not active. */
export async function deactivateService(
  db: Database,
  change: Change,
  ref: ServiceRef,
): Promise<Service | null> {
  const enabled = sql`exists (select 1 from services where ${matching(ref)} and status = 'enabled')`;
  const [, , , changed, , rows] = await db.batch(
    auditStatement(
      change,
      {
        ...audited(ref),
        action: 'revoke',
        resource: `${ref.product}_credentials`,
        resourceId: sql`id`,
        before: sql`json_object('name', name, 'permissions', permissions)`,
      },
      sql`from credentials where ${matching(ref)} and ${enabled}`,
    ),
    sql`update counts set value = 0 where scope = ${ref.projectId} and resource = ${ref.product} and ${enabled}`,
    sql`delete from credentials where ${matching(ref)} and ${enabled}`,
    sql`update services set status = 'disabled', updated_at = ${change.now}
      where ${matching(ref)} and status = 'enabled'`,
    auditStatement(change, { ...audited(ref), action: 'deactivate' }, IF_CHANGED),
    selecting(ref),
  );
  return changed?.meta.changes ? (rowsOf<Service>(rows)[0] ?? null) : null;
}
