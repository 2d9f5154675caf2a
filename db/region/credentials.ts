/**
 * The credentials of all products in a region. Each change is one batch with its counts and its audit row; the
 * statements check all conditions, so that concurrent changes always leave a valid state.
 */
import { type SQL, sql } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { type AuditContext, auditStatement, ROW_COLUMNS } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import {
  type IdempotencyRecord,
  type IdempotentRequest,
  insertIdempotencyRecord,
  notReplayed,
  selectIdempotencyRecord,
} from '../idempotency.ts';
import type { Listed, Page } from '../page.ts';
import { PRODUCT_IDS, type ProductId } from '../products.ts';
import { EXPIRY_MARGIN_S, REVOCATIONS } from './account-sync.ts';
import {
  inProjects,
  isAllowedExpiry,
  type LatestExpiries,
  listFiltered,
  listPage,
  projectScopes,
} from './fragments.ts';
import { ALL_PERMISSIONS } from './permissions.ts';
import { credentials, type rotations } from './schema.ts';

export type Credential = typeof credentials.$inferSelect & {
  /** The rotation in progress, as JSON: {@link Rotation}. */
  rotation: string | null;
};

/** A rotation in progress. Times are milliseconds since the epoch. */
export type Rotation = Pick<
  typeof rotations.$inferSelect,
  'previousKey' | 'startedAt' | 'firstUsedAt' | 'previousLastUsedAt' | 'endsAt'
>;

/** The time in SQL when the current key of credentials was issued, in milliseconds since the epoch. */
export const ISSUED_AT = sql.raw('coalesce(key_issued_at, created_at)');

/** Identifies several credentials of a product, in the projects that the caller can use. */
export interface CredentialsRef {
  ids: readonly string[];
  product: ProductId;
  projectIds: readonly string[];
  /** Only if they are due: disabled until `now`, or expired before `expired`. Milliseconds since the epoch. */
  due?: { now: number; expired: number };
}

/** Identifies credentials of a product, in the projects that the caller can use. */
export type CredentialRef = Omit<CredentialsRef, 'ids'> & { id: string };

const asSeveral = ({ id, ...ref }: CredentialRef): CredentialsRef => ({ ...ref, ids: [id] });

/** New credentials. Organization and project come from their NATS account or activation. */
export type NewCredential = Pick<
  Credential,
  | 'id'
  | 'product'
  | 'natsAccountId'
  | 'natsRoleId'
  | 'name'
  | 'key'
  | 'sealedSecret'
  | 'sealingKeyId'
  | 'checksum'
  | 'permissions'
  | 'createdAt'
  | 'expiresAt'
  | 'description'
  | 'tags'
  | 'resources'
  | 'sourceIps'
  | 'createdByType'
  | 'createdById'
  | 'createdByName'
>;

/** Returns the condition that a row is one of the credentials. */
export const matching = (ref: CredentialRef | CredentialsRef): SQL => {
  const { product, projectIds, due } = ref;
  const isDue = due ? sql`(revoke_at <= ${due.now} or expires_at < ${due.expired})` : sql`true`;
  const [id, ...others] = 'id' in ref ? [ref.id] : ref.ids;
  const identified =
    others.length === 0
      ? sql`id = ${id ?? ''}`
      : sql`id in (select value from json_each(${JSON.stringify([id, ...others])}))`;
  return sql`${identified} and product = ${product} and ${inProjects(projectIds)} and ${isDue}`;
};

/** The audit columns that come from the credentials' own row. */
export const auditedRow = { ...ROW_COLUMNS, resource: sql.raw(`product || '_credentials'`) };

/** The counters of credentials: each product's id. */
const EVERY_PRODUCT = sql.raw(PRODUCT_IDS.map((id) => `'${id}'`).join(', '));

/** The columns of credentials that a change can set. */
type Editable = Pick<
  Credential,
  | 'description'
  | 'tags'
  | 'resources'
  | 'sourceIps'
  | 'expiresAt'
  | 'disabledAt'
  | 'disabledReason'
  | 'revokeAt'
> & { name: string; permissions: number | null };

