/**
 * The JWTs a nats-server trusts (NATS JWT v2, `ed25519-nkey`): of an operator, of its accounts, of their users.
 * Encodes and signs what it is told; who may be issued what, and when it ends, is decided elsewhere.
 *
 * Encoding is deterministic: equal input gives an equal JWT, whatever the order of revocations.
 * Every time is in whole seconds since 1970, except where a name says otherwise.
 */
import { base32, base64url, type SigningKey } from './keys.ts';

/** What an account may use at most. −1: no limit. Storage limits are reservations: the server sets them aside. */
export interface AccountLimits {
  /** Connections at one time. */
  connections: number;
  /** Bytes of one message. */
  payload: number;
  /** Bytes of JetStream streams in memory. */
  memory: number;
  /** Bytes of JetStream streams on disk. */
  disk: number;
  /** JetStream streams. */
  streams: number;
  /** JetStream consumers. */
  consumers: number;
}

/** The subjects that a user may use, wildcards allowed. An empty list allows none. */
export interface UserPermissions {
  publish: readonly string[];
  subscribe: readonly string[];
}

interface Claims {
  sub: string;
  name: string;
  iat: number;
  exp?: number | undefined;
  jti?: string;
  nats: { type: 'operator' | 'account' | 'user'; [claim: string]: unknown };
}

const UNLIMITED = -1;

/**
 * What no user of an account may publish to: the part of JetStream's API that is for the system account alone. The
 * servers check that themselves; some older ones did not, and purged other accounts (CVE-2025-30215).
 */
const DENIED = ['$JS.API.ACCOUNT.>', '$JS.API.SERVER.>', '$JS.API.META.>'];
const utf8 = new TextEncoder();
const HEADER = base64url(utf8.encode('{"typ":"JWT","alg":"ed25519-nkey"}'));

/**
 * The self-signed JWT of an operator, which a nats-server is configured to trust. Account JWTs may be signed by
 * `identity` or any of `signingKeys` (public keys `O…`). `now` is in milliseconds.
 */
export async function operatorJwt(operator: {
  name: string;
  identity: SigningKey;
  signingKeys: readonly string[];
  now: number;
}): Promise<string> {
  const claims = await identified({
    sub: operator.identity.publicKey,
    name: operator.name,
    iat: Math.floor(operator.now / 1000),
    nats: { type: 'operator', signing_keys: operator.signingKeys },
  });
  return encode(operator.identity, claims);
}

/**
 * The JWT of an account. It is public, so its name is its id (`A…`) and tells nothing. Its users may use every subject
 * but {@link DENIED}: as the account's default, this holds for user JWTs that were issued long ago as well.
 *
 * - `issuer`: a key of the operator.
 * - `signingKeys`: public keys `A…` that may sign its users' JWTs beside the account's identity key.
 * - `revocations`: a user's public key, or `*` for everyone, → time: users issued then or earlier are refused.
 * - `limits`: those given; the others are unlimited.
 * - `expiresAt`: from then on servers refuse the account until they get a newer JWT. Without it: never.
 */
export function accountJwt(account: {
  id: string;
  issuer: SigningKey;
  signingKeys: readonly string[];
  issuedAt: number;
  revocations: Readonly<Record<string, number>>;
  limits?: Partial<AccountLimits> | undefined;
  expiresAt?: number | undefined;
}): Promise<string> {
  const { memory, disk, streams, consumers, ...core } = account.limits ?? {};
  return encodeAccount(account, {
    limits: {
      ...coreLimits(core),
      mem_storage: memory ?? UNLIMITED,
      disk_storage: disk ?? UNLIMITED,
      streams: streams ?? UNLIMITED,
      consumer: consumers ?? UNLIMITED,
    },
    default_permissions: { pub: { deny: DENIED } },
  });
}

/**
 * The JWT of a system account: an account without JetStream, which no system account may have, and without signing
 * keys: its users are signed by its identity key. Members as in {@link accountJwt}.
 */
