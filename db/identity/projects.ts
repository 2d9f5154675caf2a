/**
 * The projects of organizations. A deletion takes several steps, because a project's resources are in the regions:
 * `deleting` while projects/delete-project.ts asks the regions, `deleted` until no late write can remain, then the row is removed.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import {
  type IdempotencyRecord,
  type IdempotentRequest,
  insertIdempotencyRecord,
  notReplayed,
  selectIdempotencyRecord,
} from '../idempotency.ts';
import { type Listed, orderOf, type Page } from '../page.ts';
import { auditedKey } from './api-keys.ts';
import { removeProjectFromRules } from './policies.ts';
import { projects } from './schema.ts';

export type Project = typeof projects.$inferSelect;

/** Identifies a project, in the organizations where the caller has the required permission. */
export interface ProjectRef {
  id: string;
  organizationIds: readonly string[];
}

const matching = ({ id, organizationIds }: ProjectRef): SQL =>
  sql`id = ${id} and organization_id in (select value from json_each(${JSON.stringify(organizationIds)}))
    and status = 'active'`;

const selectWhere = (where: SQL) =>
  sql`select ${columnsOf(projects, 'projects')} from projects where ${where}`;

const auditedRow = {
  organizationId: sql.raw('organization_id'),
  projectId: sql.raw('id'),
  resource: 'projects',
  resourceId: sql.raw('id'),
};

const NAME_AND_DESCRIPTION = sql.raw(`json_object('name', name, 'description', description)`);

/** Creates a project and returns its row. Fails with the earlier creation if the idempotency key was used before. */
export async function createProject(
  db: Database,
  audit: AuditContext,
  project: Pick<Project, 'id' | 'organizationId' | 'name' | 'description'>,
  idempotency: IdempotentRequest | null,
): Promise<{ ok: true; row: Project } | { ok: false; record: IdempotencyRecord }> {
  const { id, organizationId, name, description } = project;
  const created = sql`exists (select 1 from projects where id = ${id})`;
  const [, , rows, , replayed] = await db.batch(
    sql`insert into projects (id, organization_id, name, description, status, created_at, updated_at)
      select ${id}, ${organizationId}, ${name}, ${description}, 'active', ${audit.now}, ${audit.now}
      where ${notReplayed(idempotency)}`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: NAME_AND_DESCRIPTION },
      sql`from projects where id = ${id}`,
    ),
    selectWhere(sql`id = ${id}`),
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, id, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<Project>(rows)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (!record) throw new Error('an inserted project was not returned');
  return { ok: false, record };
}

/** Returns the project, or null if these organizations have none with that id. */
export async function getProject(db: Database, ref: ProjectRef): Promise<Project | null> {
  const rows = await db.all<Project>(selectWhere(matching(ref)));
  return rows[0] ?? null;
}

