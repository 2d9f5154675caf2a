/**
 * Reads and writes the Query protocol: requests are parameters with dotted names, responses are XML. Values are
 * serialized by their shapes and not interpreted. Used for clients of SQS and SNS, and for engines of SNS.
 */
import { GatewayError } from './errors.ts';
import type { Member, Shape, Structure } from './shapes.ts';
import { childOf, type Element, escapeXml, tag } from './xml.ts';

/**
 * Maximum number of parameters, and of dotted parts in a parameter's name. A batch of ten messages with ten attributes
 * each has about 400 parameters; the deepest name of any action has 8 parts.
 */
const MAX_PARAMETERS = 2000;
const MAX_PARTS = 10;

/**
 * Parses the parameters of forms and query strings. Throws if a name occurs twice, because parsers differ in which
 * value they take. Limits number and depth: the parsed tree could otherwise take many times the request's memory.
 */
export function parseParameters(...texts: string[]): Map<string, string> {
  if (texts.join('&').split('&', MAX_PARAMETERS + 1).length > MAX_PARAMETERS)
    throw new GatewayError('malformed', `There are more than ${MAX_PARAMETERS} parameters.`);
  const parameters = new Map<string, string>();
  for (const text of texts) {
    for (const [name, value] of new URLSearchParams(text)) {
      if (name.split('.', MAX_PARTS + 1).length > MAX_PARTS)
        throw new GatewayError('malformed', `The name of a parameter has more than ${MAX_PARTS} parts.`);
      if (parameters.has(name)) throw new GatewayError('malformed', `The parameter ${name} occurs twice.`);
      parameters.set(name, value);
    }
  }
  return parameters;
}

// `Attribute.1.Name=a` as a tree: Attribute → 1 → Name, with the value `a`.
interface Tree {
  value?: string;
  children: Map<string, Tree>;
}

function treeOf(parameters: ReadonlyMap<string, string>): Tree {
  const root: Tree = { children: new Map() };
  for (const [name, value] of parameters) {
    let node = root;
    for (const part of name.split('.')) {
      const child: Tree = node.children.get(part) ?? { children: new Map() };
      node.children.set(part, child);
      node = child;
    }
    node.value = value;
  }
  return root;
}

/**
 * Returns a structure's fields from the parameters, in the form that JSON has. Throws if a map has a duplicate key.
 */
export function readQuery(structure: Structure, parameters: ReadonlyMap<string, string>): unknown {
  return readTree(structure, treeOf(parameters));
}

function readTree(shape: Shape, tree: Tree): unknown {
  if (typeof shape === 'string' || 'reference' in shape) return tree.value;
  if ('members' in shape) {
    const fields = Object.entries(shape.members).flatMap(([name, member]) => {
      const child = childNamed(tree, queryName(name, member), member.alias);
      return child ? [[name, readTree(member.shape, child)]] : [];
    });
    return Object.fromEntries(fields);
  }
  const elements = elementsOf(shape.wrapped ? tree.children.get(wrapperOf(shape)) : tree);
  if ('list' in shape) return elements.map((element) => readTree(shape.list, element));
  const value = 'map' in shape ? shape.map : 'string';
  const entries = elements.flatMap((element) => {
    const key = element.children.get(shape.key)?.value;
    const child = element.children.get(shape.value);
    return key !== undefined && child ? [[key, readTree(value, child)] as const] : [];
  });
  const read = Object.fromEntries(entries);
  if (Object.keys(read).length < entries.length) throw new GatewayError('malformed', 'A name occurs twice.');
  return read;
}

function childNamed({ children }: Tree, name: string, alias: string | undefined): Tree | undefined {
  if (alias === undefined || !children.has(alias)) return children.get(name);
  if (children.has(name)) throw new GatewayError('bad_parameter', `${name} and ${alias} cannot be combined.`);
  return children.get(alias);
}

