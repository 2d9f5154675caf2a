/** What the gateway reads of a request's access key, and notes of its use: one round trip each. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** Whose an access key is, and what it may do. */
export interface Bearer {
  /** The id of the credentials. */
  id: string;
  projectId: string;
  sealedSecret: string;
  sealingKeyId: string;
  /** Bits, see the `credentials` table. */
  permissions: number;
  /** Milliseconds since the epoch, or null for never. */
  lastUsedAt: number | null;
  /** The engine prefix of each product that is active for the project. */
  sqsPrefix: string | null;
  snsPrefix: string | null;
}

/** Whose the access key of a product is; null when it is unknown, or the product is not active for its project. */
export async function findBearer(
  db: Database,
  product: 'sqs' | 'sns',
  accessKey: string,
): Promise<Bearer | null> {
  const active = (id: string) =>
    sql`(select prefix from services where project_id = credentials.project_id and product = ${id}
      and status = 'enabled')`;
  const [bearer] =
    await db.all<Bearer>(sql`select id, project_id as "projectId", sealed_secret as "sealedSecret",
      sealing_key_id as "sealingKeyId", permissions, last_used_at as "lastUsedAt",
      ${active('sqs')} as "sqsPrefix", ${active('sns')} as "snsPrefix"
    from credentials where key = ${accessKey} and product = ${product}`);
  return bearer && bearer[`${product}Prefix`] !== null ? bearer : null;
}

/** Notes that credentials were used, unless a use after `since` is noted already. */
export async function noteUse(db: Database, id: string, now: number, since: number): Promise<void> {
  await db.all(sql`update credentials set last_used_at = ${now}
    where id = ${id} and coalesce(last_used_at, 0) <= ${since}`);
}
