/**
 * Rotations: credentials with a new and a previous key. As with credentials, each change is one batch with its audit row,
 * and the statements check all conditions.
 */
import { sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { type Database, rowsOf } from '../database.ts';
import {
  type IdempotencyRecord,
  type IdempotentRequest,
  insertIdempotencyRecord,
  notReplayed,
  selectIdempotencyRecord,
} from '../idempotency.ts';
import { REVOCATIONS } from './account-sync.ts';
import {
  auditedRow,
  type Credential,
  type CredentialRef,
  DUE_COLUMNS,
  type DueCredential,
  deleteRotations,
  ISSUED_AT,
  matching,
  neverUsed,
  recordKey,
  revokeUsers,
  selectWhere,
  withKey,
} from './credentials.ts';
import { isAllowedExpiry, type LatestExpiries } from './fragments.ts';

/** The new key of credentials. */
export type NewKey = Pick<Credential, 'key' | 'sealedSecret' | 'sealingKeyId' | 'checksum'>;

/** Why credentials were not rotated. */
export type RotationFailure =
  | { ok: false; reason: 'not_found' | 'rotating' | 'not_enabled' | 'expiry' | 'full' | 'key_used' }
  | { ok: false; reason: 'replayed'; record: IdempotencyRecord };

/**
 * Gives credentials a new key; the previous one keeps working until `overlapSeconds` after the first use of the new one.
 * Fails with `rotating` if a rotation is in progress, with `not_enabled` if the credentials are disabled or expired, with
 * `expiry` if the organization does not allow new credentials with their expiry, with `full` if the NATS account could
 * not revoke one more key, with `replayed` if the idempotency key was used, and with `key_used` as in
 * {@link createCredential}.
 */
export async function startRotation(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  key: NewKey,
  {
    keyFromCaller,
    overlapSeconds,
    maxRevocations,
    latest,
    idempotency,
  }: {
    keyFromCaller: boolean;
    overlapSeconds: number;
    maxRevocations: number;
    latest: LatestExpiries;
    idempotency: IdempotentRequest | null;
  },
): Promise<{ ok: true; row: Credential } | RotationFailure> {
  const rotating = sql`exists (select 1 from rotations where credential_id = ${ref.id})`;
  const enabled = sql`(disabled_at is null and coalesce(expires_at, ${audit.now + 1}) > ${audit.now})`;
  const full = sql`(nats_account_id is not null and (select coalesce(sum(value), 0) from counts
    where scope = nats_account_id and resource in ('nats', ${REVOCATIONS})) >= ${maxRevocations})`;
  const allowed = isAllowedExpiry(sql.raw('expires_at'), latest);
  // Only between the first statement and the update of the key.
  const starting = sql`${matching(ref)} and key = (select previous_key from rotations where credential_id = ${ref.id})`;
  const [inserted, , , , ...others] = await db.batch(
    sql`insert into rotations (credential_id, previous_key, sealed_secret, sealing_key_id, checksum, issued_at,
        started_at, overlap_seconds)
      select id, key, sealed_secret, sealing_key_id, checksum, ${ISSUED_AT}, ${audit.now}, ${overlapSeconds}
      from credentials where ${matching(ref)} and ${enabled} and ${allowed} and not ${full} and not ${rotating}
        and ${neverUsed(key.key)} and ${notReplayed(idempotency)}`,
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: 'rotate',
        before: withKey(sql.raw('key')),
        after: withKey(sql`${key.key}`, keyFromCaller),
      },
      sql`from credentials where ${starting}`,
    ),
    // The previous key will be revoked: it is counted now, so that there is room for it then.
    sql`insert into counts (scope, resource, value)
      select nats_account_id, ${REVOCATIONS}, 1 from credentials where ${starting} and nats_account_id is not null
      on conflict (scope, resource) do update set value = value + 1`,
    sql`update credentials set key = ${key.key}, sealed_secret = ${key.sealedSecret},
        sealing_key_id = ${key.sealingKeyId}, checksum = ${key.checksum}, key_issued_at = ${audit.now},
        updated_at = max(${audit.now}, updated_at + 1) where ${starting}`,
    // Directly after the update: the key alone does not prove that this batch set it, because callers can repeat theirs.
    ...(idempotency ? [insertIdempotencyRecord(idempotency, ref.id, sql`changes() > 0`)] : []),
    recordKey(sql`${matching(ref)} and changes() > 0`),
    selectWhere(matching(ref)),
    sql`select ${rotating} as rotating, ${enabled} as enabled, ${allowed} as allowed, not ${neverUsed(key.key)} as used
      from credentials where ${matching(ref)}`,
    ...(idempotency ? [selectIdempotencyRecord(idempotency)] : []),
  );
  const [rows, found, replayed] = others.slice(idempotency ? 2 : 1);
  const row = rowsOf<Credential>(rows)[0];
  if (row && inserted?.meta.changes) return { ok: true, row };
  const record = rowsOf<IdempotencyRecord>(replayed)[0];
  if (record) return { ok: false, reason: 'replayed', record };
  const [state] = rowsOf<{ rotating: 0 | 1; enabled: 0 | 1; allowed: 0 | 1; used: 0 | 1 }>(found);
  if (!state) return { ok: false, reason: 'not_found' };
  if (state.rotating) return { ok: false, reason: 'rotating' };
  if (!state.enabled) return { ok: false, reason: 'not_enabled' };
  if (!state.allowed) return { ok: false, reason: 'expiry' };
  return { ok: false, reason: state.used ? 'key_used' : 'full' };
}

