/**
 * Encodes and signs the JWTs of operators, accounts and users (NATS JWT v2, `ed25519-nkey`). Callers decide who gets
 * one and when it expires.
 *
 * Encoding is deterministic: equal input gives an equal JWT, whatever the order of revocations. All times are in whole
 * seconds since the epoch unless a name says otherwise.
 */
import { base32, base64url, type SigningKey } from './keys.ts';

/** Limits of an account. −1 means unlimited. Storage limits are reservations that the server sets aside. */
export interface AccountLimits {
  /** Concurrent connections. */
  connections: number;
  /** Maximum message size in bytes. */
  payload: number;
  /** Bytes of JetStream streams in memory. */
  memory: number;
  /** Bytes of JetStream streams on disk. */
  disk: number;
  streams: number;
  consumers: number;
}

/** The subjects that a user can use; wildcards are allowed. An empty list allows none. */
export interface UserPermissions {
  publish: readonly string[];
  subscribe: readonly string[];
}

/** Subjects as the server reads them: without `allow`, everything but `deny`. Neither list can be empty. */
interface Permission {
  allow?: readonly string[];
  deny?: readonly string[];
}

/** A signing key of an account whose users all have the permissions and limits of a template. */
export interface UserScope {
  kind: 'user_scope';
  /** The public key `A…`. */
  key: string;
  /** A name of the scope. */
  role: string;
  template: {
    pub: Permission;
    sub: Permission;
    /** Replies that are allowed to each received message, and for how many nanoseconds. */
    resp?: { max: number; ttl: number };
    /** CIDR blocks. */
    src?: readonly string[];
    subs: number;
    data: number;
    payload: number;
    allowed_connection_types?: readonly string[];
  };
}

interface Claims {
  sub: string;
  name: string;
  iat: number;
  exp?: number | undefined;
  jti?: string;
  nats: { type: 'operator' | 'account' | 'user'; [claim: string]: unknown };
}

/** The value of a limit that restricts nothing. */
export const UNLIMITED = -1;

/**
 * Subjects that no user can publish to: the part of JetStream's API for the system account. Servers should check this
 * themselves, but some older ones did not and let users purge other accounts (CVE-2025-30215).
 */
export const DENIED: readonly string[] = ['$JS.API.ACCOUNT.>', '$JS.API.SERVER.>', '$JS.API.META.>'];
const utf8 = new TextEncoder();
const HEADER = base64url(utf8.encode('{"typ":"JWT","alg":"ed25519-nkey"}'));

/**
 * Returns the self-signed JWT of an operator, which a nats-server is configured to trust. Account JWTs can be signed by
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
 * Returns the JWT of an account. It is public, so its name is only its id (`A…`). Its users can use every subject but
 * {@link DENIED}: as the account's default this also covers user JWTs created long ago.
 *
 * - `issuer`: a key of the operator.
 * - `signingKeys`: public keys `A…` that can sign its users' JWTs, in addition to the account's identity key, some with
 *   a template for these users.
 * - `revocations`: a user's public key, or `*` for everyone, → time: users issued then or earlier are rejected.
 * - `limits`: those given; the others are unlimited.
 * - `expiresAt`: servers then reject the account until they get a newer JWT. Without it: never.
 */
export function accountJwt(account: {
  id: string;
  issuer: SigningKey;
  signingKeys: readonly (string | UserScope)[];
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
 * Returns the JWT of a system account: without JetStream, which no system account can have, and without signing keys,
 * because its identity key signs its users. Members as in {@link accountJwt}.
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
 * Returns the JWT of a user, who connects with the seed of `publicKey` (`U…`).
 *
 * - `name`: any text; anyone with the JWT can read it.
 * - `issuer`: the identity key or a signing key of `issuerAccount` (`A…`).
 * - `expiresAt`: the server then disconnects the user. Without it: never.
 * - `permissions`: without them, everything within the account.
 * - `scoped`: whether the issuer is the key of a {@link UserScope}. Servers reject such a user with permissions or limits.
 */
export function userJwt(user: {
  publicKey: string;
  name: string;
  issuer: SigningKey;
  issuerAccount: string;
  issuedAt: number;
  expiresAt?: number | undefined;
  permissions?: UserPermissions | undefined;
  scoped?: boolean | undefined;
}): Promise<string> {
  const { permissions, scoped } = user;
  return encode(user.issuer, {
    sub: user.publicKey,
    name: user.name,
    iat: user.issuedAt,
    exp: user.expiresAt,
    nats: {
      type: 'user',
      ...(permissions && { pub: only(permissions.publish), sub: only(permissions.subscribe) }),
      ...(!scoped && { subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED }),
      // Like the NATS libraries: if the identity key signs, the issuer already names the account.
      ...(user.issuer.publicKey !== user.issuerAccount && { issuer_account: user.issuerAccount }),
    },
  });
}

async function encodeAccount(
  account: Omit<Parameters<typeof accountJwt>[0], 'limits'>,
  members: { limits: Record<string, number | boolean>; default_permissions?: { pub: Permission } },
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

// Write every limit: the server reads an absent one as zero.
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

// The server reads an empty list of allowed subjects as all subjects.
function only(subjects: readonly string[]): Permission {
  return subjects.length > 0 ? { allow: subjects } : { deny: ['>'] };
}

// Servers that store accounts ignore a JWT with the id of their current one, so the id is a digest, as in the NATS
// libraries. Users get none: nothing reads it, and in Node a digest costs half a signature.
async function identified(claims: Claims): Promise<Claims> {
  const digest = await crypto.subtle.digest('SHA-256', utf8.encode(JSON.stringify(claims)));
  return { jti: base32(new Uint8Array(digest)), ...claims };
}

async function encode(issuer: SigningKey, { nats, ...registered }: Claims): Promise<string> {
  const claims = { ...registered, iss: issuer.publicKey, nats: { ...nats, version: 2 } };
  const signed = `${HEADER}.${base64url(utf8.encode(JSON.stringify(claims)))}`;
  return `${signed}.${base64url(await issuer.sign(utf8.encode(signed)))}`;
}
