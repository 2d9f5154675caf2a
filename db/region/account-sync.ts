/**
 * The synchronization of NATS accounts with nats-servers: the rows that an account JWT is derived from,
 * acknowledgements, pending work, and the limits of the revocation list.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { type AccountJwt, storeAccountJwt } from './account-jwts.ts';
import type { NatsAccount } from './accounts.ts';
import type { NatsRole } from './roles.ts';
import { natsAccounts } from './schema.ts';

/** The name of an account's revocations in counts. */
export const REVOCATIONS = 'nats_revocations';

/** The last second of the year 9999. No user JWT is issued later, so a revocation at this time rejects every one. */
const LAST_SECOND = 253_402_300_799;

/** The rows that an account JWT is derived from. */
export interface AccountState {
  account: NatsAccount;
  /** User key or `*` → seconds since the epoch. */
  revocations: Record<string, number>;
  /** By id. */
  roles: Pick<NatsRole, 'id' | 'signingKey' | 'definition'>[];
}

const ROLE_COLUMNS = sql.raw('id, signing_key as "signingKey", definition');

/** Returns the rows behind the JWT of an account, live or deleted; null for an unknown id. */
export async function getAccountState(db: Database, id: string): Promise<AccountState | null> {
  const [accounts, revocations, roles] = await db.batch(
    sql`select ${columnsOf(natsAccounts, 'nats_accounts')} from nats_accounts where id = ${id}`,
    sql`select user_key, revoked_at from nats_revocations where account_id = ${id}`,
    sql`select ${ROLE_COLUMNS} from nats_roles where nats_account_id = ${id} order by id`,
  );
  const account = rowsOf<NatsAccount>(accounts)[0];
  if (!account) return null;
  const pairs = rowsOf<{ user_key: string; revoked_at: number }>(revocations);
  return {
    account,
    revocations: Object.fromEntries(pairs.map((pair) => [pair.user_key, pair.revoked_at])),
    roles: rowsOf(roles),
  };
}

/** Like {@link getAccountState} for several accounts, in one round trip; unknown ids are left out. */
export async function getAccountStates(db: Database, ids: readonly string[]): Promise<AccountState[]> {
  const among = sql`(select value from json_each(${JSON.stringify(ids)}))`;
  const [accounts, revocations, roles] = await db.batch(
    sql`select ${columnsOf(natsAccounts, 'nats_accounts')} from nats_accounts where id in ${among}`,
    sql`select account_id, user_key, revoked_at from nats_revocations where account_id in ${among}`,
    sql`select nats_account_id, ${ROLE_COLUMNS} from nats_roles where nats_account_id in ${among} order by id`,
  );
  const byId = new Map<string, AccountState>();
  for (const account of rowsOf<NatsAccount>(accounts)) {
    byId.set(account.id, { account, revocations: {}, roles: [] });
  }
  for (const row of rowsOf<{ account_id: string; user_key: string; revoked_at: number }>(revocations)) {
    const state = byId.get(row.account_id);
    if (state) state.revocations[row.user_key] = row.revoked_at;
  }
  for (const { nats_account_id, ...role } of rowsOf<
    AccountState['roles'][number] & { nats_account_id: string }
  >(roles)) {
    byId.get(nats_account_id)?.roles.push(role);
  }
  return [...byId.values()];
}

/** The outcome of a push: how many of the active servers acknowledged it. */
export interface Acknowledgement {
  acknowledged: number;
  servers: number;
}

/** Whether every active server acknowledged it. False without servers. */
export function isComplete({ acknowledged, servers }: Acknowledgement): boolean {
  return servers > 0 && acknowledged >= servers;
}

/**
 * Records the outcome of a push, and stores the JWT. A revision older than the acknowledged one changes nothing.
 */
export async function recordPush(db: Database, pushed: AccountJwt, outcome: Acknowledgement): Promise<void> {
  const { id, revision } = pushed;
  const { acknowledged, servers } = outcome;
  const complete = isComplete(outcome) ? 1 : 0;
  await db.batch(
    sql`update nats_accounts set
        acknowledged_revision = case when ${complete} then ${revision} else acknowledged_revision end,
        acknowledged_servers = ${acknowledged}, servers = ${servers}
      where id = ${id} and acknowledged_revision <= ${revision}
        and (acknowledged_servers <> ${acknowledged} or servers <> ${servers}
          or (${complete} and acknowledged_revision < ${revision}))`,
    storeAccountJwt(pushed),
  );
}

