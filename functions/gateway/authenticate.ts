/**
 * Authenticates a signed request: parses the signature, asks the access key's guard for its credentials and verifies
 * the signature. Reads a database only if the key was certainly not created here, or its guard cannot be reached.
 * Authorization is in execute.ts.
 */
import { BlockList, isIP } from 'node:net';
import type { Context } from 'hono';
import { type Database, openDatabase } from '../../db/database.ts';
import { accessKeyExists, type GatewayCredential } from '../../db/region/gateway.ts';
import { type Admitted, admit } from '../guard/guards.ts';
import { hasCheck, isAccessKey } from '../shared/access-keys.ts';
import { boundedCache } from '../shared/bounded-cache.ts';
import type { Config, Region } from '../shared/env.ts';
import type { AppEnv } from '../shared/http.ts';
import { countUnknownToken } from '../shared/rate-limits.ts';
import { open, UnknownSealingKey } from '../shared/sealing.ts';
import { isService, type Service } from './actions.ts';
import { type FaultCode, faults, GatewayError, throttledUntil } from './errors.ts';
import { deriveKey, readSignature, type SignatureReason, type Signed, verifySignature } from './sigv4.ts';

/** A request with a verified signature, which {@link requireInForce} has not checked yet. */
export interface Caller {
  service: Service;
  region: Region;
  regionDb: Database;
  accessKey: string;
  /** The client's IP address; empty if it is unknown. */
  address: string;
  credential: GatewayCredential;
  /** Where the credentials were read. */
  from: Admitted['from'];
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
  { method, headers }: Request,
  { pathname, search }: URL,
  config: Config,
  now: number,
): { signed: Signed; service: Service; region: Region } {
  const head = { method, path: pathname, query: search.slice(1), headers };
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
 * Finds the credentials of the access key and verifies the signature over the complete `body`. Throws a
 * {@link GatewayError} if the key does not exist or the signature does not match. Does not check whether the credentials
 * are in force, so that requests with disabled and expired ones are counted as theirs.
 */
export async function authenticate(
  c: Context<AppEnv>,
  { signed, service, region }: ReturnType<typeof readClaim>,
  body: Uint8Array<ArrayBuffer>,
): Promise<Caller> {
  const { accessKey } = signed;
  const regionDb = openDatabase(region.database);
  if (!(await canExist(c, region, regionDb, accessKey))) throw new GatewayError('unknown_key');
  const { credential, from } = await admit(c.get('config'), region, accessKey);
  if (!isOf(credential, service)) throw new GatewayError('unknown_key');
  const key = await signingKey(c.get('config'), region, credential, signed);
  const verified = await verifySignature(signed, body, key);
  if (!verified.ok) throw signatureError(verified.reason);
  const address = c.req.header('CF-Connecting-IP') ?? '';
  return { service, region, regionDb, accessKey, address, credential, from };
}

/** Whether credentials exist, belong to the service, and the service is active in their project. */
export function isOf(
  credential: GatewayCredential | null,
  service: Service,
): credential is GatewayCredential {
  return credential?.product === service && credential[`${service}Prefix`] !== null;
}

/**
 * Throws unless the credentials are in force at `now`, in milliseconds since the epoch, for requests from this address.
 * Call it after the signature is verified: only their owner learns why they are rejected.
 */
export function requireInForce(
  { disabledAt, expiresAt, sourceIps }: GatewayCredential,
  address: string,
  now: number,
): void {
  if (expiresAt !== null && expiresAt <= now)
    throw new GatewayError('unknown_key', `The credentials expired at ${new Date(expiresAt).toISOString()}.`);
  if (disabledAt !== null) throw new GatewayError('unknown_key', 'The credentials are disabled.');
  if (sourceIps !== null && !isWithin(address, JSON.parse(sourceIps) as string[]))
    throw new GatewayError('denied', 'These credentials cannot be used from this IP address.');
}

const familyOf = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4');

/** Whether an address is in one of the CIDR blocks. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is one of IPv4. */
function isWithin(address: string, blocks: readonly string[]): boolean {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', length] = block.split('/');
    list.addSubnet(network, Number(length), familyOf(network));
  }
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}

/** Access keys that can exist: they have the check, or were found. Only their guards know whether they still exist. */
const possibleKeys = boundedCache<true>(10_000);

/**
 * Returns whether an access key can exist, so that guesses create no guards. Keys with the check were created here. The
 * database is asked about others. Throws 429 if the network has sent too many that do not exist.
 */
async function canExist(
  c: Context<AppEnv>,
  region: Region,
  regionDb: Database,
  accessKey: string,
): Promise<boolean> {
  if (!isAccessKey(accessKey)) return false;
  return possibleKeys(`${region.name} ${accessKey}`, async () => {
    if (hasCheck(accessKey, c.get('config').accessKeyCheck)) return true;
    if (await accessKeyExists(regionDb, accessKey)) return true;
    const until = await countUnknownToken(c);
    throw until === undefined ? new GatewayError('unknown_key') : throttledUntil(until);
  });
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
 * Signing keys by credential and scope. They are not extractable, and are used only with credentials
 * that the guard has returned.
 */
const signingKeys = boundedCache<CryptoKey>(2000);

/**
 * Returns the signing key for the scope. The cache key includes the sealed secret, so a changed secret is never matched
 * with an old key.
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
