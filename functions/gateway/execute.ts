/**
 * Executes an authenticated request: finds the action, checks the permission, translates the fields to the engine's
 * names and the response back to the client's. Signatures and serialization are not handled here.
 */
import type { Config } from '../shared/env.ts';
import { effects, recordMissing } from './action-effects.ts';
import { type Action, actionOf, allows, type Service } from './actions.ts';
import type { Caller } from './authenticate.ts';
import { EngineRefusal, GatewayError, notFound } from './errors.ts';
import { isName, type NameContext, redactEngineNames, toClient, toEngine } from './names.ts';
import { permissionOf } from './permission.ts';
import { refusalReason } from './refused-attributes.ts';
import { type Conversion, convert, type Fields, type Scalar, type Value } from './shapes.ts';
import { callEngine, unavailable } from './upstream.ts';

/** A parsed client request. */
export interface Request {
  /** The action's name as sent by the client. */
  name: string;
  /** Parses the action's fields. */
  read(action: Action): unknown;
  origin: string;
  signal: AbortSignal;
  /** When the request was authorized, in milliseconds since the epoch. */
  now: number;
  config: Config;
  /** Keeps the work running after the response, or after the client disconnects. */
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Runs an action. Throws a {@link GatewayError} or an {@link EngineRefusal}; both messages are safe to return to the
 * client.
 */
export async function execute(caller: Caller, request: Request): Promise<{ action: Action; answer: Fields }> {
  const { service } = caller;
  const action = actionOf(service, request.name);
  if (!action) throw new GatewayError('unknown_action');
  if (!allows(action.requires, caller.credential.permissions)) throw new GatewayError('denied');
  const context = nameContextOf(caller, request.origin);
  const raw = request.read(action);
  const fields = convert(action.input, raw, IDENTITY);
  const sent = engineFields(action, context, raw);
  for (const name of BATCHES)
    if (Array.isArray(sent[name]) && sent[name].length === 0) throw new GatewayError('empty_batch');
  const signal = action.runToCompletion ? undefined : request.signal;
  const { regionDb } = caller;
  const forward = async (more?: Fields) => {
    const asked = { service, action: request.name, fields: { ...sent, ...more }, signal };
    const answer = await callEngine(context.engine, asked).catch((error: unknown) => {
      const isMissing = error instanceof GatewayError && error.fault === 'not_found';
      if (isMissing)
        request.waitUntil(recordMissing({ context: context, regionDb, fields, now: request.now }));
      throw error;
    });
    const nonsense = (path: string) => unavailable(asked, `status 200 without a valid ${path}`);
    const told = convert(action.output, answer, responseConversion(context, nonsense));
    if (!isOfEachEntry(fields, told)) throw nonsense('result for each entry');
    return told;
  };
  const { now, waitUntil } = request;
  const permission = permissionOf(request.config, caller, action);
  const call = { context, regionDb, fields, now, signal, forward, permission, waitUntil };
  try {
    const work = effects[`${service}.${request.name}`]?.(call) ?? forward();
    if (action.runToCompletion) request.waitUntil(work);
    return { action, answer: await work };
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    throw new EngineRefusal(error.code, error.status, redactEngineNames(context, error.message));
  }
}

function nameContextOf({ region, credential }: Caller, origin: string): NameContext {
  if (!region.engine) throw new GatewayError('unavailable');
  const prefixes: Record<Service, string | null> = { sqs: credential.sqsPrefix, sns: credential.snsPrefix };
  const resources = credential.resources === null ? null : (JSON.parse(credential.resources) as string[]);
  return {
    origin,
    region: region.name,
    projectId: credential.projectId,
    prefixes,
    resources,
    engine: region.engine,
  };
}

/** Keeps the client's names. References are validated when the fields are translated for the engine. */
const IDENTITY: Conversion = { reference: (_kind, text) => text, refuse() {} };

function engineFields(action: Action, context: NameContext, raw: unknown): Fields {
  // Only the actions that create a queue or topic, and GetQueueUrl, name it without a URL or ARN.
  const conversion = requestConversion(context, action.runToCompletion === true);
  const fields = convert(action.input, raw, conversion);
  if (!action.attribute) return fields;
  const name = String(fields.AttributeName);
  const scalar = Object.hasOwn(action.attribute, name) ? action.attribute[name] : undefined;
  if (scalar === undefined) throw attributeRefused(name);
  return { ...fields, ...convertValue(scalar, fields.AttributeValue, conversion) };
}

function convertValue(scalar: Scalar, value: unknown, conversion: Conversion): Fields {
  return convert({ members: { AttributeValue: { shape: scalar } } }, { AttributeValue: value }, conversion);
}

function attributeRefused(name: string): GatewayError {
  const reason = refusalReason(name);
  return new GatewayError('bad_attribute', `${name} cannot be set here${reason ? `: ${reason}` : ''}.`);
}

/** The fields that hold a batch's entries. The Query protocol cannot distinguish an empty batch from a missing one. */
const BATCHES: ReadonlySet<string> = new Set(['Entries', 'PublishBatchRequestEntries']);

/** Translates a request for the engine. Values that do not match their shape are refused. */
function requestConversion(context: NameContext, creates: boolean): Conversion {
  return {
    reference(kind, text, path) {
      const converted = toEngine(context, kind, text);
      if (converted !== undefined || kind === 'policy') return converted;
      // Another project's resource is indistinguishable from a missing one.
      if (kind === 'queueUrl' || kind === 'owner') throw notFound('queue');
      if (kind === 'queueName' && isName('sqs', text))
        throw creates ? new GatewayError('denied') : notFound('queue');
      if (kind === 'topicName' && isName('sns', text)) throw new GatewayError('denied');
      if (kind === 'topicArn' && text.startsWith('arn:')) throw notFound('topic');
      if (kind === 'subscriptionArn' && text.startsWith('arn:')) throw notFound('subscription');
      throw new GatewayError('bad_parameter', `The value of ${path} is invalid.`);
    },
    refuse(problem, path) {
      if (problem === 'attribute') throw attributeRefused(path);
      if (problem === 'refused') throw new GatewayError('unsupported', `${path} is not supported.`);
      if (problem === 'missing' && BATCHES.has(path)) throw new GatewayError('empty_batch');
      if (problem === 'missing') {
        throw new GatewayError('missing_parameter', `The request must contain the parameter ${path}.`);
      }
      throw new GatewayError('bad_parameter', `The value of ${path} has the wrong type.`);
    },
  };
}

/**
 * Translates a response for the client. References outside the project are omitted; a response that lacks a required
 * value is treated as an engine failure.
 */
function responseConversion(context: NameContext, nonsense: (path: string) => Error): Conversion {
  return {
    reference: (kind, text) => toClient(context, kind, text),
    refuse(problem, path) {
      if (problem !== 'attribute' && problem !== 'refused') throw nonsense(path);
    },
  };
}

/** Whether a batch response has exactly one result for each entry. True for actions that are not batches. */
function isOfEachEntry(asked: Fields, answer: Fields): boolean {
  const idsOf = (...lists: (Value | undefined)[]) =>
    lists.flatMap((list) => (Array.isArray(list) ? list.map(({ Id }) => Id) : [])).sort();
  const entries = asked.Entries ?? asked.PublishBatchRequestEntries;
  return entries === undefined || `${idsOf(entries)}` === `${idsOf(answer.Successful, answer.Failed)}`;
}
