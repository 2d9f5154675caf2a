/**
 * Applications: programs that act under their own name. Deleting one also deletes its API keys and detaches its
 * policies, in the same batch.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { Listed, Page } from '../page.ts';
import { API_KEY, auditedKey } from './api-keys.ts';
import { type Access, contains, inList, inListIfPresent, listPage, tagContains } from './fragments.ts';
import { auditedPolicy, POLICY } from './policies.ts';
import { applications } from './schema.ts';

/** A row of `applications` with its number of API keys. `tags` is a JSON array. */
export type Application = typeof applications.$inferSelect & { apiKeys: number };

/** The fields that a client sets; undefined keeps the value. */
export interface ApplicationFields {
  name: string | undefined;
  description: string | undefined;
  tags: string[] | undefined;
}

const COLUMNS = sql`${columnsOf(applications, 'applications')},
  (select count(*) from api_keys where api_keys.application_id = applications.id) as "apiKeys"`;

const DESCRIBED = sql.raw(`json_object('name', name, 'description', description, 'tags', json(tags))`);

const auditedRow = {
  organizationId: sql.raw('organization_id'),
  projectId: null,
  resource: 'applications',
  resourceId: sql.raw('id'),
};

const selectWhere = (where: SQL) => sql`select ${COLUMNS} from applications where ${where}`;

export async function createApplication(
  db: Database,
  audit: AuditContext,
  application: { id: string; organizationId: string; name: string; description: string; tags: string[] },
): Promise<Application> {
  const [, , rows] = await db.batch(
    sql`insert into applications (id, organization_id, name, description, tags, created_at, updated_at)
      values (${application.id}, ${application.organizationId}, ${application.name}, ${application.description}, ${JSON.stringify(application.tags)},
        ${audit.now}, ${audit.now})`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: DESCRIBED },
      sql`from applications where id = ${application.id}`,
    ),
    selectWhere(sql`id = ${application.id}`),
  );
  const row = rowsOf<Application>(rows)[0];
  if (!row) throw new Error('an inserted application was not returned');
  return row;
}

/** Returns the application, or null if these organizations have none with that id. */
export async function getApplication(
  db: Database,
  id: string,
  organizationIds: readonly string[],
): Promise<Application | null> {
  const rows = await db.all<Application>(
    selectWhere(sql`id = ${id} and ${inList('organization_id', organizationIds)}`),
  );
  return rows[0] ?? null;
}

/** Returns a page of the matching applications of the organizations. */
export function listApplications(
  db: Database,
  filter: {
    organizationIds: readonly string[];
    ids: readonly string[] | undefined;
    name: string | undefined;
    tag: string | undefined;
  },
  page: Page,
): Promise<Listed<Application>> {
  const where = sql`${inList('organization_id', filter.organizationIds)} and ${inListIfPresent('id', filter.ids)}
    and ${contains('name', filter.name)} and ${tagContains('tags', filter.tag)}`;
  return listPage(db, { table: 'applications', columns: COLUMNS, where }, page);
}

/** Changes an application. Returns the resulting row if the caller can see it, else null. */
export async function updateApplication(
  db: Database,
  audit: AuditContext,
  id: string,
  access: Access,
  fields: ApplicationFields,
): Promise<Application | null> {
  const tags = fields.tags ? JSON.stringify(fields.tags) : null;
  const wanted = sql`coalesce(${fields.name ?? null}, name), coalesce(${fields.description ?? null}, description),
    coalesce(${tags}, tags)`;
  const changing = sql`id = ${id} and ${inList('organization_id', access.writable)}
    and (name, description, tags) <> (${wanted})`;
  const [, , rows] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: 'update',
        before: DESCRIBED,
        after: sql`json_object('name', coalesce(${fields.name ?? null}, name),
          'description', coalesce(${fields.description ?? null}, description), 'tags', json(coalesce(${tags}, tags)))`,
      },
      sql`from applications where ${changing}`,
    ),
    sql`update applications set (name, description, tags) = (${wanted}),
        updated_at = max(${audit.now}, updated_at + 1)
      where ${changing}`,
    selectWhere(sql`id = ${id} and ${inList('organization_id', access.readable)}`),
  );
  return rowsOf<Application>(rows)[0] ?? null;
}

/**
 * Deletes an application and its API keys, with an audit row for each, if the caller can. Returns the previous row if
 * the caller can see it, else null.
 */
export async function deleteApplication(
  db: Database,
  audit: AuditContext,
  id: string,
  access: Access,
): Promise<Application | null> {
  const deletable = sql`id = ${id} and ${inList('organization_id', access.writable)}`;
  const its = sql`application_id = (select id from applications where ${deletable})`;
  const [rows] = await db.batch(
    selectWhere(sql`id = ${id} and ${inList('organization_id', access.readable)}`),
    auditStatement(
      audit,
      { ...auditedKey, action: 'delete', before: API_KEY },
      sql`from api_keys where ${its}`,
    ),
    auditStatement(
      audit,
      {
        ...auditedPolicy,
        action: 'update',
        before: POLICY,
        after: sql`json_set(${POLICY}, '$.application_id', null)`,
      },
      sql`from policies where ${its}`,
    ),
    auditStatement(
      audit,
      { ...auditedRow, action: 'delete', before: DESCRIBED },
      sql`from applications where ${deletable}`,
    ),
    sql`update policies set application_id = null, updated_at = max(${audit.now}, updated_at + 1) where ${its}`,
    sql`delete from applications where ${deletable}`,
  );
  return rowsOf<Application>(rows)[0] ?? null;
}