/** How long after its last use the schedule ends a previous key, and for how long uses can put that off: milliseconds. */
const UNUSED_MS = 15 * 60_000;
const LONGEST_DELAY_MS = 24 * 3_600_000;

/** The rotations whose previous key the schedule can end at `now`. */
const isDue = (
  now: number,
) => sql`ends_at <= ${now} and (coalesce(previous_last_used_at, 0) < ${now - UNUSED_MS}
  or ends_at <= ${now - LONGEST_DELAY_MS})`;

/**
 * Ends a rotation: its previous key, or the new one, which the previous one then replaces. With `ifDue`, only if the
 * schedule can end it now. Returns the row with the key that ended, or null if these projects have no such credentials
 * with a rotation in progress.
 */
export async function endRotation(
  db: Database,
  audit: AuditContext,
  ref: CredentialRef,
  ended: 'previous' | 'new',
  ifDue = false,
): Promise<{ row: Credential; endedKey: string } | null> {
  const seconds = Math.floor(audit.now / 1000);
  const ending = sql`${matching(ref)} and id in (select credential_id from rotations
    where credential_id = ${ref.id} and ${ifDue ? isDue(audit.now) : sql`true`})`;
  const previous = (column: string) =>
    sql`(select ${sql.raw(column)} from rotations where credential_id = credentials.id)`;
  const [key, issuedAt] =
    ended === 'previous' ? [previous('previous_key'), previous('issued_at')] : [sql.raw('key'), ISSUED_AT];
  const kept = ended === 'previous' ? sql.raw('key') : previous('previous_key');
  const revoked = sql`select nats_account_id, ${key} as key, ${issuedAt} / 1000 as issued_at,
      expires_at / 1000 as expires_at from credentials where ${ending} and nats_account_id is not null`;
  const [keys, , , , , , rows] = await db.batch(
    sql`select ${key} as key from credentials where ${ending}`,
    auditStatement(
      audit,
      {
        ...auditedRow,
        action: ended === 'previous' ? 'finish_rotation' : 'cancel_rotation',
        before: withKey(key),
        after: withKey(kept),
      },
      sql`from credentials where ${ending}`,
    ),
    revokeUsers(revoked, seconds),
    sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1)
      where id in (select nats_account_id from (${revoked}))`,
    ended === 'previous'
      ? sql`update credentials set updated_at = max(${audit.now}, updated_at + 1) where ${ending}`
      : sql`update credentials set key = ${previous('previous_key')}, sealed_secret = ${previous('sealed_secret')},
          sealing_key_id = ${previous('sealing_key_id')}, checksum = ${previous('checksum')},
          key_issued_at = ${previous('issued_at')}, updated_at = max(${audit.now}, updated_at + 1)
        where ${ending}`,
    deleteRotations(ending),
    selectWhere(matching(ref)),
  );
  const endedKey = rowsOf<{ key: string }>(keys)[0]?.key;
  const row = rowsOf<Credential>(rows)[0];
  return endedKey === undefined || !row ? null : { row, endedKey };
}

/** Returns at most `limit` credentials with a previous key that the schedule can end. */
export function listDueRotations(db: Database, now: number, limit: number): Promise<DueCredential[]> {
  return db.all<DueCredential>(sql`select ${DUE_COLUMNS} from rotations join credentials on id = credential_id
    where ${isDue(now)} order by ends_at limit ${limit}`);
}
