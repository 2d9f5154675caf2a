/**
 * Routes requests to the gateway: recognizes them, parses them and writes the responses. Authentication is in
 * authenticate.ts, execution in execute.ts.
 */
import type { Context } from 'hono';
import { unavailableDatabase } from '../../db/database.ts';
import { GuardUnavailable } from '../guard/guards.ts';
import { OTHER, type Outcome } from '../guard/usage.ts';
import { countUse } from '../guard/use-reports.ts';
import { configOf } from '../shared/env.ts';
import { innermostCause } from '../shared/errors.ts';
import { type AppEnv, inBackground } from '../shared/http.ts';
import { type Action, actionOf, type Service } from './actions.ts';
import { authenticate, type Caller, readClaim, requireInForce } from './authenticate.ts';
import {
  EngineRefusal,
  errorResponse,
  type FaultCode,
  GatewayError,
  NAMESPACES,
  type Protocol,
  preflightResponse,
  responseHeaders,
} from './errors.ts';
import { execute } from './execute.ts';
import { parseUniqueJson } from './json.ts';
import { parseParameters, readQuery, writeXml } from './query.ts';
import { type Fields, isRecord } from './shapes.ts';
import { tag } from './xml.ts';

/** Maximum body size: a message of 1 MiB with escapes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * A body over the limit is read up to this size and discarded. If the connection were closed earlier, the client would
 * see a write error instead of the response.
 */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** Middleware that responds to gateway requests and passes on all others. */
export async function gateway(c: Context<AppEnv>, next: () => Promise<void>): Promise<Response | undefined> {
  const request = c.req.raw;
  const url = new URL(request.url);
  if (!isGatewayRequest(request, url)) {
    await next();
    return;
  }
  if (request.method === 'OPTIONS') return preflightResponse(request);
  const requestId = crypto.randomUUID();
  const protocol = protocolOf(request);
  try {
    return await handle(c, url, protocol, requestId);
  } catch (error) {
    return errorResponse(protocol, requestId, refusalOf(error, requestId));
  }
}

/**
 * Whether the request is for the gateway: it is signed with Signature Version 4, sent to a path that only SDKs use, or
 * a link from a notification.
 */
function isGatewayRequest({ method, headers }: Request, { pathname, searchParams }: URL): boolean {
  return (
    pathname.startsWith('/project-') ||
    (pathname === '/' && (['POST', 'OPTIONS'].includes(method) || searchParams.has('Action'))) ||
    Boolean(headers.get('Authorization')?.startsWith('AWS4-HMAC-SHA256')) ||
    searchParams.has('X-Amz-Algorithm')
  );
}

/** Returns the protocol of the request and its response. The service is SQS until it is known. */
function protocolOf(request: Request): Protocol {
  const isJson =
    request.headers.has('X-Amz-Target') ||
    Boolean(request.headers.get('Content-Type')?.startsWith('application/x-amz-json'));
  return { service: 'sqs', format: isJson ? 'json' : 'query' };
}

async function handle(
  c: Context<AppEnv>,
  url: URL,
  protocol: Protocol,
  requestId: string,
): Promise<Response> {
  const request = c.req.raw;
  c.set('config', configOf(c.env));
  // Until verified, the claimed service only chooses the error format.
  const body = await readBody(request);
  if (protocol.format === 'query') protocol.service = serviceOfQuery(url, body);
  const claim = readClaim(request, url, c.get('config'), Date.now());
  if (protocol.format === 'query') protocol.service = claim.service;
  const now = Date.now();
  const caller = await authenticate(c, claim, body);
  const use = { action: OTHER, outcome: 'ok' as Outcome, at: now };
  try {
    return await perform(c, caller, { url, protocol, requestId, body, now }, (action) => {
      use.action = action;
    });
  } catch (error) {
    use.outcome = outcomeOf(error, request.signal);
    throw error;
  } finally {
    countUse(c, caller, use);
  }
}

interface Received {
  url: URL;
  protocol: Protocol;
  requestId: string;
  body: Uint8Array<ArrayBuffer>;
  /** When the request was authorized, in milliseconds since the epoch. */
  now: number;
}

