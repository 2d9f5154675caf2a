/**
 * Authenticates a signed request: parses the signature, looks up the access key in the region's database and verifies
 * the signature. This takes one round trip to that database and to no other, or none if the key is malformed or known
 * not to exist. Authorization is in execute.ts.
 */
import type { Context } from 'hono';
import { type Database, openDatabase } from '../../db/database.ts';
import { findGatewayCredential, type GatewayCredential } from '../../db/region/gateway.ts';
import { isAccessKey } from '../shared/access-keys.ts';
import { boundedCache } from '../shared/bounded-cache.ts';
import type { Config, Region } from '../shared/env.ts';
import type { AppEnv } from '../shared/http.ts';
import { countUnknownToken } from '../shared/rate-limits.ts';
import { open, UnknownSealingKey } from '../shared/sealing.ts';
import { isService, type Service } from './actions.ts';
import { type FaultCode, faults, GatewayError, throttledUntil } from './errors.ts';
import { deriveKey, readSignature, type SignatureReason, type Signed, verifySignature } from './sigv4.ts';

/** A request with a verified signature. */
export interface Caller {
  service: Service;
  region: Region;
  regionDb: Database;
  accessKey: string;
  credential: GatewayCredential;
}

/** Maps reasons to wire faults. A reason that is not listed is reported as `incomplete_signature`. */
const FAULT_OF: Partial<Record<SignatureReason, FaultCode>> = {
  unsigned: 'unsigned',
  session_token: 'unknown_key',
  clock_skew: 'skewed',
  expired: 'expired',
  host_unsigned: 'bad_signature',
  header_unsigned: 'bad_signature',
  payload_hash_differs: 'bad_signature',
  payload_unsigned: 'bad_signature',
  signature_mismatch: 'bad_signature',
};

/**
 * Parses the signature and resolves the region and service of its scope, without verifying it. Throws a
 * {@link GatewayError} with the problem.
 */
export function readClaim(
  request: Request,
  config: Config,
  now: number,
): { signed: Signed; service: Service; region: Region } {
  const { pathname, search } = new URL(request.url);
  const head = { method: request.method, path: pathname, query: search.slice(1), headers: request.headers };
  const read = readSignature(head, now);
  if (!read.ok) throw signatureError(read.reason);
  const { signed } = read;
  const region = config.regions.get(signed.scope.region);
  const { service } = signed.scope;
  if (!region || !isService(service)) {
    const regions = [...config.regions.keys()].join(', ');
    throw new GatewayError(
      'wrong_scope',
      `${faults.wrong_scope.message} The regions are ${regions}; the services are sqs and sns.`,
    );
  }
  return { signed, service, region };
}

/**
 * Looks up the access key and verifies the signature over the complete `body`. Throws a {@link GatewayError} if the
 * key does not exist or the signature does not match.
 */
export async function authenticate(
  c: Context<AppEnv>,
  { signed, service, region }: ReturnType<typeof readClaim>,
  body: Uint8Array<ArrayBuffer>,
): Promise<Caller> {
  const { accessKey } = signed;
  const name = `${region.name} ${service} ${accessKey}`;
  if (!isAccessKey(accessKey) || isCachedAsUnknown(name)) throw new GatewayError('unknown_key');
  const regionDb = openDatabase(region.database);
  const credential = await findGatewayCredential(regionDb, service, accessKey);
  if (!credential) {
    if (!isCachedAsUnknown(name)) {
      cacheAsUnknown(name);
      const until = await countUnknownToken(c);
      if (until !== undefined) throw throttledUntil(until);
    }
    throw new GatewayError('unknown_key');
  }
  const key = await signingKey(c.get('config'), region, credential, signed);
  const verified = await verifySignature(signed, body, key);
  if (!verified.ok) throw signatureError(verified.reason);
  return { service, region, regionDb, accessKey, credential };
}

/**
 * Negative cache: access keys that do not exist, with the time when the entry expires. It is safe because a key is
 * stored before it is returned to its owner, and a deleted key never reappears except from a backup. It keeps a busy
 * client with a revoked key cheap, and counts it rarely: otherwise its requests would block other clients on the same
 * network.
 */
const unknownKeys = new Map<string, number>();
const NEGATIVE_TTL_MS = 10_000;
const MAX_UNKNOWN_KEYS = 10_000;

function isCachedAsUnknown(name: string): boolean {
  const until = unknownKeys.get(name);
  if (until !== undefined && until <= Date.now()) unknownKeys.delete(name);
  return unknownKeys.has(name);
}

function cacheAsUnknown(name: string): void {
  const [oldest] = unknownKeys.keys();
  if (oldest !== undefined && unknownKeys.size >= MAX_UNKNOWN_KEYS) unknownKeys.delete(oldest);
  unknownKeys.set(name, Date.now() + NEGATIVE_TTL_MS);
}

function signatureError(reason: SignatureReason): GatewayError {
  const fault = FAULT_OF[reason] ?? 'incomplete_signature';
  if (reason === 'session_token') return new GatewayError(fault, SESSION_TOKEN);
  const message = fault === 'unsigned' ? undefined : `${faults[fault].message} (${reason})`;
  return new GatewayError(fault, message);
}

const SESSION_TOKEN =
  'The request has a session token (X-Amz-Security-Token), which is not supported. Configure only the access key and the secret key.';

/**
 * Signing keys by credential and scope. They are not extractable, and are used only after the database has returned
 * the credential.
 */
const signingKeys = boundedCache<CryptoKey>(2000);

/**
 * Returns the signing key for the scope. The cache key includes the row as just read, so a changed secret is never
 * matched with an old key.
 */
function signingKey(
  config: Config,
  region: Region,
  credential: GatewayCredential,
  { scope }: Signed,
): Promise<CryptoKey> {
  const { id, sealingKeyId, sealedSecret } = credential;
  const name = [id, sealingKeyId, sealedSecret, scope.date, scope.region, scope.service].join(' ');
  return signingKeys(name, async () => deriveKey(await decryptSecret(config, region, credential), scope));
}

async function decryptSecret(
  { sealingKeys }: Config,
  region: Region,
  { id, sealingKeyId, sealedSecret }: GatewayCredential,
): Promise<string> {
  const context = { kind: 'credential', region: region.name, id } as const;
  try {
    return await open(sealingKeys, context, { keyId: sealingKeyId, text: sealedSecret });
  } catch (error) {
    // Neither error is the client's fault. After 503, a retry can reach an isolate that has the sealing key.
    const reason = error instanceof Error ? error.message : 'unknown';
    console.error(JSON.stringify({ credential: id, region: region.name, reason }));
    throw new GatewayError(error instanceof UnknownSealingKey ? 'unavailable' : 'internal');
  }
}
