/**
 * The audit trail's table, the same in every database, and the statement that writes it. A change and its audit rows
 * are always one batch: either both happen or neither. What a change records is its caller's; reading is not here.
 */
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Who changed what: one row for each change. Nothing in the application updates or deletes a row. */
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
