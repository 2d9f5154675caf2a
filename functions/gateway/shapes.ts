/**
 * What a request or an answer of SQS or SNS is made of. A shape says how a value is written in every protocol and, by
 * its references, what in it must be renamed between client and engine. Which shapes an action has is actions.ts's; how
 * they are written is query.ts's; what renaming means is names.ts's.
 */

/**
 * A text that names something, and so differs between client and engine:
 *
 * - `queueName`, `topicName`: a bare name
 * - `queueUrl`, `queueArn`, `topicArn`, `subscriptionArn`
 * - `endpoint`: what a subscription delivers to, a queue's ARN or a URL
 * - `redrivePolicy`: JSON with the ARN of a dead-letter queue, or empty
 * - `policy`: a queue's policy, which is kept here and never sent to the engine or read from it
 * - `owner`: the account, told as the project
 * - `prose`: a message for people, in which an engine may name whatever it likes
 */
export type Reference =
  | 'queueName'
  | 'topicName'
  | 'queueUrl'
  | 'queueArn'
  | 'topicArn'
  | 'subscriptionArn'
  | 'endpoint'
  | 'redrivePolicy'
  | 'policy'
  | 'owner'
  | 'prose';

/** A value that is no collection. Blobs are base64 in every protocol. */
export type Scalar = 'string' | 'integer' | 'boolean' | 'blob' | { reference: Reference };

/** How the entries of a map are written in the Query protocol. */
export interface EntryNames {
  /** The names of key and value: `Name` and `Value` in `Attribute.1.Name`. */
  key: string;
  value: string;
}

/**
 * A shape. `wrapped` is the level that SNS puts between a collection and its elements in the Query protocol, and SQS
 * does not: `Tags.member.1.Key` against `Tag.1.Key`.
 */
export type Shape =
  | Scalar
  | { list: Shape; wrapped: boolean }
  | ({ map: Shape; wrapped: boolean } & EntryNames)
  /** A map of texts that has these keys only, each with what its value is. */
  | ({ attributes: Readonly<Record<string, Scalar>>; wrapped: boolean } & EntryNames)
  | Structure;

/** A member of a structure. Its name in the Query protocol is `query`, or else the same as in JSON. */
export interface Member {
  shape: Shape;
  query?: string;
  /** Another name, by which a Query request may give it instead. */
  alias?: string;
  required?: boolean;
  /** A request that has it is refused; an answer goes on without it. */
  refused?: boolean;
}

/**
 * A structure: members by their names in JSON. Anything else is dropped on its way, in both directions, as SQS and SNS
 * ignore what they do not know: a member that has an effect there, and none here, is `refused`.
 */
export interface Structure {
  members: Readonly<Record<string, Member>>;
}

/** A value of some shape, as JSON has it. */
export type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

/** A value of a {@link Structure}. */
export type Fields = { readonly [name: string]: Value };

/** What is done to the scalars of a value on its way; both say no by throwing, or by undefined: leave it out. */
export interface Conversion {
  reference(kind: Reference, text: string, path: string): string | undefined;
  /** A value is not of its shape, is required and absent, or may not be there (an attribute, a refused member). */
  refuse(problem: 'missing' | 'malformed' | 'attribute' | 'refused', path: string): void;
}

/**
 * A copy of `fields` that has the members of the structure and nothing else, its references converted. What it is
 * serialised to can hold nothing that was not looked at here.
 */
export function convert(structure: Structure, fields: unknown, conversion: Conversion): Fields {
  return (convertStructure(structure, fields, conversion, '') ?? {}) as Fields;
}

type Converted = Value | undefined;

function convertShape(shape: Shape, value: unknown, conversion: Conversion, path: string): Converted {
  if (typeof shape === 'string' || 'reference' in shape) return convertScalar(shape, value, conversion, path);
  if ('list' in shape) {
    if (!Array.isArray(value)) return malformed(conversion, path);
    return present(value.map((one, at) => convertShape(shape.list, one, conversion, `${path}.${at + 1}`)));
  }
  if ('members' in shape) return convertStructure(shape, value, conversion, path);
  if (!isRecord(value)) return malformed(conversion, path);
  const entries = Object.entries(value).map(([key, one]): [string, Converted] => {
    const at = `${path}.${key}`;
    if ('map' in shape) return [key, convertShape(shape.map, one, conversion, at)];
    const scalar = Object.hasOwn(shape.attributes, key) ? shape.attributes[key] : undefined;
    if (scalar !== undefined) return [key, convertScalar(scalar, one, conversion, at)];
    conversion.refuse('attribute', key);
    return [key, undefined];
  });
  return Object.fromEntries(entries.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

function convertStructure(
  { members }: Structure,
  value: unknown,
  conversion: Conversion,
  path: string,
): Converted {
  if (!isRecord(value)) return malformed(conversion, path || 'the request');
  const fields: [string, Value][] = [];
  for (const [name, member] of Object.entries(members)) {
    const at = path ? `${path}.${name}` : name;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined || given === null) {
      if (member.required) conversion.refuse('missing', at);
      continue;
    }
    if (member.refused) {
      conversion.refuse('refused', at);
      continue;
    }
    const converted = convertShape(member.shape, given, conversion, at);
    if (converted !== undefined) fields.push([name, converted]);
    else if (member.required) conversion.refuse('missing', at);
  }
  return Object.fromEntries(fields);
}

function convertScalar(scalar: Scalar, value: unknown, conversion: Conversion, path: string): Converted {
  switch (scalar) {
    case 'integer': {
      const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) ? (number as number) : malformed(conversion, path);
    }
    case 'boolean': {
      if (typeof value === 'boolean') return value;
      return value === 'true' || value === 'false' ? value === 'true' : malformed(conversion, path);
    }
    case 'string':
    case 'blob':
      return typeof value === 'string' ? value : malformed(conversion, path);
    default:
      return typeof value === 'string'
        ? conversion.reference(scalar.reference, value, path)
        : malformed(conversion, path);
  }
}

function malformed(conversion: Conversion, path: string): undefined {
  conversion.refuse('malformed', path);
}

function present(values: readonly Converted[]): Value[] {
  return values.filter((value) => value !== undefined);
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