/** Returns credentials as the audit trail shows them: name, permissions, and what else they have. */
function audited(columns: { [Column in keyof Editable]?: SQL } = {}): SQL {
  const of = (column: keyof Editable) => columns[column] ?? sql.raw(toSnakeCase(column));
  const time = (column: keyof Editable) =>
    sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${of(column)} / 1000.0, 'unixepoch')`;
  // A merge patch leaves out the members that are null.
  return sql`json_patch(json_object('name', ${of('name')}, 'permissions', ${of('permissions')}), json_object(
    'nats_role_id', nats_role_id, 'description', nullif(${of('description')}, ''), 'tags', json(nullif(${of('tags')}, '[]')),
    'resources', json(${of('resources')}), 'source_ips', json(${of('sourceIps')}),
    'expires_at', ${time('expiresAt')}, 'disabled_at', ${time('disabledAt')},
    'disabled_reason', ${of('disabledReason')}, 'revoke_at', ${time('revokeAt')}))`;
}

/** Credentials as the audit trail shows them, for a statement over their table. */
export const AUDITED = audited();

/** Credentials as the audit trail shows them, with a key, and whether a caller created it. */
export const withKey = (key: SQL, fromCaller = false) =>
  sql`json_patch(${AUDITED}, json_object('key', ${key}, 'key_from', ${fromCaller ? 'caller' : null}))`;

/** The column `rotation` of {@link Credential}. */
const rotationOf = (table: string) =>
  sql.raw(`(select json_object('previousKey', previous_key, 'startedAt', started_at, 'firstUsedAt', first_used_at,
    'previousLastUsedAt', previous_last_used_at, 'endsAt', ends_at)
    from rotations where credential_id = ${table}.id) as rotation`);

/** Returns the statement that reads the credentials in `where`, as {@link Credential}. */
export const selectWhere = (where: SQL) =>
  sql`select ${columnsOf(credentials, 'credentials')}, ${rotationOf('credentials')} from credentials where ${where}`;

/** The condition that no NATS user ever had a key. */
export const neverUsed = (key: string) => sql`not exists (select 1 from nats_user_keys where key = ${key})`;

/**
 * Returns the statement that records the key of NATS credentials in `where` as used. It fails if the key was used before:
 * check {@link neverUsed} in the same batch.
 */
export const recordKey = (where: SQL): SQL =>
  sql`insert into nats_user_keys (key) select key from credentials where ${where} and nats_account_id is not null`;

/** Why credentials were not created; `current` is the number that reached the limit. */
export type CreationFailure =
  | { ok: false; reason: 'no_parent' }
  | { ok: false; reason: 'no_role' }
  | { ok: false; reason: 'key_used' }
  | { ok: false; reason: 'expiry'; organizationId: string }
  | { ok: false; reason: 'replayed'; record: IdempotencyRecord }
  | { ok: false; reason: 'full' | 'quota'; projectId: string; current: number };

/**
 * Creates credentials in their NATS account, or in the one project of `projectIds` if the product is activated there.
 * Fails with `no_parent` if these projects have no such account or activation, with `no_role` if the account has no such
 * role, with `expiry` if the organization does not allow their expiry, with `full` if the account has had as many
 * credentials as its revocation list can hold, with `quota` if the project has that many, and with `replayed` if the
 * idempotency key was used before. `keyFromCaller` says whether a NATS user's key is the caller's: it fails with `key_used`
 * if it ever belonged to credentials in this region.
 */
export async function createCredential(
  db: Database,
  audit: AuditContext,
  credential: NewCredential,
  limits: {
    keyFromCaller: boolean;
    projectIds: readonly string[];
    maxRevocations: number;
    quota: number;
    latest: LatestExpiries;
    idempotency: IdempotentRequest | null;
  },
): Promise<{ ok: true; row: Credential } | CreationFailure> {
  const { keyFromCaller, projectIds, maxRevocations, quota, latest, idempotency } = limits;
  const c = credential;
  const created = sql`exists (select 1 from credentials where id = ${c.id})`;
  const parent =
    c.natsAccountId === null
      ? sql`services where product = ${c.product} and status = 'enabled' and ${inProjects(projectIds)}`
      : sql`nats_accounts where id = ${c.natsAccountId} and deleted_at is null and ${inProjects(projectIds)}`;
  const held = sql`(select coalesce(sum(value), 0) from counts
    where scope = ${c.natsAccountId} and resource in (${c.product}, ${REVOCATIONS}))`;
  const heldInProject = sql`(select coalesce(sum(value), 0) from counts
    where scope = project_id and resource in (${EVERY_PRODUCT}))`;
  const hasRole = sql`(${c.natsRoleId} is null or exists (
    select 1 from nats_roles where id = ${c.natsRoleId} and nats_account_id = ${c.natsAccountId}))`;
  const allowed = isAllowedExpiry(sql`${c.expiresAt}`, latest);
  const [, , , , rows, parents, , replayed] = await db.batch(
    sql`insert into credentials (id, product, organization_id, project_id, nats_account_id, nats_role_id, name, key,
        sealed_secret, sealing_key_id, checksum, permissions, created_at, updated_at, expires_at, description,
        tags, resources, source_ips, created_by_type, created_by_id, created_by_name)
      select ${c.id}, ${c.product}, organization_id, project_id, ${c.natsAccountId}, ${c.natsRoleId}, ${c.name}, ${c.key},
        ${c.sealedSecret}, ${c.sealingKeyId}, ${c.checksum}, ${c.permissions}, ${c.createdAt}, ${c.createdAt},
        ${c.expiresAt}, ${c.description}, ${c.tags}, ${c.resources},
        ${c.sourceIps}, ${c.createdByType}, ${c.createdById}, ${c.createdByName}
      from ${parent} and ${held} < ${maxRevocations} and ${heldInProject} < ${quota} and ${hasRole}
        and ${allowed} and ${neverUsed(c.key)} and ${notReplayed(idempotency)}`,
    sql`insert into counts (scope, resource, value)
      select scope.value, product, 1
      from credentials, json_each(json_array(project_id, nats_account_id)) as scope
      where credentials.id = ${c.id} and scope.value is not null and changes() > 0
      on conflict (scope, resource) do update set value = value + 1`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: keyFromCaller ? withKey(sql.raw('key'), true) : AUDITED },
      sql`from credentials where id = ${c.id} and changes() > 0`,
    ),
    recordKey(sql`id = ${c.id}`),
    selectWhere(sql`id = ${c.id}`),
    sql`select organization_id as "organizationId", project_id as "projectId", ${held} as held,
      ${heldInProject} as "heldInProject", ${hasRole} as "hasRole", ${allowed} as allowed,
      not ${neverUsed(c.key)} as used from ${parent}`,
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, c.id, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<Credential>(rows)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const [found] = rowsOf<{
    organizationId: string;
    projectId: string;
    held: number;
    heldInProject: number;
    hasRole: 0 | 1;
    allowed: 0 | 1;
    used: 0 | 1;
  }>(parents);
  if (!found) return { ok: false, reason: 'no_parent' };
  if (!found.hasRole) return { ok: false, reason: 'no_role' };
  if (!found.allowed) return { ok: false, reason: 'expiry', organizationId: found.organizationId };
  if (found.used) return { ok: false, reason: 'key_used' };
  const { projectId, held: ofAccount, heldInProject: ofProject } = found;
  return ofAccount >= maxRevocations
    ? { ok: false, reason: 'full', projectId, current: ofAccount }
    : { ok: false, reason: 'quota', projectId, current: ofProject };
}

/** Returns those of the credentials that these projects have. */
export function getCredentials(db: Database, ref: CredentialsRef): Promise<Credential[]> {
  return db.all<Credential>(selectWhere(matching(ref)));
}

/** Returns the credentials, or null if these projects have none with that id. */
export async function getCredential(db: Database, ref: CredentialRef): Promise<Credential | null> {
  const rows = await db.all<Credential>(selectWhere(matching(ref)));
  return rows[0] ?? null;
}

/**
 * Returns the credentials with this key, or whose secret has this checksum; the previous one counts while they are
 * rotated. Returns null if there are none of these products in these projects.
 */
export async function findCredential(
  db: Database,
  by: 'key' | 'checksum',
  value: string,
  scopes: readonly { product: ProductId; projectIds: readonly string[] }[],
): Promise<Credential | null> {
  const within = scopes.map(
    ({ product, projectIds }) => sql`product = ${product} and ${inProjects(projectIds)}`,
  );
  const rows = await db.all<Credential>(
    selectWhere(sql`(${sql.identifier(by)} = ${value} or id in (select credential_id from rotations
        where ${sql.raw(by === 'key' ? 'previous_key' : 'checksum')} = ${value}))
      and ((${sql.join(within, sql`) or (`)}))`),
  );
  return rows[0] ?? null;
}

/** Restricts a list of credentials; undefined members restrict nothing. */
export interface CredentialFilter {
  /** A part of the name, in any case. */
  name?: string | undefined;
  /** Tags that the credentials all have. */
  tags?: readonly string[] | undefined;
  status?: 'enabled' | 'disabled' | 'expired' | undefined;
  key?: string | undefined;
  natsRoleId?: string | undefined;
  createdById?: string | undefined;
  /** Milliseconds since the epoch. */
  expiresBefore?: number | undefined;
  /** Milliseconds since the epoch. Credentials that were never used count as used before. */
  lastUsedBefore?: number | undefined;
  /** Milliseconds since the epoch. */
  createdBefore?: number | undefined;
}

/**
 * Returns a page of a product's credentials in the projects, or in one NATS account. Without a filter, the cost depends
 * on the page only. A filter, or an order by last use or expiry, reads every row of the projects, which their quota
 * bounds.
 */
export function listCredentials(
  db: Database,
  product: ProductId,
  within: { projectIds: readonly string[]; natsAccountId: string | undefined },
  filter: CredentialFilter & { now: number },
  page: Page,
): Promise<Listed<Credential>> {
  const { projectIds, natsAccountId } = within;
  const ofAccount = sql`(select id as value from nats_accounts
    where id = ${natsAccountId ?? null} and deleted_at is null and ${inProjects(projectIds)})`;
  const list = {
    table: credentials,
    name: 'credentials',
    more: rotationOf,
    where: sql`nth.product = ${product}`,
    resource: product,
    ...(natsAccountId === undefined
      ? { scopes: projectScopes(projectIds), column: 'project_id' }
      : { scopes: ofAccount, column: 'nats_account_id' }),
  };
  const conditions = conditionsOf(filter);
  const indexed = conditions.length === 0 && page.by !== 'last_used_at' && page.by !== 'expires_at';
  if (indexed) return listPage<Credential>(db, list, page);
  return listFiltered<Credential>(
    db,
    { ...list, where: sql.join([list.where, ...conditions], sql` and `) },
    page,
  );
}

function conditionsOf(filter: CredentialFilter & { now: number }): SQL[] {
  const expired = sql`(nth.expires_at is not null and nth.expires_at <= ${filter.now})`;
  const statuses = {
    enabled: sql`(not ${expired} and nth.disabled_at is null)`,
    disabled: sql`(not ${expired} and nth.disabled_at is not null)`,
    expired,
  };
  return [
    filter.name !== undefined && sql`instr(lower(nth.name), lower(${filter.name})) > 0`,
    filter.tags !== undefined &&
      sql`not exists (select 1 from json_each(${JSON.stringify(filter.tags)}) wanted
        where wanted.value not in (select value from json_each(nth.tags)))`,
    filter.status !== undefined && statuses[filter.status],
    filter.key !== undefined &&
      sql`(nth.key = ${filter.key}
        or nth.id in (select credential_id from rotations where previous_key = ${filter.key}))`,
    filter.natsRoleId !== undefined && sql`nth.nats_role_id = ${filter.natsRoleId}`,
    filter.createdById !== undefined && sql`nth.created_by_id = ${filter.createdById}`,
    filter.expiresBefore !== undefined && sql`nth.expires_at < ${filter.expiresBefore}`,
    filter.lastUsedBefore !== undefined && sql`coalesce(nth.last_used_at, 0) < ${filter.lastUsedBefore}`,
    filter.createdBefore !== undefined && sql`nth.created_at < ${filter.createdBefore}`,
  ].filter((condition) => condition !== false);
}

/** An update; undefined keeps a value. `set` and `clear` are permission bits. */
export interface CredentialUpdate {
  name: string | undefined;
  set: number;
  clear: number;
  description: string | undefined;
  /** A JSON array of texts. */
  tags: string | undefined;
  /** A JSON array of name patterns; null for all. */
  resources: string | null | undefined;
  /** A JSON array of CIDR blocks; null for anywhere. */
  sourceIps: string | null | undefined;
  /** Milliseconds since the epoch; null for never. */
  expiresAt: number | null | undefined;
}

/**
 * Updates credentials, permissions bit by bit in SQL, so that concurrent updates merge. An update without changes writes
 * nothing. Fails with `not_found`, with `no_permission` if none would be left, and with `expiry` if the organization does
 * not allow the new expiry.
 */
export async function updateCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  update: CredentialUpdate,
  latest: LatestExpiries,
): Promise<
  | { ok: true; row: Credential }
  | { ok: false; reason: 'not_found' | 'no_permission' }
  | { ok: false; reason: 'expiry'; organizationId: string }
> {
  const either = (value: unknown, column: string) => (value === undefined ? sql.raw(column) : sql`${value}`);
  const columns = {
    name: either(update.name, 'name'),
    permissions: sql`((permissions & ${ALL_PERMISSIONS & ~update.clear}) | ${update.set})`,
    description: either(update.description, 'description'),
    tags: either(update.tags, 'tags'),
    resources: either(update.resources, 'resources'),
    sourceIps: either(update.sourceIps, 'source_ips'),
    expiresAt: either(update.expiresAt, 'expires_at'),
  };
  const pairs = Object.entries(columns).map(
    ([column, value]) => [sql.raw(toSnakeCase(column)), value] as const,
  );
  const differing = pairs.map(([column, value]) => sql`${column} is not ${value}`);
  const allowed = sql`(expires_at is ${columns.expiresAt} or ${isAllowedExpiry(columns.expiresAt, latest)})`;
  const changing = sql`${matching(ref)} and (${sql.join(differing, sql` or `)}) and ${allowed}`;
  const assignments = pairs.map(([column, value]) => sql`${column} = ${value}`);
  try {
    const [, , rows] = await db.batch(
      auditStatement(
        audit,
        { ...auditedRow, action: 'update', before: AUDITED, after: audited(columns) },
        sql`from credentials where ${changing}`,
      ),
      sql`update credentials set ${sql.join(assignments, sql`, `)},
        version = version + (permissions & ~${columns.permissions} <> 0 or resources is not ${columns.resources}
          or source_ips is not ${columns.sourceIps}),
        updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
      selectWhere(matching(ref)),
    );
    const row = rowsOf<Credential>(rows)[0];
    if (!row) return { ok: false, reason: 'not_found' };
    const refused = update.expiresAt !== undefined && update.expiresAt !== row.expiresAt;
    return refused ? { ok: false, reason: 'expiry', organizationId: row.organizationId } : { ok: true, row };
  } catch (error) {
    const refused =
      error instanceof Error && error.message.includes('CHECK constraint failed: credentials_permissions');
    if (refused) return { ok: false, reason: 'no_permission' };
    throw error;
  }
}