export function systemAccountJwt(account: {
  id: string;
  issuer: SigningKey;
  issuedAt: number;
  expiresAt?: number | undefined;
}): Promise<string> {
  return encodeAccount({ ...account, signingKeys: [], revocations: {} }, { limits: coreLimits({}) });
}

/**
 * The JWT of a user, who connects with the seed of `publicKey` (`U…`).
 *
 * - `name`: any text; whoever holds the JWT reads it.
 * - `issuer`: the identity key or a signing key of `issuerAccount` (`A…`).
 * - `expiresAt`: the server then disconnects the user. Without it: never.
 * - `permissions`: without them, everything within the account.
 */
export function userJwt(user: {
  publicKey: string;
  name: string;
  issuer: SigningKey;
  issuerAccount: string;
  issuedAt: number;
  expiresAt?: number | undefined;
  permissions?: UserPermissions | undefined;
}): Promise<string> {
  const { permissions } = user;
  return encode(user.issuer, {
    sub: user.publicKey,
    name: user.name,
    iat: user.issuedAt,
    exp: user.expiresAt,
    nats: {
      type: 'user',
      ...(permissions && { pub: only(permissions.publish), sub: only(permissions.subscribe) }),
      subs: UNLIMITED,
      data: UNLIMITED,
      payload: UNLIMITED,
      // As the NATS libraries write it: signed by the identity key, the issuer names the account already.
      ...(user.issuer.publicKey !== user.issuerAccount && { issuer_account: user.issuerAccount }),
    },
  });
}

async function encodeAccount(
  account: Omit<Parameters<typeof accountJwt>[0], 'limits'>,
  members: { limits: Record<string, number | boolean>; default_permissions?: { pub: { deny: string[] } } },
): Promise<string> {
  const revocations = Object.entries(account.revocations).sort(([a], [b]) => (a < b ? -1 : 1));
  const claims = await identified({
    sub: account.id,
    name: account.id,
    iat: account.issuedAt,
    exp: account.expiresAt,
    nats: {
      type: 'account',
      ...members,
      ...(account.signingKeys.length > 0 && { signing_keys: account.signingKeys }),
      ...(revocations.length > 0 && { revocations: Object.fromEntries(revocations) }),
    },
  });
  return encode(account.issuer, claims);
}

// The server takes a limit that is absent for zero, so that each is spelled out.
function coreLimits({ connections, payload }: Partial<AccountLimits>): Record<string, number | boolean> {
  return {
    subs: UNLIMITED,
    data: UNLIMITED,
    payload: payload ?? UNLIMITED,
    imports: UNLIMITED,
    exports: UNLIMITED,
    wildcards: true,
    conn: connections ?? UNLIMITED,
    leaf: UNLIMITED,
  };
}

// To the server an empty list of allowed subjects means all of them.
function only(subjects: readonly string[]): { allow: readonly string[] } | { deny: readonly string[] } {
  return subjects.length > 0 ? { allow: subjects } : { deny: ['>'] };
}

// Servers that store accounts take a JWT with the id of the one they have for no news: it is a digest, as the NATS
// libraries make it. Users go without: nothing reads theirs, and in Node a digest costs half a signature.
async function identified(claims: Claims): Promise<Claims> {
  const digest = await crypto.subtle.digest('SHA-256', utf8.encode(JSON.stringify(claims)));
  return { jti: base32(new Uint8Array(digest)), ...claims };
}

async function encode(issuer: SigningKey, { nats, ...registered }: Claims): Promise<string> {
  const claims = { ...registered, iss: issuer.publicKey, nats: { ...nats, version: 2 } };
  const signed = `${HEADER}.${base64url(utf8.encode(JSON.stringify(claims)))}`;
  return `${signed}.${base64url(await issuer.sign(utf8.encode(signed)))}`;
}
