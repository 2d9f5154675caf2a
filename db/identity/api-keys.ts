/**
 * The API keys of users and applications. Only an Owner can change an Owner's key. callers.ts finds the principal of a
 * key in use.
 */
import { type SQL, sql } from 'drizzle-orm';
import { auditStatement, type Change } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type Done, notDone, noteDone, type Once, selectDone } from '../idempotency.ts';
import type { Listed, Page } from '../page.ts';
import { type Access, among, amongIfAny, contains, listPage } from './fragments.ts';
import { apiKeys } from './schema.ts';

export type ApiKey = typeof apiKeys.$inferSelect & {
  /** 1 if the key belongs to a user who is an Owner of its organization. */
  ofOwner: 0 | 1;
};

/** A new key. Its organization is the principal's. */
export interface NewApiKey {
  accessKey: string;
  secretHash: string;
  bearer: { type: 'user' | 'application'; id: string };
  description: string;
  /** Null selects the organization's oldest active project. */
  defaultProjectId: string | null;
  /** Milliseconds since the epoch; null means never. */
  expiresAt: number | null;
}

/** The fields of a key that can change; undefined keeps the value. */
export interface ApiKeyFields {
  description: string | undefined;
  defaultProjectId: string | undefined;
  /** Milliseconds since the epoch. */
  expiresAt: number | undefined;
}

/**
 * The created key, or why there is none. `no_bearer`: no such principal where the caller can create keys. `of_owner`:
 * the principal is an Owner and the caller is not. `ambiguous`: the user belongs to several such organizations.
 * `no_project`: no active project. `done`: the idempotency key was already used.
 */
export type CreatedApiKey =
  | { ok: true; row: ApiKey }
  | { ok: false; reason: 'no_bearer' | 'of_owner' | 'ambiguous' | 'no_project' }
  | { ok: false; reason: 'done'; done: Done };

const OF_OWNER = sql.raw(`exists (select 1 from memberships where memberships.user_id = api_keys.user_id
  and memberships.organization_id = api_keys.organization_id and memberships.role = 'owner')`);

const COLUMNS = sql`${columnsOf(apiKeys, 'api_keys')}, ${OF_OWNER} as "ofOwner"`;

const described = (description: SQL, defaultProjectId: SQL, expiresAt: SQL) =>
  sql`json_object('user_id', user_id, 'application_id', application_id, 'description', ${description},
    'default_project_id', ${defaultProjectId},
    'expires_at', strftime('%Y-%m-%dT%H:%M:%fZ', ${expiresAt} / 1000.0, 'unixepoch'))`;

const [DESCRIPTION, PROJECT, EXPIRES_AT] = ['description', 'default_project_id', 'expires_at'].map((name) =>
  sql.raw(name),
) as [SQL, SQL, SQL];

/** The JSON of an API key in the audit trail. */
export const API_KEY = described(DESCRIPTION, PROJECT, EXPIRES_AT);

/** The audit columns that come from the key's own row. */
export const auditedKey = {
  organizationId: sql.raw('organization_id'),
  projectId: null,
  resource: 'api_keys',
  resourceId: sql.raw('access_key'),
};

const selecting = (where: SQL) => sql`select ${COLUMNS} from api_keys where ${where}`;

/**
 * Returns the organizations where the caller can create a key for this principal. `protected` marks those where only an
 * Owner can.
 */
function bearersOf({ type, id }: NewApiKey['bearer'], access: Access): SQL {
  const where = sql`joined_at is not null and ${among('organization_id', access.writable)}`;
  return type === 'user'
    ? sql`(select organization_id, role = 'owner' and not ${among('organization_id', access.owned)} as protected
        from memberships where user_id = ${id} and ${where})`
    : sql`(select organization_id, 0 as protected from applications
        where id = ${id} and ${among('organization_id', access.writable)})`;
}

/** Creates a key in the principal's one organization, if the caller can. */
export async function createApiKey(
  db: Database,
  change: Change,
  key: NewApiKey,
  access: Access,
  once: Once | null,
): Promise<CreatedApiKey> {
  const created = sql`exists (select 1 from api_keys where access_key = ${key.accessKey})`;
  const bearers = bearersOf(key.bearer, access);
  const [userId, applicationId] = key.bearer.type === 'user' ? [key.bearer.id, null] : [null, key.bearer.id];
  const [, , made, found, , done] = await db.batch(
    sql`insert into api_keys (access_key, secret_hash, organization_id, user_id, application_id, description,
        default_project_id, expires_at, creation_address, created_at, updated_at)
      select ${key.accessKey}, ${key.secretHash}, organization_id, ${userId}, ${applicationId}, ${key.description},
        projects.id, ${key.expiresAt}, ${change.address}, ${change.now}, ${change.now}
      from projects join ${bearers} as bearer using (organization_id)
      where not bearer.protected and projects.status = 'active' and (select count(*) from ${bearers}) = 1
        and projects.id = coalesce(${key.defaultProjectId}, projects.id) and ${notDone(once)}
      order by projects.created_at, projects.id limit 1`,
    auditStatement(
      change,
      { ...auditedKey, action: 'create', after: API_KEY },
      sql`from api_keys where access_key = ${key.accessKey}`,
    ),
    selecting(sql`access_key = ${key.accessKey}`),
    sql`select protected from ${bearers}`,
    ...(once ? [noteDone(once, key.accessKey, created), selectDone(once)] : []),
  );
  const row = rowsOf<ApiKey>(made)[0];
  if (row) return { ok: true, row };
  const before = rowsOf<Done>(done)[0];
  if (before) return { ok: false, reason: 'done', done: before };
  const [bearer, other] = rowsOf<{ protected: 0 | 1 }>(found);
  if (!bearer) return { ok: false, reason: 'no_bearer' };
  if (other) return { ok: false, reason: 'ambiguous' };
  return { ok: false, reason: bearer.protected ? 'of_owner' : 'no_project' };
}

