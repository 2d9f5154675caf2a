/**
 * The audit trail's table, the same in every database: writes, reads and deletion past the retention period. A change
 * and its audit rows are always one batch, so both happen or neither does. Callers decide what to record.
 */
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { columnsOf, type Database } from './database.ts';

/** One row per change. Rows are never updated; only {@link deleteAuditEventsBefore} deletes them. */
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
    /** The API key that was used; null for a session. */
    actorKey: text(),
    address: text(),
    requestId: text().notNull(),
    action: text().notNull(),
    resource: text().notNull(),
    resourceId: text().notNull(),
    /** Names and permissions before and after as JSON; never a secret. */
    before: text(),
    after: text(),
  },
  (table) => [
    index('audit_events_by_organization').on(table.organizationId, table.at, table.id),
    index('audit_events_by_actor').on(table.organizationId, table.actorId, table.at, table.id),
    index('audit_events_by_resource').on(table.organizationId, table.resourceId, table.at, table.id),
  ],
);

/** Who makes a change, and when: the part of an audit row that comes from the request. */
export interface AuditContext {
  /** Milliseconds since the epoch. */
  now: number;
  actorType: 'user' | 'application' | 'system';
  actorId: string;
  actorKey: string | null;
  address: string | null;
  requestId: string;
}

/**
 * What changes: the part of an audit row that comes from the statement. Each value can be an SQL expression over
 * `rows`.
 */
export interface AuditEntry {
  organizationId: string | SQL;
  projectId: string | SQL | null;
  /**
   * `create`, `update`, `delete`, `revoke`, `disable`, `enable`, `rotate`, `finish_rotation`, `cancel_rotation`, `activate`
   * or `deactivate`.
   */
  action: string;
  resource: string | SQL;
  resourceId: string | SQL;
  before?: SQL;
  after?: SQL;
}

/** The values of a row's own columns, for a statement over a table that has them. */
export const ROW_COLUMNS = {
  organizationId: sql.raw('organization_id'),
  projectId: sql.raw('project_id'),
  resourceId: sql.raw('id'),
};

/** The end of an audit statement that follows a single-row change: writes only if that row changed. */
export const IF_CHANGED = sql.raw('where changes() > 0');

/**
 * Returns the statement that writes an audit row for each row of `rows`, a `from … where …` (or `where …`) clause.
 * Place it before the change if it reads what the change removes; otherwise after it, with {@link IF_CHANGED}.
 */
export function auditStatement(audit: AuditContext, audited: AuditEntry, rows: SQL): SQL {
  return sql`insert into audit_events
    (at, organization_id, project_id, actor_type, actor_id, actor_key, address, request_id,
     action, resource, resource_id, before, after)
    select ${audit.now}, ${audited.organizationId}, ${audited.projectId}, ${audit.actorType}, ${audit.actorId},
      ${audit.actorKey}, ${audit.address}, ${audit.requestId}, ${audited.action}, ${audited.resource},
      ${audited.resourceId}, ${audited.before ?? null}, ${audited.after ?? null} ${rows}`;
}

export type AuditEvent = typeof auditEvents.$inferSelect;

/** A cursor in the trail, which is ordered by time, then id. */
export type AuditCursor = Pick<AuditEvent, 'at' | 'id'>;

/** Filters for the events of an organization; undefined restricts nothing. */
export interface AuditFilter {
  organizationId: string;
  projectId: string | undefined;
  /** Inclusive, milliseconds since the epoch. */
  from: number | undefined;
  /** Exclusive, milliseconds since the epoch. */
  until: number | undefined;
  actorId: string | undefined;
  /** Only rows of these kinds. */
  kinds: readonly { action: string; resource: string }[] | undefined;
  address: string | undefined;
  resourceId: string | undefined;
  action: string | undefined;
  direction: 'asc' | 'desc';
}

/**
 * Returns at most `limit` rows in the order of the filter, after the cursor `after` if it is given. Indexes cover time,
 * actor and resource id; other filters scan the organization's rows until the page is full.
 */
export function listAuditEvents(
  db: Database,
  filter: AuditFilter,
  limit: number,
  after: AuditCursor | undefined,
): Promise<AuditEvent[]> {
  const { low, high } = boundsOf(filter, after);
  // Without a hint, SQLite can scan the organization's whole trail for the few rows of one resource.
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

/** Returns the cursors around a page, both exclusive. Ids begin at 1. */
function boundsOf(
  { from, until, direction }: AuditFilter,
  after: AuditCursor | undefined,
): { low: AuditCursor; high: AuditCursor } {
  const low = { at: from ?? 0, id: 0 };
  const high = { at: until ?? Number.MAX_SAFE_INTEGER, id: 0 };
  if (!after) return { low, high };
  const compare = (one: AuditCursor, other: AuditCursor) => one.at - other.at || one.id - other.id;
  return direction === 'asc'
    ? { low: compare(after, low) > 0 ? after : low, high }
    : { low, high: compare(after, high) < 0 ? after : high };
}

/**
 * Deletes those of the `limit` oldest rows written before `before` (milliseconds since the epoch). Returns how many;
 * fewer than `limit` means that none are left. Ids grow with time, so no other rows are read.
 */
export async function deleteAuditEventsBefore(db: Database, before: number, limit: number): Promise<number> {
  const [result] = await db.batch(sql`delete from audit_events
    where id in (select id from audit_events order by id limit ${limit}) and at < ${before}`);
  return result?.meta.changes ?? 0;
}
