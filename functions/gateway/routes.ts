/**
 * The gateway's door: which requests are its own, how they are read, and how the answer is written. Everything between
 * is in bearer.ts (who asks) and execute.ts (what is done).
 */
import type { Context } from 'hono';
import { unavailableDatabase } from '../../db/database.ts';
import { noteUse } from '../../db/region/gateway.ts';
import { type AppEnv, inBackground } from '../app.ts';
import { configOf } from '../env.ts';
import { innermost } from '../errors.ts';
import type { Action, Service } from './actions.ts';
import { authenticate, type Caller, readClaim } from './bearer.ts';
import {
  answerHeaders,
  EngineRefusal,
  errorResponse,
  GatewayError,
  NAMESPACES,
  type Protocol,
  preflightResponse,
} from './errors.ts';
import { execute } from './execute.ts';
import { parseUniqueJson } from './json.ts';
import { parseParameters, readQuery, writeXml } from './query.ts';
import { type Fields, isRecord } from './shapes.ts';
import { tag } from './xml.ts';

/** The longest body that is read: a message of 1 MiB, escaped. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * A longer body is read so far and dropped. Refused sooner, its sender would be writing on a connection that is closed,
 * and see that instead of the answer.
 */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/** How exact a credential's last use is, in milliseconds. */
const LAST_USE_MS = 5 * 60_000;

/** Middleware: answers the gateway's requests, and passes on all others. */
export async function gateway(c: Context<AppEnv>, next: () => Promise<void>): Promise<Response | undefined> {
  const request = c.req.raw;
  if (!isOwn(request)) {
    await next();
    return;
  }
  if (request.method === 'OPTIONS') return preflightResponse(request);
  const requestId = crypto.randomUUID();
  const protocol = protocolOf(request);
  try {
    return await handle(c, protocol, requestId);
  } catch (error) {
    return errorResponse(protocol, requestId, refusalOf(error, requestId));
  }
}

/** Signed with Signature Version 4, or sent to where only SDKs send; or a link of the gateway's, as in notifications. */
function isOwn(request: Request): boolean {
  const { pathname, searchParams } = new URL(request.url);
  return (
    pathname.startsWith('/project-') ||
    (pathname === '/' && (['POST', 'OPTIONS'].includes(request.method) || searchParams.has('Action'))) ||
    Boolean(request.headers.get('Authorization')?.startsWith('AWS4-HMAC-SHA256')) ||
    searchParams.has('X-Amz-Algorithm')
  );
}

/** What the request is written in, and so its answer. For a Query request to nobody known, SQS's. */
function protocolOf(request: Request): Protocol {
  const isJson =
    request.headers.has('X-Amz-Target') ||
    Boolean(request.headers.get('Content-Type')?.startsWith('application/x-amz-json'));
  return { service: 'sqs', format: isJson ? 'json' : 'query' };
}

async function handle(c: Context<AppEnv>, protocol: Protocol, requestId: string): Promise<Response> {
  const request = c.req.raw;
  c.set('config', configOf(c.env));
  // What the signature claims is believed as far as the words of a refusal.
  const body = await readBody(request);
  if (protocol.format === 'query') protocol.service = serviceOfQuery(request, body);
  const claim = readClaim(request, c.get('config'), Date.now());
  if (protocol.format === 'query') protocol.service = claim.service;
  const now = Date.now();
  const caller = await authenticate(c, claim, body);
  noteLastUse(c, caller, now);
  const text = decode(body);
  const { signal } = request;
  const { origin, pathname } = new URL(request.url);
  const asked = protocol.format === 'json' ? ofJson(request, text, caller.service) : ofQuery(request, text);
  const read = (action: Action) => withQueueOfPath(action, asked.read(action), pathname);
  // How it fails is told by the answer, and there alone.
  const outlive = (work: Promise<unknown>) =>
    inBackground(
      c,
      asked.name,
      work.catch(() => undefined),
    );
  const { action, answer } = await execute(caller, { name: asked.name, read, origin, signal, now, outlive });
  return respond(protocol, requestId, asked.name, action, answer);
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const told = Number(request.headers.get('Content-Length') ?? Number.NaN);
  // No more than was told can come. By chunks it takes several turns of the event loop, which show.
  if (told <= MAX_BODY_BYTES) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_DROPPED_BYTES) break;
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
    throw new GatewayError('malformed', 'The body is not UTF-8.');
  }
}

interface Asked {
  name: string;
  read(action: Action): unknown;
}

function ofJson(request: Request, text: string, service: Service): Asked {
  const [, name] = /^AmazonSQS\.(\w+)$/.exec(request.headers.get('X-Amz-Target') ?? '') ?? [];
  if (!name || service !== 'sqs') throw new GatewayError('unknown_action');
  const fields = parseUniqueJson(text);
  return { name, read: () => fields };
}

function ofQuery(request: Request, text: string): Asked {
  const { search } = new URL(request.url);
  const parameters = parseParameters(search.slice(1), text);
  const name = parameters.get('Action');
  if (!name) throw new GatewayError('unknown_action', 'The request names no Action.');
  return { name, read: (action) => readQuery(action.input, parameters) };
}

/** Older clients may name a queue by the path that they send to, and in no other way. */
function withQueueOfPath({ input }: Action, fields: unknown, path: string): unknown {
  const needed = 'QueueUrl' in input.members && isRecord(fields) && fields.QueueUrl === undefined;
  return needed && path !== '/' ? { ...fields, QueueUrl: path } : fields;
}

// Only for the words of a refusal: a request that is not signed names its service by its version, if at all.
function serviceOfQuery(request: Request, body: Uint8Array): Service {
  const start = new TextDecoder().decode(body.subarray(0, 4096));
  return /(^|[&?])Version=2010-03-31(&|$)/.test(`${new URL(request.url).search}&${start}`) ? 'sns' : 'sqs';
}

function respond(
  protocol: Protocol,
  requestId: string,
  name: string,
  { output }: Action,
  answer: Fields,
): Response {
  const headers = answerHeaders(protocol, requestId);
  if (protocol.format === 'json') return new Response(JSON.stringify(answer, withoutEmpty), { headers });
  const inside =
    tag(`${name}Result`, writeXml(output, answer)) + tag('ResponseMetadata', tag('RequestId', requestId));
  const body = `<?xml version="1.0"?><${name}Response xmlns="${NAMESPACES[protocol.service]}">${inside}</${name}Response>`;
  return new Response(body, { headers });
}

/**
 * For JSON.stringify: leaves out empty collections, as SQS does. Some SDKs take an empty `Failed` for a failure. Not
 * `queueUrls`: the API reference promises it, and gives no answer without it.
 */
function withoutEmpty(name: string, value: unknown): unknown {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty && name !== '' && name !== 'queueUrls' ? undefined : value;
}

/** Without a wait, and without a write when a use of the last minutes is noted already. */
function noteLastUse(c: Context<AppEnv>, { store, bearer }: Caller, now: number): void {
  if (now - (bearer.lastUsedAt ?? 0) < LAST_USE_MS) return;
  const noted = noteUse(store, bearer.id, now, now - LAST_USE_MS);
  inBackground(c, 'noting the last use of credentials', noted);
}

function refusalOf(error: unknown, requestId: string): GatewayError | EngineRefusal {
  if (error instanceof GatewayError || error instanceof EngineRefusal) return error;
  console.error(JSON.stringify({ request_id: requestId, gateway: true, ...innermost(error) }));
  return new GatewayError(unavailableDatabase(error) ? 'unavailable' : 'internal');
}
