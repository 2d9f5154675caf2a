/**
 * The credentials of all products in a region. Each change is one batch with its counts and its audit row; the
 * statements check all conditions, so that concurrent changes always leave a valid state.
 */
import { type SQL, sql } from 'drizzle-orm';
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
import { REVOCATIONS } from './account-sync.ts';
import { inProjects, listPage, projectScopes } from './fragments.ts';
import { ALL_PERMISSIONS } from './permissions.ts';
import { credentials } from './schema.ts';

export type Credential = typeof credentials.$inferSelect;

/** Identifies credentials of a product, in the projects that the caller can use. */
export interface CredentialRef {
  id: string;
  product: ProductId;
  projectIds: readonly string[];
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
>;

const matching = ({ id, product, projectIds }: CredentialRef): SQL =>
  sql`id = ${id} and product = ${product} and ${inProjects(projectIds)}`;

/** The audit columns that come from the credentials' own row. */
const auditedRow = { ...ROW_COLUMNS, resource: sql.raw(`product || '_credentials'`) };

/** The counters of credentials: each product's id. */
const EVERY_PRODUCT = sql.raw(PRODUCT_IDS.map((id) => `'${id}'`).join(', '));

const NAME_AND_PERMISSIONS = sql.raw(`json_object('name', name, 'permissions', permissions)`);

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
        sealed_secret, sealing_key_id, checksum, permissions, created_at, updated_at, expires_at)
      select ${c.id}, ${c.product}, organization_id, project_id, ${c.natsAccountId}, ${c.name}, ${c.key},
        ${c.sealedSecret}, ${c.sealingKeyId}, ${c.checksum}, ${c.permissions}, ${c.createdAt}, ${c.createdAt},
        ${c.expiresAt}
      from ${parent} and ${held} < ${maxRevocations} and ${heldInProject} < ${quota} and ${notReplayed(idempotency)}`,
    sql`insert into counts (scope, resource, value)
      select scope.value, product, 1
      from credentials, json_each(json_array(project_id, nats_account_id)) as scope
      where credentials.id = ${c.id} and scope.value is not null and changes() > 0
      on conflict (scope, resource) do update set value = value + 1`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: NAME_AND_PERMISSIONS },
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

/** Returns a page of a product's credentials in the projects, or in one NATS account. */
export function listCredentials(
  db: Database,
  product: ProductId,
  within: { projectIds: readonly string[]; natsAccountId: string | undefined },
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
  return listPage<Credential>(db, list, page);
}

/** An update: a name (undefined keeps it) and the permission bits to set and to clear. */
export interface CredentialUpdate {
  name: string | undefined;
  set: number;
  clear: number;
}

/**
 * Updates name and permissions, bit by bit in SQL, so that concurrent updates merge. An update without changes writes
 * nothing. Fails with `not_found`, or with `no_permission` if none would be left.
 */
export async function updateCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  update: CredentialUpdate,
): Promise<{ ok: true; row: Credential } | { ok: false; reason: 'not_found' | 'no_permission' }> {
  const name = sql`coalesce(${update.name ?? null}, name)`;
  const permissions = sql`((permissions & ${ALL_PERMISSIONS & ~update.clear}) | ${update.set})`;
  const changing = sql`${matching(ref)} and (name <> ${name} or permissions <> ${permissions})`;
  try {
    const [, , rows] = await db.batch(
      auditStatement(
        audit,
        {
          ...auditedRow,
          action: 'update',
          before: NAME_AND_PERMISSIONS,
          after: sql`json_object('name', ${name}, 'permissions', ${permissions})`,
        },
        sql`from credentials where ${changing}`,
      ),
      sql`update credentials set name = ${name}, permissions = ${permissions},
        version = version + (permissions & ~${permissions} <> 0),
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

/** Revoked credentials. */
export type RevokedCredential = Pick<Credential, 'key' | 'natsAccountId'>;

/**
 * Deletes credentials. NATS users are also added to their account's revocations, with a time not before their creation,
 * so that the next account JWT rejects them. Returns the revoked credentials, or null if these projects have none with
 * that id.
 */
export async function revokeCredential(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
): Promise<RevokedCredential | null> {
  const seconds = Math.floor(audit.now / 1000);
  const [, , , , , removed] = await db.batch(
    auditStatement(
      audit,
      { ...auditedRow, action: 'revoke', before: NAME_AND_PERMISSIONS },
      sql`from credentials where ${matching(ref)}`,
    ),
    sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
      select nats_account_id, key, max(${seconds}, created_at / 1000), created_at / 1000, expires_at / 1000
      from credentials where ${matching(ref)} and nats_account_id is not null`,
    sql`insert into counts (scope, resource, value)
      select nats_account_id, ${REVOCATIONS}, 1
      from credentials where ${matching(ref)} and nats_account_id is not null
      on conflict (scope, resource) do update set value = value + 1`,
    sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1)
      where id in (select nats_account_id from credentials where ${matching(ref)})`,
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
