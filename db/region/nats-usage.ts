/** The usage of NATS credentials: a row for each user that was seen in a sample. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import type { natsUsage } from './schema.ts';

export type NatsUsageRow = typeof natsUsage.$inferSelect;

/** Returns the usage of these users. Users that were never sampled have none. */
export function findNatsUsage(db: Database, keys: readonly string[]): Promise<NatsUsageRow[]> {
  return db.all<NatsUsageRow>(sql`select key, sampled_at as "sampledAt", usage from nats_usage
    where key in (select value from json_each(${JSON.stringify(keys)}))`);
}

/** A source with the column `key`: those of the users that belong to credentials, which can have two in a rotation. */
const knownUsers = (keys: readonly string[]): SQL => sql`(
  select key from credentials where key in (select value from json_each(${JSON.stringify(keys)}))
  union all
  select previous_key from rotations where previous_key in (select value from json_each(${JSON.stringify(keys)})))`;

/** Like {@link findNatsUsage}, but also returns credentials that were never sampled. Leaves out unknown users. */
export function findSampledUsers(
  db: Database,
  keys: readonly string[],
): Promise<{ key: string; sampledAt: number | null; usage: string | null }[]> {
  return db.all(sql`select users.key, sampled_at as "sampledAt", usage
    from ${knownUsers(keys)} users left join nats_usage on nats_usage.key = users.key`);
}

/** Stores the usage of users as of a sample at `now`, unless a concurrent run has stored theirs since `since`. */
export async function writeNatsUsage(
  db: Database,
  users: readonly { key: string; usage: string }[],
  now: number,
  since: number,
): Promise<void> {
  await db.all(sql`insert into nats_usage (key, sampled_at, usage)
    select value ->> 'key', ${now}, value ->> 'usage' from json_each(${JSON.stringify(users)}) where true
    on conflict (key) do update set sampled_at = excluded.sampled_at, usage = excluded.usage
      where nats_usage.sampled_at < ${since}`);
}

/** Returns the users after `after`, in order. */
export async function listSampledUsers(db: Database, after: string, limit: number): Promise<string[]> {
  const rows = await db.all<{ key: string }>(
    sql`select key from nats_usage where key > ${after} order by key limit ${limit}`,
  );
  return rows.map(({ key }) => key);
}

/** Deletes the usage of those of the users that were not sampled since `before`, or whose credentials are gone. */
export async function deleteNatsUsage(db: Database, keys: readonly string[], before: number): Promise<void> {
  await db.all(sql`delete from nats_usage where key in (select value from json_each(${JSON.stringify(keys)}))
    and (sampled_at < ${before} or key not in ${knownUsers(keys)})`);
}
