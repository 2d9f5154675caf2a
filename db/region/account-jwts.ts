/**
 * The stored account JWTs, which save the resolver reading the revocations and signing. The version of a JWT begins with
 * the revision that it was composed for, so a change needs to delete nothing.
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

/** An account's newest revision, and its stored JWT, which can be older. */
export interface StoredAccountJwt {
  id: string;
  revision: number;
  /** The version of the stored JWT; null if there is none. */
  version: string | null;
  /** Null if there is none, or it is longer than requested. */
  jwt: string | null;
}

/** Returns the accounts with these ids and their stored JWTs of at most `maxLength` characters. Leaves out unknown ids. */
export function getAccountJwts(
  db: Database,
  ids: readonly string[],
  maxLength: number,
): Promise<StoredAccountJwt[]> {
  return db.all<StoredAccountJwt>(
    sql`select id, revision, version, case when length(jwt) <= ${maxLength} then jwt end as jwt
      from (select value as requested from json_each(${JSON.stringify(ids)}))
      cross join nats_accounts on id = requested left join nats_account_jwts on account_id = id`,
  );
}

/** The version of a JWT composed from this revision and these inputs. */
export function versionOf({ revision, inputs }: Pick<AccountJwt, 'revision' | 'inputs'>): string {
  return `${revision}-${inputs}`;
}

/** Returns the statement that stores a JWT, unless the account has a newer revision by now. */
export function storeAccountJwt({ id, revision, inputs, jwt }: AccountJwt): SQL {
  return sql`insert into nats_account_jwts (account_id, version, jwt)
    select id, ${versionOf({ revision, inputs })}, ${jwt} from nats_accounts
    where id = ${id} and revision = ${revision}
    on conflict (account_id) do update set version = excluded.version, jwt = excluded.jwt
      where version <> excluded.version or jwt <> excluded.jwt`;
}
