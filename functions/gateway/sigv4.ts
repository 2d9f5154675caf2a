/**
 * Verifies AWS Signature Version 4, in the Authorization header or in the query (presigned). Owns reading the
 * signature, its rules and its clock, the signing key and the comparison; each is a pure step, and `now` is passed in:
 *
 *     const read = readSignature(request, now) // before any look-up: who claims to have signed, and for what
 *     const key = await deriveKey(secretKey, read.signed.scope)
 *     const verified = await verifySignature(read.signed, body, key)
 *
 * Not here: whether the scope's region and service are ours, whose the access key is, what it may do, what a refusal
 * looks like on the wire. Pages and sections named below are those of "AWS Signature Version 4 for API requests" (AWS
 * Identity and Access Management User Guide).
 *
 * Not guaranteed: that a request comes once only. Whoever sees one can send it again while its time lasts.
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

/** A request before its body is read, as it came. */
export interface RequestHead {
  method: string;
  /** The path of the request line with its escapes: `URL.pathname`. */
  path: string;
  /** The query without its `?`; empty for none. */
  query: string;
  /** `Headers`, or pairs; a name may come twice. */
  headers: Iterable<readonly [string, string]>;
}

/** A signature as it was read: well-formed and in time, but not yet verified. Nothing in it may be believed. */
export interface Signed extends Signable {
  accessKey: string;
  scope: Scope;
  /** When it was signed, as in `x-amz-date`: `YYYYMMDDTHHMMSSZ`. */
  time: string;
  /** 32 bytes. */
  signature: Uint8Array<ArrayBuffer>;
  /** The SHA-256 that the request itself gives for its body (`x-amz-content-sha256`). */
  claimedBodyHash: string | undefined;
}

/** Why a signature is refused. For the log and the table of wire errors; the client may learn less. */
export type SignatureReason =
  /** Neither an Authorization header nor a parameter of a presigned URL. */
  | 'unsigned'
  /** An Authorization header beside the parameters of a presigned URL. */
  | 'signed_twice'
  /** Anything but AWS4-HMAC-SHA256. */
  | 'algorithm_unsupported'
  | 'authorization_malformed'
  | 'authorization_repeated'
  /** A `%` in the query that begins no escape. */
  | 'query_malformed'
  /** An `X-Amz-*` parameter comes twice, whatever its case. */
  | 'parameter_repeated'
  /** A presigned URL lacks one of its parameters other than `X-Amz-Expires`. */
  | 'parameter_missing'
  /** Temporary credentials: we issue none. */
  | 'session_token'
  | 'credential_malformed'
  /** The scope does not end in `aws4_request`. */
  | 'terminator_wrong'
  | 'signature_malformed'
  | 'signed_headers_malformed'
  /** Out of order, or one comes twice. */
  | 'signed_headers_unsorted'
  /** SignedHeaders names a header that the request does not have. */
  | 'signed_header_missing'
  | 'host_unsigned'
  /** An `x-amz-*` header, `x-amz-target` and `x-amz-date` among them, is not signed. */
  | 'header_unsigned'
  | 'date_missing'
  | 'date_malformed'
  /** The scope is of another day than the signature. */
  | 'scope_date_differs'
  /** Not a whole number of seconds from 1 to 604 800 (seven days). */
  | 'expires_malformed'
  /** Signed more than 15 minutes from now: ahead of it or, but for presigned URLs that expire, behind it. */
  | 'clock_skew'
  /** A presigned URL whose time is over. */
  | 'expired'
  /** UNSIGNED-PAYLOAD, or a body signed chunk by chunk. */
  | 'payload_unsigned'
  /** The body is not the one whose hash the request gives. */
  | 'payload_hash_differs'
  /** The secret key is another one, or something signed was altered. */
  | 'signature_mismatch';

/** A refusal. */
export interface Refused {
  ok: false;
  reason: SignatureReason;
}

