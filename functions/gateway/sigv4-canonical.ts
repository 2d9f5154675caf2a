/**
 * What AWS Signature Version 4 signs: the canonical request, and the string to sign that holds its hash. Owns encoding,
 * normalising and sorting; reads no signature, has no key and no clock (sigv4.ts), and refuses nothing but a bad escape.
 *
 * Rules are those of "Create a signed AWS API request" (AWS Identity and Access Management User Guide), sections
 * "Create a canonical request" and "Create a string to sign", as they are for every service but S3.
 *
 * Not guaranteed: that signed header values beyond ASCII match; runtimes disagree on what characters their bytes are.
 */

/** A query parameter, name and value each in the one encoding that UriEncode gives them. */
export type Parameter = readonly [name: string, value: string];

/** What of a request is signed, the body aside. */
export interface Signable {
  /** As in the request line: upper case. */
  method: string;
  /** As in the request line, neither decoded nor normalised. */
  path: string;
  query: readonly Parameter[];
  /** Name in lower case → value, as {@link joinHeaders} makes them. */
  headers: ReadonlyMap<string, string>;
  /** Names in lower case, sorted, each of them in `headers`. */
  signedHeaders: readonly string[];
}

/** What a signing key is good for: the credential scope. */
export interface Scope {
  /** `YYYYMMDD`, the day of the signature in UTC. */
  date: string;
  region: string;
  service: string;
}

/** The one algorithm. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** What every scope ends in. */
export const TERMINATOR = 'aws4_request';

const encoder = new TextEncoder();
// Byte → what UriEncode writes for it: itself when unreserved (RFC 3986, section 2.3), else %XX in upper case.
const ENCODED = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[\w.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** The request in its canonical form; `bodyHash` is the SHA-256 of the body in lower-case hex. */
export function canonicalRequest(signable: Signable, bodyHash: string): string {
  const { method, path, query, headers, signedHeaders } = signable;
  let lines = '';
  for (const name of signedHeaders) lines += `${name}:${oneSpaced(headers.get(name) ?? '')}\n`;
  return `${method}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${lines}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** The string to sign ("Create a string to sign"); `requestHash` is the canonical request's SHA-256 in lower-case hex. */
export function stringToSign(time: string, { date, region, service }: Scope, requestHash: string): string {
  return `${ALGORITHM}\n${time}\n${date}/${region}/${service}/${TERMINATOR}\n${requestHash}`;
}

/**
 * CanonicalUri: empty, `.` and `..` segments are resolved, then everything but `/` and the unreserved characters is
 * encoded, `%` too. A path that came encoded is thus encoded twice, as it must be for every service but S3 (AWS General
 * Reference, "Task 1: Create a canonical request for Signature Version 4", step 2). Whoever acts on a path should act on
 * its normal form: this signature covers no other.
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
 * The parameters of a query (without its `?`) in their order; undefined when a `%` begins no escape. Escapes that need
 * not be are undone, `+` is the space that a reader of forms takes it for, a name without `=` has an empty value.
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
 * Headers by name in lower case. The values of a repeated one are joined by commas in their order (`CanonicalHeaders`);
 * a runtime's own `Headers` has already joined them, by a comma and a space, and then such a signature does not match.
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

// CanonicalQueryString. By name and then by value: sorting `name=value` would put `Param-3=` before `Param=`.
function canonicalQuery(query: readonly Parameter[]): string {
  return query
    .filter(([name]) => name.toLowerCase() !== 'x-amz-signature')
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((parameter) => parameter.join('='))
    .join('&');
}

// Not localeCompare: the order is that of code points, and these strings are ASCII.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// "Convert sequential spaces to a single space" and trim. In two steps: one expression for both ends of a long run of
// spaces would take time in the square of its length.
function oneSpaced(value: string): string {
  if (!/[ \t]{2}|\t|^ | $/.test(value)) return value;
  return value.replace(/[ \t]{2,}|\t/g, ' ').replace(/^ | $/g, '');
}

// Escapes are kept as bytes, because they need not be valid UTF-8.
function recode(component: string): string {
  return component
    .replaceAll('+', ' ')
    .replace(/%([\dA-Fa-f]{2})|[^\w.~%-]+/g, (found, hex?: string) =>
      hex === undefined ? uriEncode(found) : (ENCODED[Number.parseInt(hex, 16)] as string),
    );
}

// Not encodeURIComponent: it throws on half a surrogate pair and leaves !'()* alone.
function uriEncode(text: string): string {
  let encoded = '';
  for (const byte of encoder.encode(text)) encoded += ENCODED[byte];
  return encoded;
}
