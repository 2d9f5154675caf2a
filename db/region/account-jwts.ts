/**
 * The stored account JWTs, which save the resolver reading the revocations and signing. A JWT is only returned for the
 * revision that it was composed for, so a change needs to delete nothing.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** A JWT to store. */
export interface AccountJwt {
  id: string;
  /** The revision of the rows that it was composed from. */
  revision: number;
  /** Identifies everything else that it was composed from. */
  inputs: string;
  jwt: string;
}

/**
 * Returns the account's newest revision with its stored JWT, or with null if none is stored that was composed from this
 * revision and these inputs. Returns null for an unknown id.
 */
export async function getAccountJwt(
  db: Database,
  id: string,
  inputs: string,
): Promise<{ revision: number; jwt: string | null } | null> {
  const rows = await db.all<{ revision: number; jwt: string | null }>(
    sql`select revision, jwt from nats_accounts left join nats_account_jwts
      on account_id = nats_accounts.id and version = ${versionOf(inputs)} where nats_accounts.id = ${id}`,
  );
  return rows[0] ?? null;
}

const versionOf = (inputs: string): SQL => sql`revision || '-' || ${inputs}`;

/** Returns the statement that stores a JWT, unless the account has a newer revision by now. */
export function storeAccountJwt({ id, revision, inputs, jwt }: AccountJwt): SQL {
  return sql`insert into nats_account_jwts (account_id, version, jwt)
    select id, ${versionOf(inputs)}, ${jwt} from nats_accounts where id = ${id} and revision = ${revision}
    on conflict (account_id) do update set version = excluded.version, jwt = excluded.jwt
      where version <> excluded.version`;
}
