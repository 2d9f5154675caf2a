/**
 * Verifies AWS Signature Version 4 in the Authorization header or in the query (presigned URLs): parsing, validation,
 * time limits, key derivation and comparison. Each step is independent of the others, and the current time is a
 * parameter:
 *
 *     const read = readSignature(request, now) // without a look-up: the claimed access key and scope
 *     const key = await deriveKey(secretKey, read.signed.scope)
 *     const verified = await verifySignature(read.signed, body, key)
 *
 * Callers check the scope's region and service, look up the access key, authorize the request and write the error.
 * Pages and sections cited below are in "AWS Signature Version 4 for API requests" (AWS Identity and Access Management
 * User Guide).
 *
 * Not guaranteed: protection against replay. A captured request can be sent again until its signature expires.
 */
import {
  ALGORITHM,
  canonicalRequest,
  joinHeaders,
  type Parameter,
  parseQuery,
  type Scope,
  type Signable,
  stringToSign,
  TERMINATOR,
} from './sigv4-canonical.ts';

/** A request without its body. */
export interface RequestHead {
  method: string;
  /** The path of the request line with its escapes: `URL.pathname`. */
  path: string;
  /** The query without `?`; empty if there is none. */
  query: string;
  /** `Headers` or pairs; a name can occur more than once. */
  headers: Iterable<readonly [string, string]>;
}

/** A parsed signature: well-formed and within its time limits, but not verified. Do not trust any of its values. */
export interface Signed extends Signable {
  accessKey: string;
  scope: Scope;
  /** Time of signing, as in `x-amz-date`: `YYYYMMDDTHHMMSSZ`. */
  time: string;
  /** 32 bytes. */
  signature: Uint8Array<ArrayBuffer>;
  /** The body's SHA-256 according to the request (`x-amz-content-sha256`). */
  claimedBodyHash: string | undefined;
}

/** Why a signature is refused. For logs and for the wire error, which can be less specific. */
export type SignatureReason =
  /** Neither an Authorization header nor the parameters of a presigned URL. */
  | 'unsigned'
  /** Both an Authorization header and the parameters of a presigned URL. */
  | 'signed_twice'
  /** Any algorithm except AWS4-HMAC-SHA256. */
  | 'algorithm_unsupported'
  | 'authorization_malformed'
  | 'authorization_repeated'
  /** A malformed `%` escape in the query. */
  | 'query_malformed'
  /** A duplicate `X-Amz-*` parameter, ignoring case. */
  | 'parameter_repeated'
  /** A presigned URL lacks a parameter other than `X-Amz-Expires`. */
  | 'parameter_missing'
  /** Temporary credentials, which are not supported. */
  | 'session_token'
  | 'credential_malformed'
  /** The scope does not end in `aws4_request`. */
  | 'terminator_wrong'
  | 'signature_malformed'
  | 'signed_headers_malformed'
  /** Out of order or with duplicates. */
  | 'signed_headers_unsorted'
  /** SignedHeaders names a header that is not in the request. */
  | 'signed_header_missing'
  | 'host_unsigned'
  /** An `x-amz-*` header is not signed, which includes `x-amz-target` and `x-amz-date`. */
  | 'header_unsigned'
  | 'date_missing'
  | 'date_malformed'
  /** The scope's date differs from the date of signing. */
  | 'scope_date_differs'
  /** Not an integer from 1 to 604,800 seconds (seven days). */
  | 'expires_malformed'
  /** Signed more than 15 minutes in the future or, except for presigned URLs with `X-Amz-Expires`, in the past. */
  | 'clock_skew'
  /** A presigned URL has expired. */
  | 'expired'
  /** UNSIGNED-PAYLOAD or a chunked signature. */
  | 'payload_unsigned'
  /** The body does not match the hash in the request. */
  | 'payload_hash_differs'
  /** The secret key is wrong, or signed data was modified. */
  | 'signature_mismatch';

export interface SignatureRefused {
  ok: false;
  reason: SignatureReason;
}

// The parts of a signature from the header or the query, not yet validated.
interface Claims {
  credential: string;
  signedHeaders: string;
  signature: string;
  time: string;
  /** Presigned URLs only. */
  expires: string | undefined;
}

