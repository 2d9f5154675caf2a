/**
 * The audit trail's table, the same in every database: the statement that writes it, how it is read, and how rows end
 * when they are older than the deployment keeps them. A change and its audit rows are always one batch: either both
 * happen or neither. What a change records is its caller's.
 */
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { columnsOf, type Database } from './database.ts';

/** Who changed what: one row for each change. Nothing updates a row, and only {@link forgetAuditEvents} deletes. */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    /** Milliseconds since the epoch. */
    at: integer().notNull(),
    organizationId: text().notNull(),
    projectId: text(),
    actorType: text({ enum: ['user', 'application', 'system'] }).notNull(),
    actorId: text().notNull(),
    /** The access key of the API key that was used; null for a session. */
    actorKey: text(),
    address: text(),
    requestId: text().notNull(),
    action: text().notNull(),
    resource: text().notNull(),
    resourceId: text().notNull(),
    /** Names and permissions before and after, JSON; never a secret. */
    before: text(),
    after: text(),
  },
  (table) => [
    index('audit_events_by_organization').on(table.organizationId, table.at, table.id),
    index('audit_events_by_actor').on(table.organizationId, table.actorId, table.at, table.id),
    index('audit_events_by_resource').on(table.organizationId, table.resourceId, table.at, table.id),
  ],
);

/** Who makes a change, and when: the part of an audit row that the request knows. */
export interface Change {
  /** Milliseconds since the epoch. */
  now: number;
  actorType: 'user' | 'application' | 'system';
  actorId: string;
  actorKey: string | null;
  address: string | null;
  requestId: string;
}

/** What is changed: the part of an audit row that the statement knows. Each may be an SQL expression over `rows`. */
export interface Audited {
  organizationId: string | SQL;
  projectId: string | SQL | null;
  /** `create`, `update`, `delete`, `revoke`, `activate` or `deactivate`. */
  action: string;
  resource: string | SQL;
  resourceId: string | SQL;
  before?: SQL;
  after?: SQL;
}

/** What the changed row itself knows: for a statement over the rows of a table with these columns. */
export const OF_ROW = {
  organizationId: sql.raw('organization_id'),
  projectId: sql.raw('project_id'),
  resourceId: sql.raw('id'),
};

/** The last part of an audit statement that follows a single-row change: writes only when that row was changed. */
export const IF_CHANGED = sql.raw('where changes() > 0');

/**
 * The statement that writes an audit row for each row of `rows`, a `from … where …` (or `where …`) clause. It stands
 * before the change when it reads what the change removes, else after it with {@link IF_CHANGED}.
 */
export function auditStatement(change: Change, audited: Audited, rows: SQL): SQL {
  return sql`insert into audit_events
    (at, organization_id, project_id, actor_type, actor_id, actor_key, address, request_id,
     action, resource, resource_id, before, after)
    select ${change.now}, ${audited.organizationId}, ${audited.projectId}, ${change.actorType}, ${change.actorId},
      ${change.actorKey}, ${change.address}, ${change.requestId}, ${audited.action}, ${audited.resource},
      ${audited.resourceId}, ${audited.before ?? null}, ${audited.after ?? null} ${rows}`;
}

/** A row of `audit_events`. */
export type AuditEvent = typeof auditEvents.$inferSelect;

/** The place of a row in the order of the trail: by time, ties broken by id. */
export type Place = Pick<AuditEvent, 'at' | 'id'>;

/** Which rows of an organization are wanted; what is undefined restricts nothing. */
export interface AuditFilter {
  organizationId: string;
  projectId: string | undefined;
  /** Milliseconds since the epoch: at this time or later. */
  from: number | undefined;
  /** Milliseconds since the epoch: before this time. */
  until: number | undefined;
  actorId: string | undefined;
  /** The rows of these kinds only. */
  kinds: readonly { action: string; resource: string }[] | undefined;
  address: string | undefined;
  resourceId: string | undefined;
  action: string | undefined;
  direction: 'asc' | 'desc';
}

/**
 * At most `limit` rows in the order of the filter, those after `after` where it is given. Indexes serve time, actor
 * and resource id; with another filter alone, as many rows of the organization are read as it takes to fill the page.
 */
export function listAuditEvents(
  db: Database,
  filter: AuditFilter,
  limit: number,
  after: Place | undefined,
): Promise<AuditEvent[]> {
  const { low, high } = boundsOf(filter, after);
  // Left to itself, SQLite may walk the organization's whole trail for the few rows of one resource.
  const by =
    filter.resourceId !== undefined ? 'resource' : filter.actorId !== undefined ? 'actor' : 'organization';
  const conditions = [
    sql`organization_id = ${filter.organizationId}`,
    sql`(at, id) > (${low.at}, ${low.id}) and (at, id) < (${high.at}, ${high.id})`,
    filter.actorId !== undefined && sql`actor_id = ${filter.actorId}`,
    filter.resourceId !== undefined && sql`resource_id = ${filter.resourceId}`,
    filter.projectId !== undefined && sql`project_id = ${filter.projectId}`,
    filter.kinds !== undefined &&
      sql`(action, resource) in (select value ->> 'action', value ->> 'resource'
        from json_each(${JSON.stringify(filter.kinds)}))`,
    filter.address !== undefined && sql`address = ${filter.address}`,
    filter.action !== undefined && sql`action = ${filter.action}`,
  ].filter((condition) => condition !== false);
  const direction = sql.raw(filter.direction);
  return db.all<AuditEvent>(sql`select ${columnsOf(auditEvents, 'audit_events')} from audit_events
    indexed by ${sql.raw(`audit_events_by_${by}`)} where ${sql.join(conditions, sql` and `)}
    order by at ${direction}, id ${direction} limit ${limit}`);
}

/** The places that the rows of a page lie between, both excluded. Ids begin at 1. */
function boundsOf(
  { from, until, direction }: AuditFilter,
  after: Place | undefined,
): { low: Place; high: Place } {
  const low = { at: from ?? 0, id: 0 };
  const high = { at: until ?? Number.MAX_SAFE_INTEGER, id: 0 };
  if (!after) return { low, high };
  const compare = (one: Place, other: Place) => one.at - other.at || one.id - other.id;
  return direction === 'asc'
    ? { low: compare(after, low) > 0 ? after : low, high }
    : { low, high: compare(after, high) < 0 ? after : high };
}

/**
 * Deletes rows written before `before` (milliseconds since the epoch), of the `limit` oldest ones. Returns how many:
 * fewer than `limit` means that no more are to be deleted. Ids grow with time, so that no others are read.
 */
export async function forgetAuditEvents(db: Database, before: number, limit: number): Promise<number> {
  const [result] = await db.batch(sql`delete from audit_events
    where id in (select id from audit_events order by id limit ${limit}) and at < ${before}`);
  return result?.meta.changes ?? 0;
}
