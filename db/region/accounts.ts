/**
 * The NATS accounts of a region. Deleting an account deletes its credentials in the same batch and leaves a tombstone:
 * the resolver then serves a JWT that rejects every user. Synchronization with the servers is in account-sync.ts.
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
import { AUDITED, deleteRotations } from './credentials.ts';
import { inProjects, listPage, projectScopes } from './fragments.ts';
import { AUDITED_ROLE, ROLES } from './roles.ts';
import { natsAccounts } from './schema.ts';

export type NatsAccount = typeof natsAccounts.$inferSelect;

/** The fields of a new account that its creation does not fill in. */
export type NewNatsAccount = Pick<
  NatsAccount,
  | 'id'
  | 'organizationId'
  | 'projectId'
  | 'name'
  | 'signingKey'
  | 'sealedSigningSeed'
  | 'sealingKeyId'
  | 'guest'
>;

/**
 * The storage in bytes that the servers reserve for an account and for a guest's, and their capacity for all accounts.
 */
export interface StorageReservation {
  capacity: number;
  account: number;
  guest: number;
}

/** Identifies an account, in the projects that the caller can use. */
export interface AccountRef {
  id: string;
  projectIds: readonly string[];
}

/** The name of accounts in counts and the audit trail. */
export const ACCOUNTS = 'nats_accounts';

/** The scope of an organization's count, distinct from its first project, which has the same id. */
const organizationScope = (id: string | SQL): SQL => sql`'organization:' || ${id}`;

const matching = ({ id, projectIds }: AccountRef): SQL =>
  sql`id = ${id} and deleted_at is null and ${inProjects(projectIds)}`;

const auditedRow = { ...ROW_COLUMNS, resource: ACCOUNTS };

const NAME = sql.raw(`json_object('name', name)`);

const selectWhere = (where: SQL) =>
  sql`select ${columnsOf(natsAccounts, 'nats_accounts')} from nats_accounts where ${where}`;

/**
 * Creates an account and returns its row. Fails with `replayed` if the idempotency key was used before, with `quota` if the organization
 * already has that many accounts, and with `storage` if the reservations of all accounts of the region, including this
 * one, would exceed a capacity in `reservations`.
 */
export async function createAccount(
  db: Database,
  audit: AuditContext,
  account: NewNatsAccount,
  limits: { idempotency: IdempotentRequest | null; quota: number; promises: readonly StorageReservation[] },
): Promise<
  | { ok: true; row: NatsAccount }
  | { ok: false; reason: 'replayed'; record: IdempotencyRecord }
  | { ok: false; reason: 'quota'; current: number }
  | { ok: false; reason: 'storage' }
> {
  const { idempotency, quota, promises: reservations } = limits;
  const a = account;
  const created = sql`exists (select 1 from nats_accounts where id = ${a.id})`;
  const held = sql`(select coalesce(sum(value), 0) from counts
    where scope = ${organizationScope(a.organizationId)} and resource = ${ACCOUNTS})`;
  // Counts deleted accounts until their streams are gone, because the servers keep the reservation until then.
  const fits = reservations.map(
    ({ capacity, account: each, guest }) => sql` and ${a.guest ? guest : each} + (
      select coalesce(sum(case guest when 1 then ${guest} else ${each} end), 0)
      from nats_accounts where purged_at is null) <= ${capacity}`,
  );
  const [, , , rows, counted, , replayed] = await db.batch(
    sql`insert into nats_accounts (id, organization_id, project_id, name, signing_key, sealed_signing_seed,
        sealing_key_id, revision, issued_at, acknowledged_revision, acknowledged_servers, servers,
        created_at, updated_at, guest)
      select ${a.id}, ${a.organizationId}, ${a.projectId}, ${a.name}, ${a.signingKey}, ${a.sealedSigningSeed},
        ${a.sealingKeyId}, 1, ${Math.floor(audit.now / 1000)}, 1, 0, 0, ${audit.now}, ${audit.now}, ${a.guest}
      where ${notReplayed(idempotency)} and ${held} < ${quota}${sql.join(fits)}`,
    sql`insert into counts (scope, resource, value)
      select value, ${ACCOUNTS}, 1 from json_each(json_array(${a.projectId}, ${organizationScope(a.organizationId)}))
      where changes() > 0
      on conflict (scope, resource) do update set value = value + 1`,
    auditStatement(
      audit,
      { ...auditedRow, action: 'create', after: NAME },
      sql`from nats_accounts where id = ${a.id}`,
    ),
    selectWhere(sql`id = ${a.id}`),
    sql`select ${held} as current`,
    ...(idempotency
      ? [insertIdempotencyRecord(idempotency, a.id, created), selectIdempotencyRecord(idempotency)]
      : []),
  );
  const row = rowsOf<NatsAccount>(rows)[0];
  if (row) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const current = rowsOf<{ current: number }>(counted)[0]?.current ?? 0;
  return current >= quota ? { ok: false, reason: 'quota', current } : { ok: false, reason: 'storage' };
}