// Numbered elements in ascending order. Some clients skip numbers.
function elementsOf(tree: Tree | undefined): Tree[] {
  const numbered = [...(tree?.children ?? [])].filter(([part]) => /^[1-9]\d{0,5}$/.test(part));
  return numbered.sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
}

function wrapperOf(shape: Shape): 'member' | 'entry' {
  return typeof shape === 'object' && 'list' in shape ? 'member' : 'entry';
}

function queryName(name: string, { query }: Member): string {
  return query ?? name;
}

/** Returns a structure's fields as parameters. */
export function writeQuery(structure: Structure, fields: unknown): [string, string][] {
  return writeParameters(structure, fields, '');
}

function writeParameters(shape: Shape, value: unknown, path: string): [string, string][] {
  if (typeof shape === 'string' || 'reference' in shape) return [[path, String(value)]];
  const below = (part: string | number) => (path ? `${path}.${part}` : `${part}`);
  if ('members' in shape) {
    return present(shape, value).flatMap(([name, member, field]) =>
      writeParameters(member.shape, field, below(queryName(name, member))),
    );
  }
  const start = shape.wrapped ? below(wrapperOf(shape)) : path;
  if ('list' in shape) {
    return (value as unknown[]).flatMap((one, at) => writeParameters(shape.list, one, `${start}.${at + 1}`));
  }
  const of = 'map' in shape ? shape.map : 'string';
  return Object.entries(value as object).flatMap(([key, one], at) => [
    [`${start}.${at + 1}.${shape.key}`, key] as [string, string],
    ...writeParameters(of, one, `${start}.${at + 1}.${shape.value}`),
  ]);
}

function present(structure: Structure, value: unknown): [string, Member, unknown][] {
  const fields = value as Record<string, unknown>;
  return Object.entries(structure.members).flatMap(([name, member]) =>
    Object.hasOwn(fields, name) ? [[name, member, fields[name]] as [string, Member, unknown]] : [],
  );
}

/** Returns a structure's fields as XML, without an enclosing element. */
export function writeXml(structure: Structure, fields: unknown): string {
  return present(structure, fields)
    .map(([name, member, field]) => writeElements(queryName(name, member), member.shape, field))
    .join('');
}

// A collection without a wrapper repeats the element with its own name.
function writeElements(name: string, shape: Shape, value: unknown): string {
  if (typeof shape === 'string' || 'reference' in shape) return tag(name, escapeXml(String(value)));
  if ('members' in shape) return tag(name, writeXml(shape, value));
  const each = shape.wrapped ? wrapperOf(shape) : name;
  const inside =
    'list' in shape
      ? (value as unknown[]).map((one) => writeElements(each, shape.list, one))
      : Object.entries(value as object).map(([key, one]) => {
          const of = 'map' in shape ? shape.map : 'string';
          return tag(each, tag(shape.key, escapeXml(key)) + writeElements(shape.value, of, one));
        });
  return shape.wrapped ? tag(name, inside.join('')) : inside.join('');
}

/** Returns a structure's fields from an XML element, in the form that JSON has. */
export function readXml(structure: Structure, element: Element | undefined): unknown {
  const fields = Object.entries(structure.members).flatMap(([name, member]) => {
    const child = childOf(element, queryName(name, member));
    return child ? [[name, readElement(member.shape, child)]] : [];
  });
  return Object.fromEntries(fields);
}

function readElement(shape: Shape, element: Element): unknown {
  if (typeof shape === 'string' || 'reference' in shape) return element.text;
  if ('members' in shape) return readXml(shape, element);
  // Only responses of SNS are read, and there every collection has a wrapper.
  const elements = element.children.filter(({ name }) => name === wrapperOf(shape));
  if ('list' in shape) return elements.map((one) => readElement(shape.list, one));
  const of = 'map' in shape ? shape.map : 'string';
  const entries = elements.flatMap((one) => {
    const [key, value] = [childOf(one, shape.key), childOf(one, shape.value)];
    return key && value ? [[key.text, readElement(of, value)]] : [];
  });
  return Object.fromEntries(entries);
}
