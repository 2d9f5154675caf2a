/** The gateway's queries: looking up an access key and recording its use, one round trip each. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { ACCESS_KEY_PRODUCT_IDS, type AccessKeyProductId } from '../products.ts';

/** `sqsPrefix` and so on: the engine prefix of each product that is active in the project. */
type Prefixes = { [Id in AccessKeyProductId as `${Id}Prefix`]: string | null };

/** The credentials of an access key and what they allow. */
export interface GatewayCredential extends Prefixes {
  id: string;
  projectId: string;
  sealedSecret: string;
  sealingKeyId: string;
  /** Bits, see the `credentials` table. */
  permissions: number;
  /** Milliseconds since the epoch; null means never. */
  lastUsedAt: number | null;
}

/**
 * Returns the credentials with this access key of a product; null if the key is unknown or the product is not active in
 * its project.
 */
export async function findGatewayCredential(
  db: Database,
  product: AccessKeyProductId,
  accessKey: string,
): Promise<GatewayCredential | null> {
  const prefixes = ACCESS_KEY_PRODUCT_IDS.map(
    (id) => sql`(select prefix from services where project_id = credentials.project_id and product = ${id}
      and status = 'enabled') as ${sql.raw(`"${id}Prefix"`)}`,
  );
  const [credential] =
    await db.all<GatewayCredential>(sql`select id, project_id as "projectId", sealed_secret as "sealedSecret",
      sealing_key_id as "sealingKeyId", permissions, last_used_at as "lastUsedAt",
      ${sql.join(prefixes, sql`, `)}
    from credentials where key = ${accessKey} and product = ${product}`);
  return credential && credential[`${product}Prefix`] !== null ? credential : null;
}

/** Records that credentials were used, unless a use after `since` is already recorded. */
export async function recordGatewayUse(db: Database, id: string, now: number, since: number): Promise<void> {
  await db.all(sql`update credentials set last_used_at = ${now}
    where id = ${id} and coalesce(last_used_at, 0) <= ${since}`);
}