/** Returns the API key, or null if these organizations have no such access key. */
export async function getApiKey(
  db: Database,
  accessKey: string,
  organizationIds: readonly string[],
): Promise<ApiKey | null> {
  const rows = await db.all<ApiKey>(
    selecting(sql`access_key = ${accessKey} and ${among('organization_id', organizationIds)}`),
  );
  return rows[0] ?? null;
}

/** Returns a page of the matching API keys of the organizations. */
export function listApiKeys(
  db: Database,
  filter: {
    organizationIds: readonly string[];
    accessKeys: readonly string[] | undefined;
    accessKey: string | undefined;
    userId: string | undefined;
    applicationId: string | undefined;
    /** The id of a user or an application. */
    bearerId: string | undefined;
    bearerType: 'user' | 'application' | undefined;
    description: string | undefined;
    expired: boolean | undefined;
    /** Milliseconds since the epoch. */
    now: number;
  },
  page: Page,
): Promise<Listed<ApiKey>> {
  const { userId = null, applicationId = null, bearerId = null, bearerType = null, expired = null } = filter;
  const where = sql`${among('organization_id', filter.organizationIds)}
    and ${amongIfAny('access_key', filter.accessKeys)} and ${contains('access_key', filter.accessKey)}
    and ${contains('description', filter.description)}
    and (${userId} is null or user_id = ${userId})
    and (${applicationId} is null or application_id = ${applicationId})
    and (${bearerId} is null or coalesce(user_id, application_id) = ${bearerId})
    and (${bearerType} is null or ${bearerType} = iif(user_id is null, 'application', 'user'))
    and (${expired} is null or ${expired} = coalesce(expires_at <= ${filter.now}, 0))`;
  return listPage(db, { table: 'api_keys', key: 'access_key', columns: COLUMNS, where }, page);
}

const changeable = (accessKey: string, { writable, owned }: Access) =>
  sql`access_key = ${accessKey} and ${among('organization_id', writable)}
    and (not ${OF_OWNER} or ${among('organization_id', owned)})`;

/**
 * Changes an API key. Returns the resulting row if the caller can see it, else null. If the new default project is not
 * an active project of the key's organization, nothing changes, and the returned row has another default project.
 */
export async function updateApiKey(
  db: Database,
  change: Change,
  accessKey: string,
  access: Access,
  fields: ApiKeyFields,
): Promise<ApiKey | null> {
  const description = sql`coalesce(${fields.description ?? null}, description)`;
  const project = sql`coalesce(${fields.defaultProjectId ?? null}, default_project_id)`;
  const expiresAt = sql`coalesce(${fields.expiresAt ?? null}, expires_at)`;
  const changing = sql`${changeable(accessKey, access)}
    and (description <> ${description} or default_project_id <> ${project} or expires_at is not ${expiresAt})
    and (default_project_id = ${project} or exists (select 1 from projects where projects.id = ${project}
      and projects.organization_id = api_keys.organization_id and projects.status = 'active'))`;
  const [, , rows] = await db.batch(
    auditStatement(
      change,
      { ...auditedKey, action: 'update', before: API_KEY, after: described(description, project, expiresAt) },
      sql`from api_keys where ${changing}`,
    ),
    sql`update api_keys set description = ${description}, default_project_id = ${project},
        expires_at = ${expiresAt}, updated_at = max(${change.now}, updated_at + 1)
      where ${changing}`,
    selecting(sql`access_key = ${accessKey} and ${among('organization_id', access.readable)}`),
  );
  return rowsOf<ApiKey>(rows)[0] ?? null;
}

/** Deletes an API key if the caller can. Returns the previous row if the caller can see it, else null. */
export async function deleteApiKey(
  db: Database,
  change: Change,
  accessKey: string,
  access: Access,
): Promise<ApiKey | null> {
  const [rows] = await db.batch(
    selecting(sql`access_key = ${accessKey} and ${among('organization_id', access.readable)}`),
    auditStatement(
      change,
      { ...auditedKey, action: 'delete', before: API_KEY },
      sql`from api_keys where ${changeable(accessKey, access)}`,
    ),
    sql`delete from api_keys where ${changeable(accessKey, access)}`,
  );
  return rowsOf<ApiKey>(rows)[0] ?? null;
}

/** Records when an API key was last used, in milliseconds since the epoch. */
export async function noteApiKeyUse(db: Database, accessKey: string, now: number): Promise<void> {
  await db.all(sql`update api_keys set last_used_at = ${now} where access_key = ${accessKey}`);
}