/** Why and for how long credentials are disabled. */
export interface Disabling {
  reason: string | null;
  /** When they are revoked, in milliseconds since the epoch; null for never. */
  revokeAt: number | null;
}

/** Like {@link disableCredentials} for one id. Returns the row, or null if these projects have none with that id. */
export async function disableCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  disabling: Disabling | null,
): Promise<Credential | null> {
  const { rows } = await disableCredentials(db, audit, asSeveral(ref), disabling);
  return rows[0] ?? null;
}

/**
 * Disables credentials, or enables them if `disabling` is null. A NATS user is rejected by a revocation that is taken
 * back. Without a change nothing is written. Returns the rows that these projects have, and the ids of those that changed.
 */
export async function disableCredentials(
  db: Database,
  audit: AuditContext,
  ref: CredentialsRef,
  disabling: Disabling | null,
): Promise<{ rows: Credential[]; changed: string[] }> {
  const columns = {
    disabledAt: disabling ? sql`coalesce(disabled_at, ${audit.now})` : sql`null`,
    disabledReason: sql`${disabling?.reason ?? null}`,
    revokeAt: sql`${disabling?.revokeAt ?? null}`,
  };
  const pairs = Object.entries(columns).map(
    ([column, value]) => [sql.raw(toSnakeCase(column)), value] as const,
  );
  const differing = pairs.map(([column, value]) => sql`${column} is not ${value}`);
  const changing = sql`${matching(ref)} and (${sql.join(differing, sql` or `)})`;
  const assignments = pairs.map(([column, value]) => sql`${column} = ${value}`);
  const switching = sql`${matching(ref)} and disabled_at is ${sql.raw(disabling ? 'null' : 'not null')}`;
  // Both keys while they are rotated.
  const users = sql`select nats_account_id, key, ${ISSUED_AT} / 1000 as issued_at, expires_at / 1000 as expires_at
      from credentials where ${switching} and nats_account_id is not null
    union all select nats_account_id, previous_key, issued_at / 1000, expires_at / 1000
      from rotations join credentials on id = credential_id where ${switching} and nats_account_id is not null`;
  const [changed, , , , , rows] = await db.batch(
    sql`select id from credentials where ${changing}`,
    auditStatement(
      audit,
      { ...auditedRow, action: disabling ? 'disable' : 'enable', before: AUDITED, after: audited(columns) },
      sql`from credentials where ${changing}`,
    ),
    disabling
      ? sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
          select nats_account_id, key, issued_at, issued_at, expires_at from (${users}) where true
          on conflict do nothing`
      : sql`delete from nats_revocations
          where (account_id, user_key) in (select nats_account_id, key from (${users}))`,
    sql`update nats_accounts
      set revision = revision + 1, issued_at = max(${Math.floor(audit.now / 1000)}, issued_at + 1)
      where id in (select nats_account_id from (${users}))`,
    sql`update credentials set ${sql.join(assignments, sql`, `)},
      version = version + (disabled_at is null), updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
    selectWhere(matching(ref)),
  );
  return { rows: rowsOf<Credential>(rows), changed: rowsOf<{ id: string }>(changed).map(({ id }) => id) };
}

