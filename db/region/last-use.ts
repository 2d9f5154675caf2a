/** Records when credentials were last used. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/**
 * Records when credentials were last used, by key, in milliseconds since the epoch. Ignores unknown keys and uses older
 * than the recorded one. The first use of a new key sets when the previous one ends.
 */
export async function recordLastUses(
  db: Database,
  uses: readonly { key: string; at: number }[],
): Promise<void> {
  const used = sql`(select value ->> 'key' as key, max(value ->> 'at') as at
    from json_each(${JSON.stringify(uses)}) group by 1) used`;
  await db.batch(
    sql`update credentials set last_used_at = used.at from ${used}
      where credentials.key = used.key and coalesce(last_used_at, 0) < used.at`,
    ...recordRotationUses(used),
  );
}

/** Returns the statements that record uses of both keys of rotations; `used` has the columns `key` and `at`. */
export function recordRotationUses(used: SQL): SQL[] {
  return [
    sql`update rotations set first_used_at = used.at, ends_at = used.at + overlap_seconds * 1000
      from ${used} join credentials on credentials.key = used.key
      where rotations.credential_id = credentials.id and first_used_at is null and used.at >= started_at`,
    sql`update rotations set previous_last_used_at = used.at from ${used}
      where previous_key = used.key and coalesce(previous_last_used_at, 0) < used.at`,
    sql`update credentials set last_used_at = used.at from ${used} join rotations on previous_key = used.key
      where credentials.id = credential_id and coalesce(last_used_at, 0) < used.at`,
  ];
}
