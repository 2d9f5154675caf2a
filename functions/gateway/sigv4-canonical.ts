/**
 * Builds the canonical request and the string to sign of AWS Signature Version 4: encoding, normalization and sorting.
 * Signatures, keys and times are checked in sigv4.ts; the only error here is a malformed escape.
 *
 * Follows "Create a signed AWS API request" (AWS Identity and Access Management User Guide), sections "Create a
 * canonical request" and "Create a string to sign", with the rules for services other than S3.
 *
 * Not guaranteed: signed header values beyond ASCII. Runtimes disagree on how to decode their bytes.
 */

/** A query parameter; name and value have the unique encoding that UriEncode gives them. */
export type Parameter = readonly [name: string, value: string];

/** The signed parts of a request except the body. */
export interface Signable {
  /** As in the request line: upper case. */
  method: string;
  /** As in the request line, neither decoded nor normalized. */
  path: string;
  query: readonly Parameter[];
  /** Lower-case name → value, as {@link joinHeaders} returns them. */
  headers: ReadonlyMap<string, string>;
  /** Lower-case names, sorted. All of them are in `headers`. */
  signedHeaders: readonly string[];
}

/** The credential scope: what a signing key is valid for. */
export interface Scope {
  /** The day of the signature in UTC: `YYYYMMDD`. */
  date: string;
  region: string;
  service: string;
}

/** The only supported algorithm. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** The last part of every scope. */
export const TERMINATOR = 'aws4_request';

const encoder = new TextEncoder();
// Byte → its encoding by UriEncode: itself if unreserved (RFC 3986, section 2.3), else %XX in upper case.
const ENCODED = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[\w.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** Returns the canonical request. `bodyHash` is the body's SHA-256 in lower-case hex. */
export function canonicalRequest(signable: Signable, bodyHash: string): string {
  const { method, path, query, headers, signedHeaders } = signable;
  let lines = '';
  for (const name of signedHeaders) lines += `${name}:${oneSpaced(headers.get(name) ?? '')}\n`;
  return `${method}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${lines}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/**
 * Returns the string to sign ("Create a string to sign"). `requestHash` is the canonical request's SHA-256 in
 * lower-case hex.
 */
export function stringToSign(time: string, { date, region, service }: Scope, requestHash: string): string {
  return `${ALGORITHM}\n${time}\n${date}/${region}/${service}/${TERMINATOR}\n${requestHash}`;
}

/**
 * Returns the CanonicalUri: resolves empty, `.` and `..` segments, then encodes everything except `/` and unreserved
 * characters, including `%`. An encoded path is therefore encoded twice, as every service but S3 requires (AWS General
 * Reference, "Task 1: Create a canonical request for Signature Version 4", step 2). The signature covers only this
 * normalized path, so callers must not act on another form.
 */
export function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  if (segments.length === 0) return '/';
  const normal = `/${segments.join('/')}${path.endsWith('/') ? '/' : ''}`;
  return normal.replace(/[^\w.~/-]+/g, uriEncode);
}

/**
 * Returns the parameters of a query (without `?`) in order, or undefined if it has a malformed `%` escape. Unnecessary
 * escapes are decoded, `+` means a space as in forms, and a name without `=` has an empty value.
 */
export function parseQuery(query: string): Parameter[] | undefined {
  if (/%(?![\dA-Fa-f]{2})/.test(query)) return undefined;
  const parameters: Parameter[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    parameters.push(at < 0 ? [recode(part), ''] : [recode(part.slice(0, at)), recode(part.slice(at + 1))]);
  }
  return parameters;
}

/**
 * Returns headers by lower-case name. Values of a repeated header are joined by commas in order (`CanonicalHeaders`).
 * The runtime's `Headers` joins them with a comma and a space instead, so such a signature does not match.
 */
export function joinHeaders(headers: Iterable<readonly [string, string]>): Map<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = joined.get(key);
    joined.set(key, before === undefined ? value : `${before},${value}`);
  }
  return joined;
}

// CanonicalQueryString. Sorts by name, then by value: sorting `name=value` would put `Param-3=` before `Param=`.
function canonicalQuery(query: readonly Parameter[]): string {
  return query
    .filter(([name]) => name.toLowerCase() !== 'x-amz-signature')
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((parameter) => parameter.join('='))
    .join('&');
}

// Not localeCompare: the order is by code point, and these strings are ASCII.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// "Convert sequential spaces to a single space" and trim. Two steps, because a single expression that trims both ends
// takes quadratic time on a long run of spaces.
function oneSpaced(value: string): string {
  if (!/[ \t]{2}|\t|^ | $/.test(value)) return value;
  return value.replace(/[ \t]{2,}|\t/g, ' ').replace(/^ | $/g, '');
}

// Escapes are kept as bytes because they can be invalid UTF-8.
function recode(component: string): string {
  return component
    .replaceAll('+', ' ')
    .replace(/%([\dA-Fa-f]{2})|[^\w.~%-]+/g, (found, hex?: string) =>
      hex === undefined ? uriEncode(found) : (ENCODED[Number.parseInt(hex, 16)] as string),
    );
}

// Not encodeURIComponent: it throws on lone surrogates and leaves !'()* unescaped.
function uriEncode(text: string): string {
  let encoded = '';
  for (const byte of encoder.encode(text)) encoded += ENCODED[byte];
  return encoded;
}