/** Revoked credentials, with the rotation that was in progress. */
export type RevokedCredential = Pick<Credential, 'id' | 'key' | 'natsAccountId' | 'rotation'>;

/** Like {@link revokeCredentials} for one id. Returns null if these projects have none with that id. */
export async function revokeCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
): Promise<RevokedCredential | null> {
  return (await revokeCredentials(db, audit, asSeveral(ref)))[0] ?? null;
}

/**
 * Deletes credentials. NATS users whose JWT a server can still accept are also added to their account's revocations, with
 * a time not before their creation, so that the next account JWT rejects them. Returns the revoked ones.
 */
export async function revokeCredentials(
  db: Database,
  audit: AuditContext,
  ref: CredentialsRef,
): Promise<RevokedCredential[]> {
  const seconds = Math.floor(audit.now / 1000);
  const user = sql`${matching(ref)} and nats_account_id is not null
    and coalesce(expires_at / 1000, ${seconds}) >= ${seconds - EXPIRY_MARGIN_S}`;
  const [found] = await db.batch(
    selectWhere(matching(ref)),
    auditStatement(
      audit,
      { ...auditedRow, action: 'revoke', before: AUDITED },
      sql`from credentials where ${matching(ref)}`,
    ),
    revokeUsers(
      sql`select nats_account_id, key, ${ISSUED_AT} / 1000 as issued_at, expires_at / 1000 as expires_at
        from credentials where ${user}
      union all select nats_account_id, previous_key, issued_at / 1000, expires_at / 1000
        from rotations join credentials on id = credential_id where ${user}`,
      seconds,
    ),
    // The previous key of a rotation is counted since the rotation started.
    sql`insert into counts (scope, resource, value)
      select nats_account_id, ${REVOCATIONS}, count(*)
      from credentials where ${user} group by nats_account_id
      on conflict (scope, resource) do update set value = value + excluded.value`,
    sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1)
      where id in (select nats_account_id from credentials where ${user})`,
    sql`update counts set value = value - gone.number
      from (select scope, count(*) as number from (
        select project_id as scope from credentials where ${matching(ref)}
        union all select nats_account_id from credentials where ${matching(ref)}) group by scope) gone
      where resource = ${ref.product} and counts.scope = gone.scope`,
    deleteRotations(matching(ref)),
    sql`delete from credentials where ${matching(ref)}`,
  );
  return rowsOf<Credential>(found);
}

/**
 * Returns the statement that revokes NATS users: rows of `nats_account_id`, `key`, `issued_at` and `expires_at`, in
 * seconds. The time is not before their creation, so that the next account JWT rejects them.
 */
export function revokeUsers(users: SQL, seconds: number): SQL {
  return sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
    select nats_account_id, key, max(${seconds}, issued_at), issued_at, expires_at from (${users}) where true
    on conflict (account_id, user_key) do update set revoked_at = max(revoked_at, excluded.revoked_at)`;
}

/** Returns the statement that deletes the rotations of the credentials in `where`. Place it before these are deleted. */
export function deleteRotations(where: SQL): SQL {
  return sql`delete from rotations where credential_id in (select id from credentials where ${where})`;
}

/** Credentials that the schedule must end. */
export type DueCredential = Pick<Credential, 'id' | 'product' | 'projectId' | 'natsAccountId'>;

/** The columns of {@link DueCredential}. */
export const DUE_COLUMNS = sql.raw(
  'id, product, project_id as "projectId", nats_account_id as "natsAccountId"',
);

/** Returns at most `limit` disabled credentials that are due to be revoked, and credentials that expired before `expired`. */
export function listDueCredentials(
  db: Database,
  now: number,
  expired: number,
  limit: number,
): Promise<DueCredential[]> {
  return db.all<DueCredential>(sql`select * from (
      select ${DUE_COLUMNS} from credentials where revoke_at <= ${now} order by revoke_at limit ${limit})
    union select * from (
      select ${DUE_COLUMNS} from credentials where expires_at < ${expired} order by expires_at limit ${limit})`);
}
