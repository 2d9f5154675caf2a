/** Builds the API reference from the Worker's OpenAPI document: one page for each tag. */
import { app } from '../../../functions/index.ts';
import { describeApi } from '../../../functions/openapi.ts';

/** A parameter, or a member of a body. */
export interface ApiField {
  /** `permissions.can_publish`. Members of a list's items have the prefix `[]`. */
  name: string;
  /** `string, 1 to 500 characters`. */
  type: string;
  /** `path` or `query` for parameters, `body` for members of a body. */
  place: string;
  required: boolean;
}

export interface ApiOperation {
  /** The anchor of its heading. */
  slug: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  input: ApiField[];
  /** An example of the request's body, as JSON. */
  body: string | undefined;
  /** The status of a successful response. */
  status: string;
  answer: string | undefined;
  output: ApiField[];
  /** Codes of the error table, by status. */
  errors: { status: string; codes: string[] }[];
}

/** A page of the reference. */
export interface ApiSection {
  slug: string;
  label: string;
  operations: ApiOperation[];
}

/** The part of JSON Schema that the document uses. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
}

interface Body {
  content?: { 'application/json'?: { schema?: Schema; example?: unknown } };
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: Body;
  responses: Record<string, Body & { description?: string }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** Returns the anchor of a heading. */
const slugOf = (text: string) => text.toLowerCase().replaceAll(/[^a-z\d]+/g, '-');

/** Returns the pages of the reference, in the order of the document. `regions` are the names to use in it. */
export function apiSections(regions: string[]): ApiSection[] {
  const document = describeApi(app, regions) as unknown as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? 'Other');
  return [...byTag].map(([label, members]) => ({
    slug: slugOf(label),
    label,
    operations: members.map(({ path, method, operation }) => read(document, path, method, operation)),
  }));
}

function read(document: Document, path: string, method: string, operation: Operation): ApiOperation {
  const { summary = '', description = '', parameters = [], requestBody, responses } = operation;
  const [status = '', success] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
  const sent = requestBody?.content?.['application/json'];
  const told = success?.content?.['application/json'];
  return {
    slug: slugOf(summary),
    method: method.toUpperCase(),
    path,
    summary,
    description: description.replaceAll(/\s+/g, ' '),
    input: [
      ...parameters.map(({ name, in: place, required = false, schema }) => ({
        name,
        type: typeOf(document, schema),
        place,
        required,
      })),
      ...fieldsOf(document, sent?.schema),
    ],
    body: written(sent?.example),
    status,
    answer: written(told?.example),
    output: fieldsOf(document, told?.schema),
    errors: Object.entries(responses)
      .filter(([code]) => code >= '400')
      .map(([code, { content }]) => ({
        status: code,
        codes: codesOf(content?.['application/json']?.schema),
      })),
  };
}

const written = (example: unknown) => (example === undefined ? undefined : JSON.stringify(example, null, 2));

const NAME = /^#\/components\/schemas\/(?:Error_)?(.*)$/;
const nameIn = (reference: string) => NAME.exec(reference)?.[1] ?? '';

function codesOf(schema: Schema | undefined): string[] {
  return (schema?.anyOf ?? [schema ?? {}]).flatMap(({ $ref }) => ($ref ? nameIn($ref) : []));
}

function resolved({ components }: Document, schema: Schema): Schema {
  return schema.$ref ? (components.schemas[nameIn(schema.$ref)] ?? {}) : schema;
}

function fieldsOf(document: Document, schema: Schema | undefined, within = ''): ApiField[] {
  if (!schema) return [];
  const { properties = {}, required = [], items } = resolved(document, schema);
  if (items) return fieldsOf(document, items, `${within}[].`);
  return Object.entries(properties).flatMap(([member, value]) => {
    const name = within + member;
    const inner = resolved(document, value);
    return [
      { name, type: typeOf(document, value), place: 'body', required: required.includes(member) },
      ...fieldsOf(document, inner, inner.items ? name : `${name}.`),
    ];
  });
}

const NAMES: Record<string, string> = {
  'date-time': 'time (RFC 3339, UTC)',
  uuid: 'UUID',
  object: 'object',
  array: 'list',
};

function typeOf(document: Document, schema: Schema): string {
  const { type = 'any', format = '', enum: choices, default: preset, ...bounds } = resolved(document, schema);
  const [base = '', ...more] = [type].flat();
  const parts = [
    choices ? `one of ${choices.join(', ')}` : (NAMES[format] ?? NAMES[base] ?? base),
    boundsOf(bounds),
    preset === undefined ? '' : `${preset} by default`,
  ];
  return parts.filter(Boolean).join(', ') + (more.includes('null') ? ', or null' : '');
}

function boundsOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  const [low, high, unit] =
    maxLength === undefined ? [minimum, maximum, ''] : [minLength ?? 0, maxLength, ' characters'];
  // zod writes the largest safe integer where a schema has no limit.
  if (low === undefined || high === undefined || high === Number.MAX_SAFE_INTEGER) return '';
  return `${low.toLocaleString('en')} to ${high.toLocaleString('en')}${unit}`;
}