/** Performs an authenticated request. Calls `named` with the name of its action, if that exists. */
async function perform(
  c: Context<AppEnv>,
  caller: Caller,
  { url, protocol, requestId, body, now }: Received,
  named: (action: string) => void,
): Promise<Response> {
  const request = c.req.raw;
  const { signal } = request;
  const { origin, pathname } = url;
  let asked: ParsedRequest;
  try {
    asked = parse(request, url, protocol, decode(body), caller.service);
    if (actionOf(caller.service, asked.name)) named(asked.name);
  } finally {
    // Whatever the request contains, a denial comes first: it is parsed only to count it.
    requireInForce(caller.credential, caller.address, Date.now());
  }
  const read = (action: Action) => withQueueOfPath(action, asked.read(action), pathname);
  // Errors surface in the response; swallow them here so that waitUntil does not log them again.
  const outlive = (work: Promise<unknown>) =>
    inBackground(
      c,
      asked.name,
      work.catch(() => undefined),
    );
  const { action, answer } = await execute(caller, {
    name: asked.name,
    read,
    origin,
    signal,
    now,
    config: c.get('config'),
    waitUntil: outlive,
  });
  return respond(protocol, requestId, asked.name, action, answer);
}

/** Faults of a request that is not permitted, or no longer: a receive can lose its permission while it waits. */
const DENIALS: ReadonlySet<FaultCode> = new Set(['denied', 'unknown_key']);

/** Returns how a request with this error counts. A client that disconnects has not failed. */
function outcomeOf(error: unknown, { aborted }: AbortSignal): Outcome {
  if (aborted) return 'ok';
  if (!(error instanceof GatewayError)) return 'failed';
  if (DENIALS.has(error.fault)) return 'denied';
  return error.fault === 'throttled' ? 'throttled' : 'failed';
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const told = Number(request.headers.get('Content-Length') ?? Number.NaN);
  // The body cannot exceed Content-Length, so read it at once: chunked reading is measurably slower.
  if (told <= MAX_BODY_BYTES) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_DISCARDED_BYTES) break;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (length > MAX_BODY_BYTES) throw new GatewayError('too_large');
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new GatewayError('malformed', 'The body is not valid UTF-8.');
  }
}

interface ParsedRequest {
  name: string;
  read(action: Action): unknown;
}

function parse(
  request: Request,
  url: URL,
  { format }: Protocol,
  text: string,
  service: Service,
): ParsedRequest {
  return format === 'json' ? parseJsonRequest(request, text, service) : parseQueryRequest(url, text);
}

function parseJsonRequest(request: Request, text: string, service: Service): ParsedRequest {
  const [, name] = /^AmazonSQS\.(\w+)$/.exec(request.headers.get('X-Amz-Target') ?? '') ?? [];
  if (!name || service !== 'sqs') throw new GatewayError('unknown_action');
  const fields = parseUniqueJson(text);
  return { name, read: () => fields };
}

function parseQueryRequest({ search }: URL, text: string): ParsedRequest {
  const parameters = parseParameters(search.slice(1), text);
  const name = parameters.get('Action');
  if (!name) throw new GatewayError('unknown_action', 'The parameter Action is missing.');
  return { name, read: (action) => readQuery(action.input, parameters) };
}

/** Sets `QueueUrl` from the request's path, because older clients name the queue only there. */
function withQueueOfPath({ input }: Action, fields: unknown, path: string): unknown {
  const needed = 'QueueUrl' in input.members && isRecord(fields) && fields.QueueUrl === undefined;
  return needed && path !== '/' ? { ...fields, QueueUrl: path } : fields;
}

// Only for error responses: an unsigned request identifies its service by its version at most.
function serviceOfQuery({ search }: URL, body: Uint8Array): Service {
  const start = new TextDecoder().decode(body.subarray(0, 4096));
  return /(^|[&?])Version=2010-03-31(&|$)/.test(`${search}&${start}`) ? 'sns' : 'sqs';
}

function respond(
  protocol: Protocol,
  requestId: string,
  name: string,
  { output }: Action,
  answer: Fields,
): Response {
  const headers = responseHeaders(protocol, requestId);
  if (protocol.format === 'json') return new Response(JSON.stringify(answer, withoutEmpty), { headers });
  const inside =
    tag(`${name}Result`, writeXml(output, answer)) + tag('ResponseMetadata', tag('RequestId', requestId));
  const body = `<?xml version="1.0"?><${name}Response xmlns="${NAMESPACES[protocol.service]}">${inside}</${name}Response>`;
  return new Response(body, { headers });
}

/**
 * A replacer for JSON.stringify that omits empty collections, as SQS does. Some SDKs treat an empty `Failed` as a
 * failure. `queueUrls` is kept because the API reference always includes it.
 */
function withoutEmpty(name: string, value: unknown): unknown {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty && name !== '' && name !== 'queueUrls' ? undefined : value;
}

function refusalOf(error: unknown, requestId: string): GatewayError | EngineRefusal {
  if (error instanceof GatewayError || error instanceof EngineRefusal) return error;
  if (error instanceof GuardUnavailable) return new GatewayError('unavailable');
  console.error(JSON.stringify({ request_id: requestId, gateway: true, ...innermostCause(error) }));
  return new GatewayError(unavailableDatabase(error) ? 'unavailable' : 'internal');
}