/** Returns the account, or null if these projects have no live account with that id. */
export async function getAccount(db: Database, ref: AccountRef): Promise<NatsAccount | null> {
  const rows = await db.all<NatsAccount>(selectWhere(matching(ref)));
  return rows[0] ?? null;
}

export function listAccounts(
  db: Database,
  projectIds: readonly string[],
  page: Page,
): Promise<Listed<NatsAccount>> {
  const list = {
    table: natsAccounts,
    name: 'nats_accounts',
    scopes: projectScopes(projectIds),
    column: 'project_id',
    where: sql`nth.deleted_at is null`,
    resource: ACCOUNTS,
  };
  return listPage<NatsAccount>(db, list, page);
}

/** Renames an account; undefined or the same name changes nothing. Returns the row, or null if there is none. */
export async function renameAccount(
  db: Database,
  audit: AuditContext,
  ref: AccountRef,
  name: string | undefined,
): Promise<NatsAccount | null> {
  const changing = sql`${matching(ref)} and name <> ${name ?? null}`;
  const [, , rows] = await db.batch(
    auditStatement(
      audit,
      { ...auditedRow, action: 'update', before: NAME, after: sql`json_object('name', ${name ?? null})` },
      sql`from nats_accounts where ${changing}`,
    ),
    sql`update nats_accounts set name = ${name ?? null}, updated_at = max(${audit.now}, updated_at + 1)
      where ${changing}`,
    selectWhere(matching(ref)),
  );
  return rowsOf<NatsAccount>(rows)[0] ?? null;
}

/**
 * Deletes an account with its credentials and roles and revokes every user issued so far; the tombstone keeps no name.
 * Returns false if these projects have no live account with that id.
 */
export async function deleteAccount(db: Database, audit: AuditContext, ref: AccountRef): Promise<boolean> {
  const seconds = Math.floor(audit.now / 1000);
  const live = sql`exists (select 1 from nats_accounts where ${matching(ref)})`;
  // Clocks differ: credentials can have a creation time slightly later than this Worker's clock.
  const newest = sql`max(${seconds}, coalesce(
    (select max(coalesce(key_issued_at, created_at)) / 1000 from credentials where nats_account_id = ${ref.id}), 0))`;
  const [, , , , , , , , , , removed] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: 'revoke',
        resource: 'nats_credentials',
        before: AUDITED,
      },
      sql`from credentials where nats_account_id = ${ref.id} and ${live}`,
    ),
    auditStatement(
      audit,
      { ...auditedRow, action: 'delete', resource: ROLES, before: AUDITED_ROLE },
      sql`from nats_roles where nats_account_id = ${ref.id} and ${live}`,
    ),
    auditStatement(
      audit,
      { ...auditedRow, action: 'delete', before: NAME },
      sql`from nats_accounts where ${matching(ref)}`,
    ),
    sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at)
      select id, '*', ${newest}, ${newest} from nats_accounts where ${matching(ref)}
      on conflict (account_id, user_key) do update
        set revoked_at = max(revoked_at, excluded.revoked_at), issued_at = max(issued_at, excluded.issued_at)`,
    sql`delete from nats_revocations where account_id = ${ref.id} and user_key <> '*' and ${live}`,
    sql`update counts set value = value - case resource when ${ACCOUNTS} then 1
        when ${ROLES} then (select count(*) from nats_roles where nats_account_id = ${ref.id})
        else coalesce((select held.value from counts held where held.scope = ${ref.id} and held.resource = 'nats'), 0) end
      where resource in (${ACCOUNTS}, ${ROLES}, 'nats')
        and scope in (select project_id from nats_accounts where ${matching(ref)}
          union all select ${organizationScope(sql.raw('organization_id'))} from nats_accounts where ${matching(ref)})`,
    sql`delete from counts where scope = ${ref.id} and ${live}`,
    deleteRotations(sql`nats_account_id = ${ref.id} and ${live}`),
    sql`delete from credentials where nats_account_id = ${ref.id} and ${live}`,
    sql`delete from nats_roles where nats_account_id = ${ref.id} and ${live}`,
    sql`update nats_accounts set deleted_at = ${audit.now}, updated_at = ${audit.now}, name = '',
        revision = revision + 1, issued_at = max(${seconds}, issued_at + 1)
      where ${matching(ref)}`,
  );
  return Boolean(removed?.meta.changes);
}
