/**
 * The API keys of users and applications. Only an Owner can change an Owner's key. callers.ts finds the principal of a
 * key in use.
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
import type { Listed, Page } from '../page.ts';
import { type Access, contains, inList, inListIfPresent, listPage } from './fragments.ts';
import { apiKeys } from './schema.ts';

export type ApiKey = typeof apiKeys.$inferSelect & {
  /** 1 if the key belongs to a user who is an Owner of its organization. */
  ofOwner: 0 | 1;
};

/** A new key. Its organization is the principal's. */
export interface NewApiKey {
  accessKey: string;
  secretHash: string;
  principal: { type: 'user' | 'application'; id: string };
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
 * The created key, or why there is none. `no_principal`: no such principal where the caller can create keys. `of_owner`:
 * the principal is an Owner and the caller is not. `ambiguous`: the user belongs to several such organizations.
 * `no_project`: no active project. `replayed`: the idempotency key was already used.
 */
export type CreatedApiKey =
  | { ok: true; row: ApiKey }
  | { ok: false; reason: 'no_principal' | 'of_owner' | 'ambiguous' | 'no_project' }
  | { ok: false; reason: 'replayed'; record: IdempotencyRecord };

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

const selectWhere = (where: SQL) => sql`select ${COLUMNS} from api_keys where ${where}`;

/**
 * Returns the organizations where the caller can create a key for this principal. `protected` marks those where only an
 * Owner can.
 */
function principalsOf({ type, id }: NewApiKey['principal'], access: Access): SQL {
  const where = sql`joined_at is not null and ${inList('organization_id', access.writable)}`;
  return type === 'user'
    ? sql`(select organization_id, role = 'owner' and not ${inList('organization_id', access.owned)} as protected
        from memberships where user_id = ${id} and ${where})`
    : sql`(select organization_id, 0 as protected from applications
        where id = ${id} and ${inList('organization_id', access.writable)})`;
}

/** Creates a key in the principal's one organization, if the caller can. */
export async function createApiKey(
  db: Database,
  audit: AuditContext,
  key: NewApiKey,
  access: Access,
  idempotency: IdempotentRequest | null,
): Promise<CreatedApiKey> {
  const created = sql`exists (select 1 from api_keys where access_key = ${key.accessKey})`;
  const principals = principalsOf(key.principal, access);
  const [userId, applicationId] =
    key.principal.type === 'user' ? [key.principal.id, null] : [null, key.principal.id];
  const [, , made, found, , replayed] = await db.batch(
    sql`insert into api_keys (access_key, secret_hash, organization_id, user_id, application_id, description,
        default_project_id, expires_at, creation_address, created_at, updated_at)
      select ${key.accessKey}, ${key.secretHash}, organization_id, ${userId}, ${applicationId}, ${key.description},
        projects.id, ${key.expiresAt}, ${audit.address}, ${audit.now}, ${audit.now}
      from projects join ${principals} as principal using (organization_id)
      where not principal.protected and projects.status = 'active' and (select count(*) from ${principals}) = 1
        and projects.id = coalesce(${key.defaultProjectId}, projects.id) and ${notReplayed(idempotency)}
      order by projects.created_at, projects.id limit 1`,
    auditStatement(
      audit,
      { ...auditedKey, action: 'create', after: API_KEY },
      sql`from api_keys where access_key = ${key.accessKey}`,
    ),
    selectWhere(sql`access_key = ${key.accessKey}`),
    sql`select protected from ${principals}`,
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, key.accessKey, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<ApiKey>(made)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const [principal, other] = rowsOf<{ protected: 0 | 1 }>(found);
  if (!principal) return { ok: false, reason: 'no_principal' };
  if (other) return { ok: false, reason: 'ambiguous' };
  return { ok: false, reason: principal.protected ? 'of_owner' : 'no_project' };
}

/** Returns the API key, or null if these organizations have no such access key. */
export async function getApiKey(
  db: Database,
  accessKey: string,
  organizationIds: readonly string[],
): Promise<ApiKey | null> {
  const rows = await db.all<ApiKey>(
    selectWhere(sql`access_key = ${accessKey} and ${inList('organization_id', organizationIds)}`),
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
    principalId: string | undefined;
    principalType: 'user' | 'application' | undefined;
    description: string | undefined;
    expired: boolean | undefined;
    /** Milliseconds since the epoch. */
    now: number;
  },
  page: Page,
): Promise<Listed<ApiKey>> {
  const {
    userId = null,
    applicationId = null,
    principalId = null,
    principalType = null,
    expired = null,
  } = filter;
  const where = sql`${inList('organization_id', filter.organizationIds)}
    and ${inListIfPresent('access_key', filter.accessKeys)} and ${contains('access_key', filter.accessKey)}
    and ${contains('description', filter.description)}
    and (${userId} is null or user_id = ${userId})
    and (${applicationId} is null or application_id = ${applicationId})
    and (${principalId} is null or coalesce(user_id, application_id) = ${principalId})
    and (${principalType} is null or ${principalType} = iif(user_id is null, 'application', 'user'))
    and (${expired} is null or ${expired} = coalesce(expires_at <= ${filter.now}, 0))`;
  return listPage(db, { table: 'api_keys', key: 'access_key', columns: COLUMNS, where }, page);
}

const changeable = (accessKey: string, { writable, owned }: Access) =>
  sql`access_key = ${accessKey} and ${inList('organization_id', writable)}
    and (not ${OF_OWNER} or ${inList('organization_id', owned)})`;

/**
 * Changes an API key. Returns the resulting row if the caller can see it, else null. If the new default project is not
 * an active project of the key's organization, nothing changes, and the returned row has another default project.
 */
export async function updateApiKey(
  db: Database,
  audit: AuditContext,
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
      audit,
      { ...auditedKey, action: 'update', before: API_KEY, after: described(description, project, expiresAt) },
      sql`from api_keys where ${changing}`,
    ),
    sql`update api_keys set description = ${description}, default_project_id = ${project},
        expires_at = ${expiresAt}, updated_at = max(${audit.now}, updated_at + 1)
      where ${changing}`,
    selectWhere(sql`access_key = ${accessKey} and ${inList('organization_id', access.readable)}`),
  );
  return rowsOf<ApiKey>(rows)[0] ?? null;
}

/** Deletes an API key if the caller can. Returns the previous row if the caller can see it, else null. */
export async function deleteApiKey(
  db: Database,
  audit: AuditContext,
  accessKey: string,
  access: Access,
): Promise<ApiKey | null> {
  const [rows] = await db.batch(
    selectWhere(sql`access_key = ${accessKey} and ${inList('organization_id', access.readable)}`),
    auditStatement(
      audit,
      { ...auditedKey, action: 'delete', before: API_KEY },
      sql`from api_keys where ${changeable(accessKey, access)}`,
    ),
    sql`delete from api_keys where ${changeable(accessKey, access)}`,
  );
  return rowsOf<ApiKey>(rows)[0] ?? null;
}

/** Records when an API key was last used, in milliseconds since the epoch. */
export async function recordApiKeyUse(db: Database, accessKey: string, now: number): Promise<void> {
  await db.all(sql`update api_keys set last_used_at = ${now} where access_key = ${accessKey}`);
}