// The parts of a signature, wherever it stands, not yet looked at.
interface Claims {
  credential: string;
  signedHeaders: string;
  signature: string;
  time: string;
  /** Of presigned URLs only. */
  expires: string | undefined;
}

const HEADER_NAMES = /^[a-z\d!#$%&'*+.^_`|~-]+(;[a-z\d!#$%&'*+.^_`|~-]+)*$/;
const SKEW_MS = 15 * 60_000;
const LONGEST_EXPIRY_S = 7 * 86_400;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const encoder = new TextEncoder();

/**
 * Reads the signature of a request and refuses whatever can be refused without a key. Never throws. `now` is in
 * milliseconds since 1970.
 */
export function readSignature(request: RequestHead, now: number): { ok: true; signed: Signed } | Refused {
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
 * The signing key of a secret key for a day, region and service ("Create a signed AWS API request", "Derive a signing
 * key"). It verifies only, and cannot be read back. Whoever keeps it must keep it by all four, and forget it when the secret key is revoked.
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
 * Whether `key`, of {@link deriveKey} for this very scope, signed this request with this body. The comparison takes the
 * same time wherever two signatures differ.
 */
export async function verifySignature(
  signed: Signed,
  body: Uint8Array<ArrayBuffer>,
  key: CryptoKey,
): Promise<{ ok: true } | Refused> {
  const bodyHash = await sha256Hex(body);
  if ((signed.claimedBodyHash ?? bodyHash) !== bodyHash) return refuse('payload_hash_differs');
  const requestHash = await sha256Hex(encoder.encode(canonicalRequest(signed, bodyHash)));
  const text = encoder.encode(stringToSign(signed.time, signed.scope, requestHash));
  const good = await crypto.subtle.verify('HMAC', key, signed.signature, text);
  return good ? { ok: true } : refuse('signature_mismatch');
}

/** SHA-256 in lower-case hex. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  let hex = '';
  for (const byte of new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) hex += HEX[byte];
  return hex;
}

function refuse(reason: SignatureReason): Refused {
  return { ok: false, reason };
}

// The X-Amz-* parameters, decoded, by name in lower case; undefined when one comes twice.
function amzParameters(query: readonly Parameter[]): Map<string, string> | undefined {
  const found = new Map<string, string>();
  for (const [name, value] of query) {
    const key = name.toLowerCase();
    if (!key.startsWith('x-amz-')) continue;
    if (found.has(key)) return undefined;
    // One character for each byte is enough: all that is read here is ASCII.
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

// "Authentication methods", "HTTP authorization header". Its three fields come in any order here; SDKs write them in one.
function claimsOfHeader(authorization: string, time: string | undefined): Claims | SignatureReason {
  if (!authorization.startsWith(`${ALGORITHM} `)) return 'algorithm_unsupported';
  // Two headers reach us as one value, joined by a comma.
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

/** The header `Date`, which may take the place of X-Amz-Date, in the form of the latter: as HTTP has it, or in that form. */
function timeOfDate(date: string | undefined): string | undefined {
  if (date === undefined || /^\d{8}T\d{6}Z$/.test(date)) return date;
  // Mail's form of the same differs in its end, and botocore writes that.
  const inHttp = date.replace(/(UTC|[+-]0000)$/, 'GMT');
  const time = new Date(inHttp);
  const isHttpDate = !Number.isNaN(time.getTime()) && time.toUTCString() === inHttp;
  return isHttpDate ? time.toISOString().replaceAll(/[-:]|\.\d+/g, '') : date;
}

// "Authentication methods", "Query string parameters". Some signers leave out X-Amz-Expires for all services but S3: then
// the URL is good for as long as a header would be.
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

// `host` and every x-amz-* header must be signed ("Create a canonical request"): x-amz-target names the action.
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
  if (seconds < 1 || seconds > LONGEST_EXPIRY_S) return 'expires_malformed';
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
