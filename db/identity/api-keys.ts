/** The API keys of users and applications. Whose a key is when it is used, bearers.ts finds. */
import { sql } from 'drizzle-orm';
import { columnsOf, type Database } from '../database.ts';
import { apiKeys } from './schema.ts';

/** A row of `api_keys`. */
export type ApiKey = typeof apiKeys.$inferSelect;

/** The API key, or null when these organizations have none of that access key. */
export async function getApiKey(
  db: Database,
  accessKey: string,
  organizationIds: readonly string[],
): Promise<ApiKey | null> {
  const rows = await db.all<ApiKey>(sql`select ${columnsOf(apiKeys, 'api_keys')} from api_keys
    where access_key = ${accessKey}
      and organization_id in (select value from json_each(${JSON.stringify(organizationIds)}))`);
  return rows[0] ?? null;
}

/** Notes when an API key was last used, in milliseconds since the epoch. */
export async function noteApiKeyUse(db: Database, accessKey: string, now: number): Promise<void> {
  await db.all(sql`update api_keys set last_used_at = ${now} where access_key = ${accessKey}`);
}
