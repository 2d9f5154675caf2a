/**
 * Composes account JWTs from their rows. Each is stored when a server first requests it or it is pushed, and served from
 * there until its account's revision, the settings, the operator's key, the lease or this code changes.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { openDatabase } from '../../db/database.ts';
import {
  type AccountJwt,
  getAccountJwts,
  type StoredAccountJwt,
  storeAccountJwt,
  versionOf,
} from '../../db/region/account-jwts.ts';
import { type AccountState, getAccountState } from '../../db/region/account-sync.ts';
import type { NatsAccount } from '../../db/region/accounts.ts';
import type { Config, NatsSettings, Region } from '../shared/env.ts';
import { operatorKey } from './accounts.ts';
import { type BatchedRead, batchReads } from './batch-reads.ts';
import { accountJwt } from './jwt.ts';
import { base64url } from './keys.ts';
import { definitionOf, type RoleDefinition, scopeOf } from './role-template.ts';

/**
 * Returns when an account JWT composed now expires, in seconds; undefined without a lease. Constant for a quarter of
 * the lease, so that JWTs stay equal between renewals.
 */
export function leaseEnd({ account_lease_seconds: lease }: NatsSettings, now: number): number | undefined {
  if (lease === 0) return undefined;
  const quarter = Math.floor(lease / 4);
  return (Math.floor(now / 1000 / quarter) + 4) * quarter;
}

/** Without streams nothing must be reserved: a server would keep the storage of a deleted account reserved. */
const NO_JETSTREAM = { memory: 0, disk: 0, streams: 0, consumers: 0 };

/** The rows of an account, as far as its JWT depends on them. A change of one comes with a new revision. */
interface JwtRows {
  account: Pick<NatsAccount, 'id' | 'signingKey' | 'issuedAt' | 'guest' | 'purgedAt'>;
  revocations: AccountState['revocations'];
  roles: AccountState['roles'];
}

/** Returns the account JWT for these rows. Deterministic until {@link leaseEnd} changes. */
export async function composeAccountJwt(
  config: Pick<Config, 'nats' | 'operatorSigningSeed'>,
  { account, revocations, roles }: JwtRows,
  now: number,
): Promise<string> {
  const { account_limits, guest_limits } = config.nats;
  const limits = account.guest ? guest_limits : account_limits;
  return accountJwt({
    id: account.id,
    issuer: await operatorKey(config),
    signingKeys: [account.signingKey, ...roles.map((role) => scopeOf(role, definitionOf(role)))],
    issuedAt: account.issuedAt,
    revocations,
    limits: account.purgedAt === null ? limits : { ...limits, ...NO_JETSTREAM },
    expiresAt: leaseEnd(config.nats, now),
  });
}

/** Like {@link composeAccountJwt}, with what is needed to store it. */
export async function composeForStore(config: Config, state: AccountState, now: number): Promise<AccountJwt> {
  const { id, revision } = state.account;
  const [jwt, inputs] = await Promise.all([composeAccountJwt(config, state, now), inputsOf(config, now)]);
  return { id, revision, inputs, jwt };
}

const samples = new WeakMap<Config, Promise<string>>();

/** Identifies everything except the rows that an account JWT is composed from now. */
async function inputsOf(config: Config, now: number): Promise<string> {
  let digest = samples.get(config);
  if (!digest) {
    digest = digestOfSamples(config);
    samples.set(config, digest);
  }
  return `${await digest}-${leaseEnd(config.nats, now) ?? 0}`;
}

const SAMPLE_ROLES = [
  { publish: { allow: [], deny: [] }, subscribe: { allow: [], deny: [] } },
  {
    publish: { allow: ['b', 'a'], deny: ['c'] },
    subscribe: { allow: ['d'], deny: ['e'] },
    responses: { max: 1, ttl_seconds: 2 },
    source_ips: ['192.0.2.0/24'],
    connection_types: ['standard'],
    max_subscriptions: 3,
    max_payload: 4,
  } satisfies RoleDefinition,
].map((definition) => ({ id: 'R', signingKey: 'A', definition: JSON.stringify(definition) }));

/**
 * Returns a digest of sample JWTs, one of each kind. It changes with the settings, the operator's key and the code that
 * composes JWTs, so nobody needs to remember a version number.
 */
async function digestOfSamples(config: Config): Promise<string> {
  const kinds = [0, 1].flatMap((guest) =>
    [null, 1].flatMap((purgedAt) =>
      [{}, { '*': 1, U: 2 }].map((revocations) => ({
        account: { id: 'A', signingKey: 'A', issuedAt: 0, guest, purgedAt },
        revocations,
        roles: SAMPLE_ROLES,
      })),
    ),
  );
  const jwts = await Promise.all(kinds.map((rows) => composeAccountJwt(config, rows, 0)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(jwts.join()));
  return base64url(new Uint8Array(digest));
}

/**
 * Reads stored JWTs that are requested at the same time in one query: a nats-server that restarts requests every account,
 * and gives up on each after two seconds. `patience` leaves half of that. With the maximum length (about 300
 * revocations), the size bounds the memory of a result.
 */
const BATCH = { size: 100, patience: 1000, maxLength: 32 * 1024 };

const readers = new WeakMap<D1Database, BatchedRead<StoredAccountJwt>>();

/** Returns the account, with its stored JWT if that is not too long. */
function readBatched(
  { database }: Region,
  id: string,
  keepAlive: (work: Promise<unknown>) => void,
): Promise<StoredAccountJwt | null> {
  const reader = readers.get(database) ?? batchReads(BATCH);
  readers.set(database, reader);
  const read = async (ids: readonly string[]) => {
    const rows = await getAccountJwts(openDatabase(database), ids, BATCH.maxLength);
    return new Map(rows.map((row) => [row.id, row]));
  };
  return reader(id, read, keepAlive);
}

async function readAlone({ database }: Region, id: string): Promise<StoredAccountJwt | null> {
  const [row] = await getAccountJwts(openDatabase(database), [id], Number.MAX_SAFE_INTEGER);
  return row ?? null;
}

/**
 * Returns the newest JWT of an account with its version, which is different for every other text; null for an unknown
 * id. `keepAlive` gets work that must continue if the client disconnects; it does not delay the result.
 */
export async function getCurrentJwt(
  config: Config,
  region: Region,
  id: string,
  now: number,
  keepAlive: (work: Promise<unknown>) => void,
): Promise<{ jwt: string; version: string } | null> {
  const inputs = await inputsOf(config, now);
  const isCurrent = (row: StoredAccountJwt) => row.version === versionOf({ revision: row.revision, inputs });
  let stored = await readBatched(region, id, keepAlive);
  if (stored?.jwt === null && isCurrent(stored)) stored = await readAlone(region, id);
  if (!stored) return null;
  const { version, jwt } = stored;
  if (version !== null && jwt !== null && isCurrent(stored)) return { jwt, version };
  const db = openDatabase(region.database);
  const state = await getAccountState(db, id);
  if (!state) return null;
  const composed = await composeForStore(config, state, now);
  keepAlive(db.all(storeAccountJwt(composed)));
  return { jwt: composed.jwt, version: versionOf(composed) };
}
