/**
 * An authenticated request from its action to its answer: what the action is, whether the bearer may, its fields in the
 * engine's names, its answer in the client's. Knows nothing of signatures and of how answers are written.
 */
import { openDatabase } from '../../db/database.ts';
import { findBearer } from '../../db/region/gateway.ts';
import { type Action, actionOf, allows, type Service } from './actions.ts';
import type { Caller } from './bearer.ts';
import { EngineRefusal, GatewayError, notFound } from './errors.ts';
import { type Place, toClient, toEngine, withoutEngine } from './names.ts';
import { forgetMissing, operations } from './operations.ts';
import { refusalReason } from './refused-attributes.ts';
import { type Conversion, convert, type Fields, type Scalar, type Value } from './shapes.ts';
import { callEngine, unavailable } from './upstream.ts';

/** What a client asks for, as it was read. */
export interface Request {
  /** The name of the action, as the client gives it. */
  name: string;
  /** Reads the fields that an action has. */
  read(action: Action): unknown;
  origin: string;
  signal: AbortSignal;
  /** When the request was authorised, milliseconds since the epoch. */
  now: number;
  /** Sees to it that this is done, whether the client stays or goes. */
  outlive(work: Promise<unknown>): void;
}

/** Runs an action. Throws a {@link GatewayError} or an {@link EngineRefusal}, whose message a client may see. */
export async function execute(caller: Caller, request: Request): Promise<{ action: Action; answer: Fields }> {
  const { service } = caller;
  const action = actionOf(service, request.name);
  if (!action) throw new GatewayError('unknown_action');
  if (!allows(action.needs, caller.bearer.permissions)) throw new GatewayError('denied');
  const place = placeOf(caller, request.origin);
  const raw = request.read(action);
  const fields = convert(action.input, raw, AS_IT_IS);
  const sent = engineFields(action, place, raw);
  for (const name of BATCHES)
    if (Array.isArray(sent[name]) && sent[name].length === 0) throw new GatewayError('empty_batch');
  const signal = action.lasts ? undefined : request.signal;
  const { store } = caller;
  const forward = async (more?: Fields) => {
    const asked = { service, action: request.name, fields: { ...sent, ...more }, signal };
    const answer = await callEngine(place.engine, asked).catch((error: unknown) => {
      const isMissing = error instanceof GatewayError && error.fault === 'not_found';
      if (isMissing) request.outlive(forgetMissing({ place, store, fields, now: request.now }));
      throw error;
    });
    const nonsense = (path: string) => unavailable(asked, `200, and no ${path} that could be told`);
    const told = convert(action.output, answer, outward(place, nonsense));
    if (!isOfEachEntry(fields, told)) throw nonsense('result of each entry');
    return told;
  };
  const recheck = () => stillMay(caller, action);
  const call = { place, store, fields, now: request.now, signal, forward, recheck };
  try {
    const work = operations[`${service}.${request.name}`]?.(call) ?? forward();
    if (action.lasts) request.outlive(work);
    return { action, answer: await work };
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    throw new EngineRefusal(error.code, error.status, withoutEngine(place, error.message));
  }
}

function placeOf({ region, bearer }: Caller, origin: string): Place {
  if (!region.engine) throw new GatewayError('unavailable');
  const prefixes: Record<Service, string | null> = { sqs: bearer.sqsPrefix, sns: bearer.snsPrefix };
  return { origin, region: region.name, projectId: bearer.projectId, prefixes, engine: region.engine };
}

/** Reads the credentials again: the same ones, of the same activation, with the permission. Throws otherwise. */
async function stillMay({ region, service, accessKey, bearer }: Caller, { needs }: Action): Promise<void> {
  // Opened again: only its first query is sure to see what was changed since.
  const now = await findBearer(openDatabase(region.database), service, accessKey);
  const prefix = `${service}Prefix` as const;
  if (now?.id !== bearer.id || now[prefix] !== bearer[prefix]) throw new GatewayError('unknown_key');
  if (!allows(needs, now.permissions)) throw new GatewayError('denied');
}

/** For the fields in the client's own names: they are checked on their way to the engine. */
const AS_IT_IS: Conversion = { reference: (_kind, text) => text, refuse() {} };

function engineFields(action: Action, place: Place, raw: unknown): Fields {
  const conversion = inward(place);
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

/** The entries of a batch. In the Query protocol, a batch without entries and one with none look the same. */
const BATCHES: ReadonlySet<string> = new Set(['Entries', 'PublishBatchRequestEntries']);

/** Of a request: whatever does not fit is refused. */
function inward(place: Place): Conversion {
  return {
    reference(kind, text, path) {
      const converted = toEngine(place, kind, text);
      if (converted !== undefined || kind === 'policy') return converted;
      // What is another's is missing, exactly as what nobody has.
      if (kind === 'queueUrl' || kind === 'owner') throw notFound('queue');
      if (kind === 'topicArn' && text.startsWith('arn:')) throw notFound('topic');
      if (kind === 'subscriptionArn' && text.startsWith('arn:')) throw notFound('subscription');
      throw new GatewayError('bad_parameter', `The value of ${path} is not valid.`);
    },
    refuse(problem, path) {
      if (problem === 'attribute') throw attributeRefused(path);
      if (problem === 'refused') throw new GatewayError('unsupported', `${path} is not supported.`);
      if (problem === 'missing' && BATCHES.has(path)) throw new GatewayError('empty_batch');
      if (problem === 'missing') {
        throw new GatewayError('missing_parameter', `The request must contain the parameter ${path}.`);
      }
      throw new GatewayError('bad_parameter', `The value of ${path} is not of its type.`);
    },
  };
}

/** Of an answer: what names nothing of this project is left out, and an answer without its parts is nonsense. */
function outward(place: Place, nonsense: (path: string) => Error): Conversion {
  return {
    reference: (kind, text) => toClient(place, kind, text),
    refuse(problem, path) {
      if (problem !== 'attribute' && problem !== 'refused') throw nonsense(path);
    },
  };
}

/** Whether a batch has one result for each of its entries. What is no batch has. */
function isOfEachEntry(asked: Fields, answer: Fields): boolean {
  const idsOf = (...lists: (Value | undefined)[]) =>
    lists.flatMap((list) => (Array.isArray(list) ? list.map(({ Id }) => Id) : [])).sort();
  const entries = asked.Entries ?? asked.PublishBatchRequestEntries;
  return entries === undefined || `${idsOf(entries)}` === `${idsOf(answer.Successful, answer.Failed)}`;
}
