/** The queries about access keys: their row for the gateway, the keys that a change concerns, and their last use. */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, rowsOf } from '../database.ts';
import { ACCESS_KEY_PRODUCT_IDS, type AccessKeyProductId } from '../products.ts';
import { recordRotationUses } from './last-use.ts';

/** `sqsPrefix` and so on: the engine prefix of each product that is active in the project. */
type Prefixes = { [Id in AccessKeyProductId as `${Id}Prefix`]: string | null };

/** The credentials of an access key and what they allow. */
export interface GatewayCredential extends Prefixes {
  id: string;
  product: AccessKeyProductId;
  projectId: string;
  sealedSecret: string;
  sealingKeyId: string;
  /** Bits, see the `credentials` table. */
  permissions: number;
  /** Increases when the credentials can do less: see the `credentials` table. */
  version: number;
  /** Patterns of names, as a JSON array; null means all. */
  resources: string | null;
  /** CIDR blocks, as a JSON array; null means anywhere. */
  sourceIps: string | null;
  /** Milliseconds since the epoch; null means not disabled. */
  disabledAt: number | null;
  /** Milliseconds since the epoch; null means never. */
  expiresAt: number | null;
  /** Milliseconds since the epoch; null means never. */
  lastUsedAt: number | null;
}

/**
 * Returns the credentials with this access key, or null if there are none. Every change of what this reads must be
 * announced to the guard of the access key. Exceptions are the last use, and a secret that was encrypted again: the old
 * one stays valid for longer than a guard can keep it.
 */
export async function findGatewayCredential(
  db: Database,
  accessKey: string,
): Promise<GatewayCredential | null> {
  const prefixes = ACCESS_KEY_PRODUCT_IDS.map(
    (id) => sql`(select prefix from services where project_id = credentials.project_id and product = ${id}
      and status = 'enabled') as ${sql.raw(`"${id}Prefix"`)}`,
  );
  const columns = sql`id, product, project_id as "projectId", permissions, version, resources,
    source_ips as "sourceIps", disabled_at as "disabledAt", expires_at as "expiresAt", ${sql.join(prefixes, sql`, `)}`;
  // While credentials are rotated, the first use of the new key is recorded at once.
  const [credential] = await db.all<GatewayCredential>(sql`
    select ${columns}, credentials.sealed_secret as "sealedSecret", credentials.sealing_key_id as "sealingKeyId",
      case when credential_id is not null and first_used_at is null then null else last_used_at end as "lastUsedAt"
    from credentials left join rotations on credential_id = id where key = ${accessKey} and nats_account_id is null
    union all
    select ${columns}, rotations.sealed_secret, rotations.sealing_key_id, previous_last_used_at
    from rotations join credentials on id = credential_id
    where previous_key = ${accessKey} and nats_account_id is null`);
  return credential ?? null;
}

/** Whether credentials with this access key exist. */
export async function accessKeyExists(db: Database, accessKey: string): Promise<boolean> {
  const found = await db.all(sql`select 1 from credentials where key = ${accessKey}
    union all select 1 from rotations where previous_key = ${accessKey}`);
  return found.length > 0;
}

/** Returns the statement that selects the access keys of a project for {@link accessKeysOf}, most recently used first. */
export function selectAccessKeys(projectId: string): SQL {
  const ofProject = sql`project_id = ${projectId} and nats_account_id is null`;
  return sql`select key, last_used_at from credentials where ${ofProject}
    union all
    select previous_key, last_used_at from rotations join credentials on credentials.id = credential_id
      where ${ofProject}
    order by last_used_at desc`;
}

/** Returns the access keys in the result of {@link selectAccessKeys}. */
export function accessKeysOf(result: Parameters<typeof rowsOf>[0]): string[] {
  return rowsOf<{ key: string }>(result).map(({ key }) => key);
}

/** Records a use of an access key, unless a use of its credentials after `since` is already recorded. */
export async function recordGatewayUse(
  db: Database,
  { id, accessKey }: { id: string; accessKey: string },
  now: number,
  since: number,
): Promise<void> {
  await db.batch(
    sql`update credentials set last_used_at = ${now} where id = ${id} and coalesce(last_used_at, 0) <= ${since}`,
    ...recordRotationUses(sql`(select ${accessKey} as key, ${now} as at) used`),
  );
}
