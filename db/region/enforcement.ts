/**
 * What nats-servers must learn of an account, and whether they have: the rows that its JWT is derived from, what was
 * acknowledged, what is left to do, and the bounds of its revocation list.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { NatsAccount } from './accounts.ts';
import { natsAccounts } from './schema.ts';

/** The name that counts have for the revocations of an account. */
export const REVOCATIONS = 'nats_revocations';

/** The last second of the year 9999: no user JWT is issued later, so that a revocation at it denies every one. */
const FOR_EVER = 253_402_300_799;

/** What an account JWT is derived from. */
export interface AccountState {
  account: NatsAccount;
  /** User key or `*` → seconds since the epoch. */
  revocations: Record<string, number>;
}

/** What the JWT of an account, live or deleted, is derived from; null for an unknown id. */
export async function getAccountState(db: Database, id: string): Promise<AccountState | null> {
  const [accounts, revocations] = await db.batch(
    sql`select ${columnsOf(natsAccounts, 'nats_accounts')} from nats_accounts where id = ${id}`,
    sql`select user_key, revoked_at from nats_revocations where account_id = ${id}`,
  );
  const account = rowsOf<NatsAccount>(accounts)[0];
  if (!account) return null;
  const pairs = rowsOf<{ user_key: string; revoked_at: number }>(revocations);
  return { account, revocations: Object.fromEntries(pairs.map((pair) => [pair.user_key, pair.revoked_at])) };
}

/** The same of several accounts, in one round trip; unknown ids are left out. */
export async function getAccountStates(db: Database, ids: readonly string[]): Promise<AccountState[]> {
  const among = sql`(select value from json_each(${JSON.stringify(ids)}))`;
  const [accounts, revocations] = await db.batch(
    sql`select ${columnsOf(natsAccounts, 'nats_accounts')} from nats_accounts where id in ${among}`,
    sql`select account_id, user_key, revoked_at from nats_revocations where account_id in ${among}`,
  );
  const byId = new Map<string, AccountState>();
  for (const account of rowsOf<NatsAccount>(accounts)) byId.set(account.id, { account, revocations: {} });
  for (const row of rowsOf<{ account_id: string; user_key: string; revoked_at: number }>(revocations)) {
    const state = byId.get(row.account_id);
    if (state) state.revocations[row.user_key] = row.revoked_at;
  }
  return [...byId.values()];
}

/** What came of a push: of how many active servers how many took the revision. */
export interface Acknowledgement {
  revision: number;
  acknowledged: number;
  servers: number;
}

/** Whether every active server took it. Of no servers none did. */
export function isComplete({ acknowledged, servers }: Omit<Acknowledgement, 'revision'>): boolean {
  return servers > 0 && acknowledged >= servers;
}

/** Notes what came of a push. A push of an older revision than one already acknowledged changes nothing. */
export async function noteAcknowledgement(db: Database, id: string, push: Acknowledgement): Promise<void> {
  await db.all(sql`update nats_accounts set
      acknowledged_revision = case when ${isComplete(push) ? 1 : 0} then ${push.revision} else acknowledged_revision end,
      acknowledged_servers = ${push.acknowledged}, servers = ${push.servers}
    where id = ${id} and acknowledged_revision <= ${push.revision}
      and (acknowledged_servers <> ${push.acknowledged} or servers <> ${push.servers}
        or (${isComplete(push) ? 1 : 0} and acknowledged_revision < ${push.revision}))`);
}

/** The ids of at most `limit` accounts, after `after`, of which a server has not acknowledged the newest revision. */
export async function listUnfinished(db: Database, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select id from nats_accounts
    where (acknowledged_revision < revision or (deleted_at is not null and purged_at is null)) and id > ${after}
    order by id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** The ids of at most `limit` accounts, after `after`, whose JWT a server may hold and need renewed. */
export async function listRenewable(db: Database, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select id from nats_accounts
    where purged_at is null and id > ${after} order by id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Ends the deletion of an account whose streams are gone: every user is revoked for ever. */
export async function notePurged(db: Database, id: string, now: number): Promise<void> {
  const pending = sql`exists (select 1 from nats_accounts where id = ${id} and purged_at is null)`;
  await db.batch(
    sql`update nats_revocations set revoked_at = ${FOR_EVER} where account_id = ${id} and user_key = '*' and ${pending}`,
    newRevision(sql`id = ${id} and purged_at is null`, Math.floor(now / 1000)),
    sql`update nats_accounts set purged_at = ${now} where id = ${id} and purged_at is null`,
  );
}

/** Gives the accounts a new revision, which servers must then acknowledge. */
function newRevision(where: SQL, seconds: number): SQL {
  return sql`update nats_accounts set revision = revision + 1, issued_at = max(${seconds}, issued_at + 1) where ${where}`;
}

/** The ids of at most `limit` accounts, after `after`, whose revocation list is longer than `bound`. */
export async function listLong(db: Database, bound: number, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`select scope as id from counts
    where resource = ${REVOCATIONS} and value > ${bound} and scope > ${after} order by scope limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** A server's clock may be behind by this much: an expired JWT is then still taken there. Seconds. */
const EXPIRY_MARGIN = 3600;

/** A credential may be written this long after the second of its issue. Seconds. */
const CREATION_MARGIN = 60;

/**
 * Shortens an account's revocation list: revocations of users whose JWTs have expired go, and those of users issued
 * before the oldest live credential give way to a single `*`. Returns whether the account got a new revision.
 */
export async function shortenRevocations(db: Database, id: string, now: number): Promise<boolean> {
  const seconds = Math.floor(now / 1000);
  // Every live credential was issued later than this second, and so will be every one that is on its way.
  const before = sql`(min(${seconds - CREATION_MARGIN}, coalesce(
    (select min(created_at) / 1000 from credentials where nats_account_id = ${id}), ${seconds})) - 1)`;
  const covered = sql`account_id = ${id} and user_key <> '*' and issued_at <= ${before}`;
  const expired = sql`account_id = ${id} and user_key <> '*' and expires_at < ${seconds - EXPIRY_MARGIN}`;
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
    sql`update counts set value = (select count(*) from nats_revocations where account_id = ${id})
      where scope = ${id} and resource = ${REVOCATIONS}`,
  );
  return Boolean(changed?.meta.changes);
}
