/**
 * Defines the shapes of requests and responses. A shape says how a value is serialized in every protocol and which
 * references in it must be translated between client and engine. The shapes of each action are in actions.ts, the
 * serialization in query.ts, the translation in names.ts.
 */

/**
 * A string that names a resource, and so differs between client and engine:
 *
 * - `queueName`, `topicName`: a bare name
 * - `queueUrl`, `queueArn`, `topicArn`, `subscriptionArn`
 * - `endpoint`: a subscription's destination, a queue ARN or a URL
 * - `redrivePolicy`: JSON with the ARN of a dead-letter queue, or empty
 * - `policy`: a queue's policy, stored by the gateway and never sent to or read from the engine
 * - `owner`: the account, shown as the project
 * - `prose`: a message for people, which can contain any of the engine's names
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

/** A value that is not a collection. Blobs are base64 in every protocol. */
export type Scalar = 'string' | 'integer' | 'boolean' | 'blob' | { reference: Reference };

/** How a map's entries are named in the Query protocol. */
export interface EntryNames {
  /** The names of key and value: `Name` and `Value` in `Attribute.1.Name`. */
  key: string;
  value: string;
}

/**
 * A shape. `wrapped` is the extra level between a collection and its elements in SNS's Query protocol:
 * `Tags.member.1.Key`, compared to `Tag.1.Key` in SQS.
 */
export type Shape =
  | Scalar
  | { list: Shape; wrapped: boolean }
  | ({ map: Shape; wrapped: boolean } & EntryNames)
  /** A map of strings with these keys only, each with its type. */
  | ({ attributes: Readonly<Record<string, Scalar>>; wrapped: boolean } & EntryNames)
  | Structure;

/** A member of a structure. `query` is its name in the Query protocol if that differs from JSON. */
export interface Member {
  shape: Shape;
  query?: string;
  /** An alternative name in Query requests. */
  alias?: string;
  required?: boolean;
  /** Refused in requests, omitted from responses. */
  refused?: boolean;
}

/**
 * A structure: members by their JSON names. Other members are dropped in both directions, because SQS and SNS ignore
 * unknown members. A member that has an effect there but not here is `refused` instead.
 */
export interface Structure {
  members: Readonly<Record<string, Member>>;
}

/** A value of any shape, in the form that JSON has. */
export type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

export type Fields = { readonly [name: string]: Value };

/**
 * Converts and validates a value's scalars. Both functions reject by throwing; `reference` omits a value by returning
 * undefined.
 */
export interface Conversion {
  reference(kind: Reference, text: string, path: string): string | undefined;
  /**
   * Called for a value that does not match its shape, a missing required value, an unknown attribute, or a refused
   * member.
   */
  refuse(problem: 'missing' | 'malformed' | 'attribute' | 'refused', path: string): void;
}

/**
 * Returns a copy of `fields` with only the structure's members and with converted references. Nothing that was not
 * checked here is passed on.
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

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
