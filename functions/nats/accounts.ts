/**
 * Creates the keys and sealed seeds of NATS accounts and roles, and the JWTs of their users. An account's identity seed is
 * discarded at creation; signing seeds are sealed; a user's seed exists only in the creds.
 */
import type { IdempotentRequest } from '../../db/idempotency.ts';
import {
  createAccount as insertAccount,
  type NatsAccount,
  type StorageReservation,
} from '../../db/region/accounts.ts';
import type { NatsRole } from '../../db/region/roles.ts';
import { boundedCache } from '../shared/bounded-cache.ts';
import type { RandomBytes } from '../shared/bytes.ts';
import type { Config, NatsSettings, Region, SealingKey } from '../shared/env.ts';
import { open, type Sealed, seal } from '../shared/sealing.ts';
import type { WriteContext } from '../shared/write-context.ts';
import { credsText } from './creds.ts';
import { systemAccountJwt, userJwt } from './jwt.ts';
import { createKey, importSeed, KEY_BYTES, keyOf, type SigningKey } from './keys.ts';

/** What a signing key belongs to. */
type SignerKind = 'nats_account' | 'nats_role';

/** Creates a signing key of an account or of a role, as its row stores it. */
export async function newSigningKey(
  context: WriteContext,
  kind: SignerKind,
  id: string,
): Promise<{ signingKey: string; sealedSigningSeed: string; sealingKeyId: string }> {
  const { publicKey, seed } = await createKey('account');
  const sealed = await seal(context.sealingKeys, { kind, region: context.region.name, id }, seed);
  return { signingKey: publicKey, sealedSigningSeed: sealed.text, sealingKeyId: sealed.keyId };
}

/**
 * Creates a NATS account in a project. Fails if `once` was done before, the organization's quota is used up, or the
 * region's servers have no storage left for the account.
 */
export async function createAccount(
  context: WriteContext,
  input: { name: string; projectId: string; organizationId: string },
  idempotency: IdempotentRequest | null,
): ReturnType<typeof insertAccount> {
  const { publicKey: id } = await createKey('account');
  const account = {
    ...input,
    id,
    ...(await newSigningKey(context, 'nats_account', id)),
    guest: context.guest ? 1 : 0,
  };
  const promises = storageReservations(context.region, context.nats);
  return insertAccount(context.regionDb, context.audit, account, {
    idempotency,
    quota: context.quotas.nats_accounts,
    promises,
  });
}

/**
 * Returns the storage that every account reserves, for each kind of storage with a configured capacity. An unlimited
 * account reserves nothing.
 */
function storageReservations(
  { natsCapacity }: Region,
  { account_limits, guest_limits }: NatsSettings,
): StorageReservation[] {
  return (['disk', 'memory'] as const).flatMap((member) => {
    const capacity = natsCapacity[member];
    const [account, guest] = [Math.max(0, account_limits[member]), Math.max(0, guest_limits[member])];
    return capacity === null ? [] : [{ capacity, account, guest }];
  });
}

/**
 * Cache of imported signing keys; their seeds cannot be read back. Opening and importing one costs as much as creating
 * creds.
 */
const imported = boundedCache<SigningKey>(2000);

/**
 * Returns the key that signs the JWTs of users with full access to an account, or of a role's users. `row` must be a
 * current row: its sealed seed is part of the cache key.
 */
export function signingKeyOf(
  sealingKeys: readonly SealingKey[],
  region: string,
  row: Pick<NatsAccount | NatsRole, 'id' | 'sealingKeyId' | 'sealedSigningSeed'>,
  kind: SignerKind = 'nats_account',
): Promise<SigningKey> {
  const { id } = row;
  const sealed: Sealed = { keyId: row.sealingKeyId, text: row.sealedSigningSeed };
  const name = [region, id, sealed.keyId, sealed.text].join(' ');
  return imported(name, async () => importSeed(await open(sealingKeys, { kind, region, id }, sealed)));
}

/**
 * Creates the creds of a user of the account, with full access or with a role. `key` is the user's public key and `content`
 * the text of the file, or only the JWT if the public key is the caller's. Equal bytes, name and times (milliseconds since
 * the epoch) give equal creds.
 */
export async function issueCreds(
  context: WriteContext,
  account: NatsAccount,
  role: NatsRole | null,
  {
    name,
    createdAt,
    expiresAt,
    publicKey,
  }: { name: string; createdAt: number; expiresAt: number | null; publicKey: string | null },
  random: RandomBytes,
): Promise<{ key: string; content: string }> {
  const [user, issuer] = await Promise.all([
    publicKey === null ? keyOf('user', random(KEY_BYTES)) : { publicKey, seed: null },
    role
      ? signingKeyOf(context.sealingKeys, context.region.name, role, 'nats_role')
      : signingKeyOf(context.sealingKeys, context.region.name, account),
  ]);
  const jwt = await userJwt({
    publicKey: user.publicKey,
    name,
    issuer,
    issuerAccount: account.id,
    issuedAt: Math.floor(createdAt / 1000),
    expiresAt: expiresAt === null ? undefined : Math.floor(expiresAt / 1000),
    scoped: role !== null,
  });
  return { key: user.publicKey, content: user.seed === null ? jwt : credsText(jwt, user.seed) };
}

const configured = new Map<string, Promise<SigningKey>>();

/** Returns the key of a configured seed, cached for the life of the isolate. */
function configuredKey(seed: string): Promise<SigningKey> {
  let key = configured.get(seed);
  if (!key) {
    key = importSeed(seed);
    configured.set(seed, key);
  }
  return key;
}

export function operatorKey({
  operatorSigningSeed,
}: Pick<Config, 'operatorSigningSeed'>): Promise<SigningKey> {
  return configuredKey(operatorSigningSeed);
}

/** Returns the identity key of a region's system account. */
export function systemKey({ systemSeed }: Region): Promise<SigningKey> {
  return configuredKey(systemSeed);
}

/** Returns the JWT of a region's system account. It changes only when the operator's key does. */
export function composeSystemAccountJwt(operator: SigningKey, id: string): Promise<string> {
  return systemAccountJwt({ id, issuer: operator, issuedAt: 0 });
}