/** Returns a page of those of the projects `ids` that match the filters, and their total count. */
export async function listProjects(
  db: Database,
  filter: { ids: readonly string[]; organizationId: string | undefined; name: string | undefined },
  page: Page,
): Promise<Listed<Project>> {
  const { ids, organizationId = null, name = null } = filter;
  const listed = sql`id in (select value from json_each(${JSON.stringify(ids)})) and status = 'active'
    and (${organizationId} is null or organization_id = ${organizationId}) and (${name} is null or name = ${name})`;
  const [rows, totals] = await db.batch(
    sql`${selectWhere(listed)}
      order by ${orderOf('projects', page)} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total from projects where ${listed}`,
  );
  return { rows: rowsOf<Project>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

/** Changes name and description; undefined keeps the value. Returns the row, or null if there is none. */
export async function updateProject(
  db: Database,
  audit: AuditContext,
  ref: ProjectRef,
  fields: { name: string | undefined; description: string | undefined },
): Promise<Project | null> {
  const name = sql`coalesce(${fields.name ?? null}, name)`;
  const description = sql`coalesce(${fields.description ?? null}, description)`;
  const changing = sql`${matching(ref)} and (name <> ${name} or description <> ${description})`;
  const [, , rows] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: 'update',
        before: NAME_AND_DESCRIPTION,
        after: sql`json_object('name', ${name}, 'description', ${description})`,
      },
      sql`from projects where ${changing}`,
    ),
    sql`update projects set name = ${name}, description = ${description},
      updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
    selectWhere(matching(ref)),
  );
  return rowsOf<Project>(rows)[0] ?? null;
}

/** A deletion in progress. `since` distinguishes it from other deletions of the same project. */
export interface Deletion {
  id: string;
  /** When the deletion started, in milliseconds since the epoch. */
  since: number;
}

/**
 * Marks a project as being deleted, so that it accepts no new resources. Fails with `not_found`, and with `only_one` if
 * its organization has no other active project.
 */
export async function startDeletion(
  db: Database,
  now: number,
  ref: ProjectRef,
): Promise<{ ok: true; deletion: Deletion } | { ok: false; reason: 'not_found' | 'only_one' }> {
  const [marked, left] = await db.batch(
    sql`update projects set status = 'deleting', updated_at = max(${now}, updated_at + 1)
      where ${matching(ref)} and exists (select 1 from projects other
        where other.organization_id = projects.organization_id and other.id <> projects.id
          and other.status = 'active')
      returning id, updated_at as since`,
    sql`select 1 from projects where ${matching(ref)}`,
  );
  const deletion = rowsOf<Deletion>(marked)[0];
  if (deletion) return { ok: true, deletion };
  return { ok: false, reason: rowsOf(left).length > 0 ? 'only_one' : 'not_found' };
}

const inProgress = ({ id, since }: Deletion) =>
  sql`id = ${id} and status = 'deleting' and updated_at = ${since}`;

/** Makes the project active again, unless the deletion has already finished. */
export async function cancelDeletion(db: Database, deletion: Deletion): Promise<void> {
  await db.all(sql`update projects set status = 'active' where ${inProgress(deletion)}`);
}

/**
 * Finishes a deletion. API keys with this default project get the organization's oldest active one, and rules no longer
 * include the project. Returns false, and changes nothing, if the deletion has already ended.
 */
export async function finishDeletion(
  db: Database,
  audit: AuditContext,
  deletion: Deletion,
): Promise<boolean> {
  const deleted = sql`(select id from projects where ${inProgress(deletion)})`;
  const results = await db.batch(
    ...reassignApiKeys(audit, deleted),
    ...removeProjectFromRules(audit, deleted),
    auditStatement(
      audit,
      { ...auditedRow, action: 'delete', before: NAME_AND_DESCRIPTION },
      sql`from projects where ${inProgress(deletion)}`,
    ),
    sql`update projects set status = 'deleted', updated_at = max(${audit.now}, updated_at + 1)
      where ${inProgress(deletion)}`,
  );
  return Boolean(results.at(-1)?.meta.changes);
}

/** Returns two statements that give API keys with this default project the organization's oldest active one. */
function reassignApiKeys(audit: AuditContext, projectId: SQL): [SQL, SQL] {
  const oldest = sql`(select other.id from projects other
    where other.organization_id = api_keys.organization_id and other.status = 'active'
    order by other.created_at, other.id limit 1)`;
  const where = sql`where default_project_id = ${projectId}
    and organization_id = (select organization_id from projects where id = ${projectId})`;
  return [
    auditStatement(
      audit,
      {
        ...auditedKey,
        action: 'update',
        before: sql`json_object('default_project_id', default_project_id)`,
        after: sql`json_object('default_project_id', ${oldest})`,
      },
      sql`from api_keys ${where}`,
    ),
    sql`update api_keys set default_project_id = ${oldest}, updated_at = max(${audit.now}, updated_at + 1) ${where}`,
  ];
}

/** Returns at most `limit` projects that are being deleted or were deleted, the least recently changed first. */
export function listUnfinishedDeletions(db: Database, limit: number): Promise<Project[]> {
  return db.all<Project>(sql`${selectWhere(sql`status <> 'active'`)} order by updated_at limit ${limit}`);
}

/**
 * Removes the row of a deleted project, and its references from API keys and rules that were created during the
 * deletion.
 */
export async function removeProject(db: Database, audit: AuditContext, id: string): Promise<void> {
  const deleted = sql`(select id from projects where id = ${id} and status = 'deleted')`;
  await db.batch(
    ...reassignApiKeys(audit, deleted),
    ...removeProjectFromRules(audit, deleted),
    sql`delete from projects where id = ${id} and status = 'deleted'`,
  );
}
