/**
 * Who a bearer is: the principal of an API key or a session, with the organizations and projects it belongs to, in one
 * statement; and what the clients ask of keys and projects. It decides nothing; iam/policies.ts does.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type Listed, orderOf, type Page } from '../page.ts';
import { apiKeys, projects } from './schema.ts';

/** An organization that a principal acts in: its role there (null for an application) and all its projects. */
export interface Membership {
  organizationId: string;
  role: 'owner' | 'member' | null;
  projectIds: string[];
}

/** Who a bearer is, as the database has it. */
export interface Bearer {
  type: 'user' | 'application';
  id: string;
  /** The access key of the API key; null for a session. */
  accessKey: string | null;
  /** Milliseconds since the epoch, or null for never. */
  expiresAt: number | null;
  memberships: Membership[];
}

interface BearerRow {
  user_id: string | null;
  application_id: string | null;
  access_key: string | null;
  expires_at: number | null;
  memberships: string;
}

const projectsOf = (organization: string): SQL =>
  sql.raw(`json((select json_group_array(id) from projects where organization_id = ${organization}))`);

async function bearerOf(db: Database, query: SQL): Promise<Bearer | null> {
  const [row] = await db.all<BearerRow>(query);
  const id = row?.user_id ?? row?.application_id;
  if (!row || !id) return null;
  return {
    type: row.user_id === null ? 'application' : 'user',
    id,
    accessKey: row.access_key,
    expiresAt: row.expires_at,
    memberships: JSON.parse(row.memberships) as Membership[],
  };
}

/** Whose the API key with this secret is (by its hash), or null. It acts in the key's organization alone. */
export function findApiKeyBearer(db: Database, secretHash: string): Promise<Bearer | null> {
  return bearerOf(
    db,
    sql`select k.user_id, k.application_id, k.access_key, k.expires_at,
        json_array(json_object('organizationId', k.organization_id, 'role', m.role,
          'projectIds', ${projectsOf('k.organization_id')})) as memberships
      from api_keys k left join memberships m on m.user_id = k.user_id and m.organization_id = k.organization_id
      where k.secret_hash = ${secretHash} and (k.application_id is not null or m.role is not null)`,
  );
}

/** Whose the session with this token is, or null. It acts in every organization that the user belongs to. */
export function findSessionBearer(db: Database, token: string): Promise<Bearer | null> {
  return bearerOf(
    db,
    sql`select s.user_id, null as application_id, null as access_key, s.expires_at,
        (select json_group_array(json_object('organizationId', m.organization_id, 'role', m.role,
          'projectIds', ${projectsOf('m.organization_id')})) from memberships m where m.user_id = s.user_id)
          as memberships
      from sessions s where s.token = ${token}`,
  );
}

/** A row of `api_keys`. */
export type ApiKey = typeof apiKeys.$inferSelect;

/** The API key, or null when these organizations have none of that access key. */
export async function getApiKey(
  db: Database,
  accessKey: string,
  organizationIds: readonly string[],
): Promise<ApiKey | null> {
  const rows = await db.all<ApiKey>(sql`select ${columnsOf(apiKeys, 'api_keys')} from api_keys
    where access_key = ${accessKey}
      and organization_id in (select value from json_each(${JSON.stringify(organizationIds)}))`);
  return rows[0] ?? null;
}

/** A row of `projects`. */
export type Project = typeof projects.$inferSelect;

/** Those of the projects `ids` that match the filters: a page of them, and how many there are. */
export async function listProjects(
  db: Database,
  filter: { ids: readonly string[]; organizationId: string | undefined; name: string | undefined },
  page: Page,
): Promise<Listed<Project>> {
  const { ids, organizationId = null, name = null } = filter;
  const matching = sql`id in (select value from json_each(${JSON.stringify(ids)}))
    and (${organizationId} is null or organization_id = ${organizationId}) and (${name} is null or name = ${name})`;
  const [rows, totals] = await db.batch(
    sql`select ${columnsOf(projects, 'projects')} from projects where ${matching}
      order by ${orderOf('projects', page)} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total from projects where ${matching}`,
  );
  return { rows: rowsOf<Project>(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}