const HEADER_NAMES = /^[a-z\d!#$%&'*+.^_`|~-]+(;[a-z\d!#$%&'*+.^_`|~-]+)*$/;
const SKEW_MS = 15 * 60_000;
const MAX_EXPIRY_S = 7 * 86_400;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const encoder = new TextEncoder();

/**
 * Parses a request's signature and makes every check that needs no key. Never throws. `now` is in milliseconds since
 * the epoch.
 */
export function readSignature(
  request: RequestHead,
  now: number,
): { ok: true; signed: Signed } | SignatureRefused {
  const query = parseQuery(request.query);
  if (!query) return refuse('query_malformed');
  const amz = amzParameters(query);
  if (!amz) return refuse('parameter_repeated');
  const headers = joinHeaders(request.headers);
  const claims = findClaims(headers, amz);
  if (typeof claims === 'string') return refuse(claims);
  const credential = readCredential(claims.credential);
  if (typeof credential === 'string') return refuse(credential);
  const signature = bytesOfHex(claims.signature);
  if (!signature) return refuse('signature_malformed');
  if (!HEADER_NAMES.test(claims.signedHeaders)) return refuse('signed_headers_malformed');
  const signedHeaders = claims.signedHeaders.split(';');
  const claimedBodyHash = headers.get('x-amz-content-sha256') ?? amz.get('x-amz-content-sha256');
  const reason =
    checkSignedHeaders(signedHeaders, headers) ??
    checkTime(claims, credential.scope, now) ??
    (/^(UNSIGNED|STREAMING)-/.test(claimedBodyHash ?? '') ? 'payload_unsigned' : undefined);
  if (reason) return refuse(reason);
  const signable: Signable = { method: request.method, path: request.path, query, headers, signedHeaders };
  return { ok: true, signed: { ...signable, ...credential, time: claims.time, signature, claimedBodyHash } };
}

/**
 * Derives the signing key for a day, region and service ("Create a signed AWS API request", "Derive a signing key").
 * The key can only verify and is not extractable. Cache it by secret key, date, region and service, and drop it when
 * the secret key is revoked.
 */
export async function deriveKey(secretKey: string, { date, region, service }: Scope): Promise<CryptoKey> {
  let bytes: BufferSource = encoder.encode(`AWS4${secretKey}`);
  for (const part of [date, region, service, TERMINATOR]) {
    const key = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign']);
    bytes = await crypto.subtle.sign('HMAC', key, encoder.encode(part));
  }
  return crypto.subtle.importKey('raw', bytes, HMAC, false, ['verify']);
}

/**
 * Verifies that `key`, derived by {@link deriveKey} for the signature's scope, signed this request with this body. The
 * comparison takes constant time, so that timing does not reveal how much of a forged signature is right.
 */
export async function verifySignature(
  signed: Signed,
  body: Uint8Array<ArrayBuffer>,
  key: CryptoKey,
): Promise<{ ok: true } | SignatureRefused> {
  const bodyHash = await sha256Hex(body);
  if ((signed.claimedBodyHash ?? bodyHash) !== bodyHash) return refuse('payload_hash_differs');
  const requestHash = await sha256Hex(encoder.encode(canonicalRequest(signed, bodyHash)));
  const text = encoder.encode(stringToSign(signed.time, signed.scope, requestHash));
  const good = await crypto.subtle.verify('HMAC', key, signed.signature, text);
  return good ? { ok: true } : refuse('signature_mismatch');
}

/** Returns the SHA-256 in lower-case hex. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  let hex = '';
  for (const byte of new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) hex += HEX[byte];
  return hex;
}

function refuse(reason: SignatureReason): SignatureRefused {
  return { ok: false, reason };
}

// Returns the decoded X-Amz-* parameters by lower-case name, or undefined if one is duplicated.
function amzParameters(query: readonly Parameter[]): Map<string, string> | undefined {
  const found = new Map<string, string>();
  for (const [name, value] of query) {
    const key = name.toLowerCase();
    if (!key.startsWith('x-amz-')) continue;
    if (found.has(key)) return undefined;
    // One character per byte is enough: all values read here are ASCII.
    const decoded = value.replace(/%(..)/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    found.set(key, decoded);
  }
  return found;
}

function findClaims(
  headers: ReadonlyMap<string, string>,
  amz: ReadonlyMap<string, string>,
): Claims | SignatureReason {
  const authorization = headers.get('authorization');
  const presigned = amz.has('x-amz-algorithm') || amz.has('x-amz-signature');
  if (authorization === undefined && !presigned) return 'unsigned';
  if (authorization !== undefined && presigned) return 'signed_twice';
  if (headers.has('x-amz-security-token') || amz.has('x-amz-security-token')) return 'session_token';
  return authorization === undefined
    ? claimsOfQuery(amz)
    : claimsOfHeader(authorization, headers.get('x-amz-date') ?? timeOfDate(headers.get('date')));
}

// "Authentication methods", "HTTP authorization header". SDKs write the three fields in one order; any order is
// accepted.
function claimsOfHeader(authorization: string, time: string | undefined): Claims | SignatureReason {
  if (!authorization.startsWith(`${ALGORITHM} `)) return 'algorithm_unsupported';
  // The runtime joins two headers into one value with a comma.
  if (authorization.includes(ALGORITHM, 1)) return 'authorization_repeated';
  const fields = new Map<string, string>();
  for (const field of authorization.slice(ALGORITHM.length).split(',')) {
    const part = field.trim();
    const at = part.indexOf('=');
    const name = part.slice(0, at);
    if (at < 0 || fields.has(name)) return 'authorization_malformed';
    fields.set(name, part.slice(at + 1));
  }
  const credential = fields.get('Credential');
  const signedHeaders = fields.get('SignedHeaders');
  const signature = fields.get('Signature');
  if (!credential || !signedHeaders || !signature || fields.size > 3) return 'authorization_malformed';
  if (!time) return 'date_missing';
  return { credential, signedHeaders, signature, time, expires: undefined };
}

/**
 * Returns the header `Date`, which can replace X-Amz-Date, in the latter's format. Accepts both the HTTP format and
 * that of X-Amz-Date.
 */
function timeOfDate(date: string | undefined): string | undefined {
  if (date === undefined || /^\d{8}T\d{6}Z$/.test(date)) return date;
  // botocore writes the format of email, which has a different zone at its end.
  const inHttp = date.replace(/(UTC|[+-]0000)$/, 'GMT');
  const time = new Date(inHttp);
  const isHttpDate = !Number.isNaN(time.getTime()) && time.toUTCString() === inHttp;
  return isHttpDate ? time.toISOString().replaceAll(/[-:]|\.\d+/g, '') : date;
}

// "Authentication methods", "Query string parameters". Some signers omit X-Amz-Expires for services other than S3. The
// URL is then valid for as long as a signature in a header.
function claimsOfQuery(amz: ReadonlyMap<string, string>): Claims | SignatureReason {
  const algorithm = amz.get('x-amz-algorithm');
  const credential = amz.get('x-amz-credential');
  const signedHeaders = amz.get('x-amz-signedheaders');
  const signature = amz.get('x-amz-signature');
  const time = amz.get('x-amz-date');
  const expires = amz.get('x-amz-expires');
  if (!algorithm || !credential || !signedHeaders || !signature || !time) return 'parameter_missing';
  if (algorithm !== ALGORITHM) return 'algorithm_unsupported';
  return { credential, signedHeaders, signature, time, expires };
}

function readCredential(credential: string): { accessKey: string; scope: Scope } | SignatureReason {
  const [, accessKey, date, region, service, terminator] =
    /^(\w{1,128})\/(\d{8})\/([a-z\d-]{1,64})\/([a-z\d-]{1,64})\/(.*)$/.exec(credential) ?? [];
  if (!accessKey || !date || !region || !service) return 'credential_malformed';
  if (terminator !== TERMINATOR) return 'terminator_wrong';
  return { accessKey, scope: { date, region, service } };
}

// `host` and every x-amz-* header must be signed ("Create a canonical request"). Otherwise an attacker could replace
// x-amz-target, which names the action.
function checkSignedHeaders(
  names: readonly string[],
  headers: ReadonlyMap<string, string>,
): SignatureReason | undefined {
  if (names.some((name, at) => at > 0 && name <= (names[at - 1] as string))) return 'signed_headers_unsorted';
  if (!names.includes('host')) return 'host_unsigned';
  if (!names.every((name) => headers.has(name))) return 'signed_header_missing';
  for (const name of headers.keys()) {
    if (name.startsWith('x-amz-') && !names.includes(name)) return 'header_unsigned';
  }
  return undefined;
}

function checkTime({ time, expires }: Claims, scope: Scope, now: number): SignatureReason | undefined {
  if (!/^\d{8}T\d{6}Z$/.test(time)) return 'date_malformed';
  const part = (from: number, to: number) => time.slice(from, to);
  const signedAt = Date.parse(`${part(0, 4)}-${part(4, 6)}-${part(6, 11)}:${part(11, 13)}:${part(13, 16)}`);
  if (Number.isNaN(signedAt)) return 'date_malformed';
  if (!time.startsWith(scope.date)) return 'scope_date_differs';
  if (signedAt - now > SKEW_MS) return 'clock_skew';
  if (expires === undefined) return now - signedAt > SKEW_MS ? 'clock_skew' : undefined;
  const seconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (seconds < 1 || seconds > MAX_EXPIRY_S) return 'expires_malformed';
  return now - signedAt > seconds * 1000 ? 'expired' : undefined;
}

function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\da-f]{64}$/.test(hex)) return undefined;
  const bytes = new Uint8Array(32);
  for (let at = 0; at < 64; at++) {
    const code = hex.charCodeAt(at);
    const digit = code > 57 ? code - 87 : code - 48;
    bytes[at >> 1] = ((bytes[at >> 1] as number) << 4) | digit;
  }
  return bytes;
}
