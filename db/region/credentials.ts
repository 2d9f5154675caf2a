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
import { inProjects, listFiltered, listPage, projectScopes } from './fragments.ts';
import { ALL_PERMISSIONS } from './permissions.ts';
import { credentials } from './schema.ts';

export type Credential = typeof credentials.$inferSelect;

/** Identifies credentials of a product, in the projects that the caller can use. */
export interface CredentialRef {
  id: string;
  product: ProductId;
  projectIds: readonly string[];
  /** Only if they are due: disabled until `now`, or expired before `expired`. Milliseconds since the epoch. */
  due?: { now: number; expired: number };
}

/** New credentials. Organization and project come from their NATS account or activation. */
export type NewCredential = Pick<
  Credential,
  | 'id'
  | 'product'
  | 'natsAccountId'
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

const matching = ({ id, product, projectIds, due }: CredentialRef): SQL => {
  const isDue = due ? sql`(revoke_at <= ${due.now} or expires_at < ${due.expired})` : sql`true`;
  return sql`id = ${id} and product = ${product} and ${inProjects(projectIds)} and ${isDue}`;
};

/** The audit columns that come from the credentials' own row. */
const auditedRow = { ...ROW_COLUMNS, resource: sql.raw(`product || '_credentials'`) };

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
    'description', nullif(${of('description')}, ''), 'tags', json(nullif(${of('tags')}, '[]')),
    'resources', json(${of('resources')}), 'source_ips', json(${of('sourceIps')}),
    'expires_at', ${time('expiresAt')}, 'disabled_at', ${time('disabledAt')},
    'disabled_reason', ${of('disabledReason')}, 'revoke_at', ${time('revokeAt')}))`;
}

/** Credentials as the audit trail shows them, for a statement over their table. */
export const AUDITED = audited();

const selectWhere = (where: SQL) =>
  sql`select ${columnsOf(credentials, 'credentials')} from credentials where ${where}`;

/** Why credentials were not created; `current` is the number that reached the limit. */
export type CreationFailure =
  | { ok: false; reason: 'no_parent' }
  | { ok: false; reason: 'replayed'; record: IdempotencyRecord }
  | { ok: false; reason: 'full' | 'quota'; projectId: string; current: number };

/**
 * Creates credentials in their NATS account, or in the one project of `projectIds` if the product is activated there.
 * Fails with `no_parent` if these projects have no such account or activation, with `full` if the account has had as
 * many credentials as its revocation list can hold, with `quota` if the project has that many, and with `replayed` if
 * the idempotency key was used before.
 */
export async function createCredential(
  db: Database,
  audit: AuditContext,
  credential: NewCredential,
  limits: {
    projectIds: readonly string[];
    maxRevocations: number;
    quota: number;
    idempotency: IdempotentRequest | null;
  },
): Promise<{ ok: true; row: Credential } | CreationFailure> {
  const { projectIds, maxRevocations, quota, idempotency } = limits;
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
  const [, , , rows, parents, , replayed] = await db.batch(
    sql`insert into credentials (id, product, organization_id, project_id, nats_account_id, name, key,
        sealed_secret, sealing_key_id, checksum, permissions, created_at, updated_at, expires_at, description,
        tags, resources, source_ips, created_by_type, created_by_id, created_by_name)
      select ${c.id}, ${c.product}, organization_id, project_id, ${c.natsAccountId}, ${c.name}, ${c.key},
        ${c.sealedSecret}, ${c.sealingKeyId}, ${c.checksum}, ${c.permissions}, ${c.createdAt}, ${c.createdAt},
        ${c.expiresAt}, ${c.description}, ${c.tags}, ${c.resources},
        ${c.sourceIps}, ${c.createdByType}, ${c.createdById}, ${c.createdByName}
      from ${parent} and ${held} < ${maxRevocations} and ${heldInProject} < ${quota} and ${notReplayed(idempotency)}`,
    sql`insert into counts (scope, resource, value)
      select scope.value, product, 1
      from credentials, json_each(json_array(project_id, nats_account_id)) as scope
      where credentials.id = ${c.id} and scope.value is not null and changes() > 0
      on conflict (scope, resource) do update set value = value + 1`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: AUDITED },
      sql`from credentials where id = ${c.id} and changes() > 0`,
    ),
    selectWhere(sql`id = ${c.id}`),
    sql`select project_id as "projectId", ${held} as held, ${heldInProject} as "heldInProject" from ${parent}`,
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, c.id, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<Credential>(rows)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const [found] = rowsOf<{ projectId: string; held: number; heldInProject: number }>(parents);
  if (!found) return { ok: false, reason: 'no_parent' };
  const { projectId, held: ofAccount, heldInProject: ofProject } = found;
  return ofAccount >= maxRevocations
    ? { ok: false, reason: 'full', projectId, current: ofAccount }
    : { ok: false, reason: 'quota', projectId, current: ofProject };
}

/** Returns the credentials, or null if these projects have none with that id. */
export async function getCredential(db: Database, ref: CredentialRef): Promise<Credential | null> {
  const rows = await db.all<Credential>(selectWhere(matching(ref)));
  return rows[0] ?? null;
}

/** Returns those of the credentials that these projects have, in any order. */
export function getCredentials(
  db: Database,
  { ids, product, projectIds }: Omit<CredentialRef, 'id'> & { ids: readonly string[] },
): Promise<Credential[]> {
  return db.all<Credential>(
    selectWhere(sql`id in (select value from json_each(${JSON.stringify(ids)})) and product = ${product}
      and ${inProjects(projectIds)}`),
  );
}

/**
 * Returns the credentials with this key, or whose secret has this checksum. Returns null if there are none of these
 * products in these projects.
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
    selectWhere(sql`${sql.identifier(by)} = ${value} and ((${sql.join(within, sql`) or (`)}))`),
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
  createdById?: string | undefined;
  /** Milliseconds since the epoch. */
  expiresBefore?: number | undefined;
  /** Milliseconds since the epoch. Credentials that were never used count as used before. */
  lastUsedBefore?: number | undefined;
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
    filter.key !== undefined && sql`nth.key = ${filter.key}`,
    filter.createdById !== undefined && sql`nth.created_by_id = ${filter.createdById}`,
    filter.expiresBefore !== undefined && sql`nth.expires_at < ${filter.expiresBefore}`,
    filter.lastUsedBefore !== undefined && sql`coalesce(nth.last_used_at, 0) < ${filter.lastUsedBefore}`,
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
 * nothing. Fails with `not_found`, or with `no_permission` if none would be left.
 */
export async function updateCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  update: CredentialUpdate,
): Promise<{ ok: true; row: Credential } | { ok: false; reason: 'not_found' | 'no_permission' }> {
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
  const changing = sql`${matching(ref)} and (${sql.join(differing, sql` or `)})`;
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
    return row ? { ok: true, row } : { ok: false, reason: 'not_found' };
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

/**
 * Disables credentials, or enables them if `disabling` is null. A NATS user is rejected by a revocation that is taken
 * back. Without a change nothing is written. Returns the row, or null if these projects have none with that id.
 */
export async function disableCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  disabling: Disabling | null,
): Promise<Credential | null> {
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
  const users = sql`select nats_account_id, key from credentials where ${switching} and nats_account_id is not null`;
  const [, , , , rows] = await db.batch(
    auditStatement(
      audit,
      { ...auditedRow, action: disabling ? 'disable' : 'enable', before: AUDITED, after: audited(columns) },
      sql`from credentials where ${changing}`,
    ),
    disabling
      ? sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
          select nats_account_id, key, created_at / 1000, created_at / 1000, expires_at / 1000
          from credentials where ${switching} and nats_account_id is not null
          on conflict do nothing`
      : sql`delete from nats_revocations where (account_id, user_key) in (${users})`,
    sql`update nats_accounts
      set revision = revision + 1, issued_at = max(${Math.floor(audit.now / 1000)}, issued_at + 1)
      where id in (select nats_account_id from (${users}))`,
    sql`update credentials set ${sql.join(assignments, sql`, `)},
      version = version + (disabled_at is null), updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
    selectWhere(matching(ref)),
  );
  return rowsOf<Credential>(rows)[0] ?? null;
}

/** Revoked credentials. */
export type RevokedCredential = Pick<Credential, 'key' | 'natsAccountId'>;

/**
 * Deletes credentials. NATS users whose JWT a server can still accept are also added to their account's revocations, with
 * a time not before their creation, so that the next account JWT rejects them. Returns the revoked credentials, or null if these projects have none with
 * that id.
 */
export async function revokeCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
): Promise<RevokedCredential | null> {
  const seconds = Math.floor(audit.now / 1000);
  const user = sql`${matching(ref)} and nats_account_id is not null
    and coalesce(expires_at / 1000, ${seconds}) >= ${seconds - EXPIRY_MARGIN_S}`;
  const [, , , , , removed] = await db.batch(
    auditStatement(
      audit,
      { ...auditedRow, action: 'revoke', before: AUDITED },
      sql`from credentials where ${matching(ref)}`,
    ),
    sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
      select nats_account_id, key, max(${seconds}, created_at / 1000), created_at / 1000, expires_at / 1000
      from credentials where ${user}
      on conflict (account_id, user_key) do update set revoked_at = max(revoked_at, excluded.revoked_at)`,
    sql`insert into counts (scope, resource, value)
      select nats_account_id, ${REVOCATIONS}, 1
      from credentials where ${user}
      on conflict (scope, resource) do update set value = value + 1`,
    sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1)
      where id in (select nats_account_id from credentials where ${user})`,
    sql`update counts set value = value - 1
      where resource = ${ref.product} and scope in (
        select project_id from credentials where ${matching(ref)}
        union all select nats_account_id from credentials where ${matching(ref)})`,
    sql`delete from credentials where ${matching(ref)} returning key, nats_account_id as "natsAccountId"`,
  );
  return rowsOf<RevokedCredential>(removed)[0] ?? null;
}

/**
 * Records when credentials were last used, by key, in milliseconds since the epoch. Ignores unknown keys and uses older
 * than the recorded one.
 */
export async function recordLastUses(
  db: Database,
  uses: readonly { key: string; at: number }[],
): Promise<void> {
  await db.all(sql`update credentials set last_used_at = used.at
    from (select value ->> 'key' as key, max(value ->> 'at') as at from json_each(${JSON.stringify(uses)}) group by 1) used
    where credentials.key = used.key and coalesce(last_used_at, 0) < used.at`);
}

/** Credentials that the schedule must end. */
export type DueCredential = Pick<Credential, 'id' | 'product' | 'projectId' | 'natsAccountId'>;

/** Returns at most `limit` disabled credentials that are due to be revoked, and credentials that expired before `expired`. */
export function listDueCredentials(
  db: Database,
  now: number,
  expired: number,
  limit: number,
): Promise<DueCredential[]> {
  const columns = sql.raw('id, product, project_id as "projectId", nats_account_id as "natsAccountId"');
  return db.all<DueCredential>(sql`select * from (
      select ${columns} from credentials where revoke_at <= ${now} order by revoke_at limit ${limit})
    union select * from (
      select ${columns} from credentials where expires_at < ${expired} order by expires_at limit ${limit})`);
}