/**
 * Returns the ids of at most `limit` accounts, after `after`, whose newest revision is not acknowledged by every server
 * or whose deletion is not finished.
 */
export async function listUnfinishedAccounts(db: Database, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select id from nats_accounts
    where (acknowledged_revision < revision or (deleted_at is not null and purged_at is null)) and id > ${after}
    order by id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/**
 * Returns the ids of at most `limit` accounts, after `after`, whose JWT a server can hold and that need lease renewals.
 */
export async function listRenewableAccounts(db: Database, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select id from nats_accounts
    where purged_at is null and id > ${after} order by id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Finishes the deletion of an account whose streams are gone: revokes every user permanently. */
export async function recordPurge(db: Database, id: string, now: number): Promise<void> {
  const pending = sql`exists (select 1 from nats_accounts where id = ${id} and purged_at is null)`;
  await db.batch(
    sql`update nats_revocations set revoked_at = ${LAST_SECOND} where account_id = ${id} and user_key = '*' and ${pending}`,
    newRevision(sql`id = ${id} and purged_at is null`, Math.floor(now / 1000)),
    sql`update nats_accounts set purged_at = ${now} where id = ${id} and purged_at is null`,
  );
}

/** Gives the accounts a new revision, which servers must then acknowledge. */
export function newRevision(where: SQL, seconds: number): SQL {
  return sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1) where ${where}`;
}

/** Returns the ids of at most `limit` accounts, after `after`, with more than `bound` revocations. */
export async function listLongRevocationLists(
  db: Database,
  bound: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select scope as id from counts
    where resource = ${REVOCATIONS} and value > ${bound} and scope > ${after} order by scope limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** How far a server's clock can be behind, in seconds. Such a server still accepts an expired JWT. */
export const EXPIRY_MARGIN_S = 3600;

/** How long after its creation time a credential can be written, in seconds. */
const CREATION_MARGIN_S = 60;

/**
 * Shortens an account's revocation list: drops revocations of users whose JWTs have expired, and replaces those of
 * users issued before the oldest live credential with a single `*`. Returns whether the account got a new revision.
 */
export async function shortenRevocations(db: Database, id: string, now: number): Promise<boolean> {
  const seconds = Math.floor(now / 1000);
  // Every live credential, and every one still being written, was issued after this second.
  const before = sql`(min(${seconds - CREATION_MARGIN_S}, coalesce(
    (select min(coalesce(rotations.issued_at, key_issued_at, created_at)) / 1000
      from credentials left join rotations on credential_id = id where nats_account_id = ${id}), ${seconds})) - 1)`;
  const covered = sql`account_id = ${id} and user_key <> '*' and issued_at <= ${before}`;
  const expired = sql`account_id = ${id} and user_key <> '*' and expires_at < ${seconds - EXPIRY_MARGIN_S}`;
  const [changed] = await db.batch(
    newRevision(
      sql`id = ${id} and exists (select 1 from nats_revocations where (${covered}) or (${expired}))`,
      seconds,
    ),
    sql`delete from nats_revocations where ${expired}`,
    sql`insert into nats_revocations (account_id, user_key, revoked_at, issued_at)
      select ${id}, '*', ${before}, ${before} where exists (select 1 from nats_revocations where ${covered})
      on conflict (account_id, user_key) do update
        set revoked_at = max(revoked_at, excluded.revoked_at), issued_at = max(issued_at, excluded.issued_at)`,
    sql`delete from nats_revocations where ${covered}`,
    // The revocation of a disabled user is not counted, because its credential is. The previous key of a rotation is.
    sql`update counts set value = (select count(*) from nats_revocations where account_id = ${id}
        and user_key not in (select key from credentials where nats_account_id = ${id})
        and user_key not in (select previous_key from rotations))
        + (select count(*) from rotations join credentials on credential_id = id where nats_account_id = ${id})
      where scope = ${id} and resource = ${REVOCATIONS}`,
  );
  return Boolean(changed?.meta.changes);
}
