/**
 * Composes account JWTs from their rows. Each is stored when a server first requests it or it is pushed, and served from
 * there until its account's revision, the settings, the operator's key, the lease or this code changes.
 */
import type { Database } from '../../db/database.ts';
import { type AccountJwt, getAccountJwt, storeAccountJwt } from '../../db/region/account-jwts.ts';
import { type AccountState, getAccountState } from '../../db/region/account-sync.ts';
import type { NatsAccount } from '../../db/region/accounts.ts';
import type { Config, NatsSettings } from '../shared/env.ts';
import { operatorKey } from './accounts.ts';
import { accountJwt } from './jwt.ts';
import { base64url } from './keys.ts';

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
}

/** Returns the account JWT for these rows. Deterministic until {@link leaseEnd} changes. */
export async function composeAccountJwt(
  config: Pick<Config, 'nats' | 'operatorSigningSeed'>,
  { account, revocations }: JwtRows,
  now: number,
): Promise<string> {
  const { account_limits, guest_limits } = config.nats;
  const limits = account.guest ? guest_limits : account_limits;
  return accountJwt({
    id: account.id,
    issuer: await operatorKey(config),
    signingKeys: [account.signingKey],
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
      })),
    ),
  );
  const jwts = await Promise.all(kinds.map((rows) => composeAccountJwt(config, rows, 0)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(jwts.join()));
  return base64url(new Uint8Array(digest));
}

/**
 * Returns the newest JWT of an account with its version, which is different for every other text; null for an unknown
 * id. If it had to be composed, `store` stores it for the next time.
 */
export async function getCurrentJwt(
  config: Config,
  regionDb: Database,
  id: string,
  now: number,
): Promise<{ jwt: string; version: string; store?: () => Promise<unknown> } | null> {
  const inputs = await inputsOf(config, now);
  const stored = await getAccountJwt(regionDb, id, inputs);
  if (!stored) return null;
  const { revision, jwt } = stored;
  if (jwt !== null) return { jwt, version: `${revision}-${inputs}` };
  const state = await getAccountState(regionDb, id);
  if (!state) return null;
  const composed = await composeForStore(config, state, now);
  return {
    jwt: composed.jwt,
    version: `${composed.revision}-${composed.inputs}`,
    store: () => regionDb.all(storeAccountJwt(composed)),
  };
}
