/**
 * Sends requests to a region's engine: signs them with the operator's key and sends them once, with a deadline. Uses
 * the JSON protocol for SQS and the Query protocol for SNS. Only `fields` of the client's request are sent; the
 * engine's response is filtered by the caller.
 */
import { AwsClient } from 'aws4fetch';
import type { Engine } from '../shared/env.ts';
import { actionOf, type Service } from './actions.ts';
import { EngineRefusal, GatewayError, notFound } from './errors.ts';
import { readXml, writeQuery } from './query.ts';
import { type Fields, isRecord } from './shapes.ts';
import { childOf, parseXml } from './xml.ts';

/** A request in the engine's names. */
export interface EngineRequest {
  service: Service;
  action: string;
  fields: Fields;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
}

/** Deadline for the engine, in milliseconds. A receive can also wait for messages. */
const DEADLINE_MS = 10_000;
const MAX_WAIT_MS = 20_000;

/** Time after which a request can no longer arrive at the engine, in milliseconds: three times the deadline. */
export const MAX_REQUEST_MS = 3 * DEADLINE_MS;

/**
 * Calls the engine and returns its response in the form that JSON has. Throws an {@link EngineRefusal} or a
 * {@link GatewayError}.
 */
export async function callEngine(engine: Engine, request: EngineRequest): Promise<unknown> {
  const { status, text, headers } = await exchange(engine, request);
  const read = request.service === 'sqs' ? readSqs : readSns;
  const answer = read(request, status, text);
  if (answer.ok) return answer.fields;
  throw refusalOf(request, status, answer, headers);
}

async function exchange(
  engine: Engine,
  request: EngineRequest,
): Promise<{ status: number; text: string; headers: Headers }> {
  const patience = DEADLINE_MS + (request.action === 'ReceiveMessage' ? MAX_WAIT_MS : 0);
  const deadline = AbortSignal.timeout(patience);
  const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
  try {
    const signed = await clientOf(engine).sign(...requestOf(engine, request));
    // Following a redirect would send our signature elsewhere.
    const response = await fetch(signed, { signal, redirect: 'manual' });
    return { status: response.status, text: await response.text(), headers: response.headers };
  } catch (error) {
    // The client disconnected: not an engine failure, so do not log it.
    if (request.signal?.aborted) throw new GatewayError('unavailable');
    throw unavailable(request, String(error));
  }
}

function requestOf(
  engine: Engine,
  { service, action, fields }: EngineRequest,
): [string, Parameters<AwsClient['sign']>[1]] {
  const of = { service, region: engine.region };
  if (service === 'sqs') {
    const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` };
    return [`${engine.sqsEndpoint}/`, { method: 'POST', headers, body: JSON.stringify(fields), aws: of }];
  }
  const shape = actionOf('sns', action)?.input ?? { members: {} };
  const parameters = [['Action', action], ['Version', '2010-03-31'], ...writeQuery(shape, fields)];
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const body = new URLSearchParams(parameters).toString();
  return [`${engine.snsEndpoint}/`, { method: 'POST', headers, body, aws: of }];
}

const clients = new WeakMap<Engine, AwsClient>();

/** Returns the engine's signer, which caches derived keys for the isolate's lifetime. */
function clientOf(engine: Engine): AwsClient {
  let client = clients.get(engine);
  if (!client) {
    client = new AwsClient({ accessKeyId: engine.accessKeyId, secretAccessKey: engine.secretAccessKey });
    clients.set(engine, client);
  }
  return client;
}

type EngineError = { ok: false; code: string; message: string };
type Answer = { ok: true; fields: unknown } | EngineError;

const MALFORMED: Answer = { ok: false, code: '', message: '' };

function readSqs(_request: EngineRequest, status: number, text: string): Answer {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    return MALFORMED;
  }
  if (!isRecord(value)) return MALFORMED;
  if (status === 200) return { ok: true, fields: value };
  const type = String(value.__type ?? '');
  return {
    ok: false,
    code: type.slice(type.lastIndexOf('#') + 1),
    message: String(value.message ?? value.Message ?? ''),
  };
}

function readSns({ action }: EngineRequest, status: number, text: string): Answer {
  const root = parseXml(text);
  if (status === 200) {
    if (root?.name !== `${action}Response`) return MALFORMED;
    const output = actionOf('sns', action)?.output ?? { members: {} };
    return { ok: true, fields: readXml(output, childOf(root, `${action}Result`)) };
  }
  const error = childOf(root, 'Error');
  if (!error) return MALFORMED;
  const [code, message] = ['Code', 'Message'].map((name) => childOf(error, name)?.text ?? '');
  return { ok: false, code: code ?? '', message: message ?? '' };
}

/** Engine codes that map to our own faults. The others concern the client's request. */
const KNOWN = new Map<string, 'not_found' | 'throttled' | 'unknown_action'>([
  ['QueueDoesNotExist', 'not_found'],
  ['AWS.SimpleQueueService.NonExistentQueue', 'not_found'],
  ['NotFound', 'not_found'],
  ['ResourceNotFound', 'not_found'],
  ['RequestThrottled', 'throttled'],
  ['Throttled', 'throttled'],
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['InvalidAction', 'unknown_action'],
  ['UnknownOperationException', 'unknown_action'],
]);

/** Errors about the operator's key, which are not disclosed to clients. */
const OF_OPERATOR =
  /^(AccessDenied|AuthorizationError|Expired|IncompleteSignature|InvalidClientTokenId|InvalidSecurity|InvalidSignature|KMS|Kms|MissingAuthenticationToken|OptInRequired|SignatureDoesNotMatch|UnrecognizedClient)/;

function refusalOf(
  request: EngineRequest,
  status: number,
  { code, message }: EngineError,
  headers: Headers,
): EngineRefusal | GatewayError {
  const known = KNOWN.get(code);
  if (known === 'not_found') return notFound(subjectOf(request));
  if (known === 'throttled') return new GatewayError(known, undefined, secondsOf(headers.get('Retry-After')));
  if (known) return new GatewayError(known);
  const isRefusal =
    status >= 400 && status < 500 && /^[A-Za-z.]{1,80}$/.test(code) && !OF_OPERATOR.test(code);
  return isRefusal ? new EngineRefusal(code, status, message) : unavailable(request, `${status} ${code}`);
}

function subjectOf({ service, fields }: EngineRequest): 'queue' | 'topic' | 'subscription' {
  if (service === 'sqs') return 'queue';
  return 'SubscriptionArn' in fields ? 'subscription' : 'topic';
}

function secondsOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/** Logs why the engine's response is unusable, and returns the error for the client. */
export function unavailable(
  { service, action }: Pick<EngineRequest, 'service' | 'action'>,
  reason: string,
): GatewayError {
  console.warn(JSON.stringify({ engine: 'unavailable', service, action, reason }));
  return new GatewayError('unavailable');
}
