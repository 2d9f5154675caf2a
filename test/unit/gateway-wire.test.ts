/** Parsing and serialization of the protocols: Query parameters, XML and JSON. */
import { describe, expect, it } from 'vitest';
import { type Action, actions } from '../../functions/gateway/actions.ts';
import { parseUniqueJson } from '../../functions/gateway/json.ts';
import { parseParameters, readQuery, readXml, writeQuery, writeXml } from '../../functions/gateway/query.ts';
import type { Shape, Structure, Value } from '../../functions/gateway/shapes.ts';
import { convert } from '../../functions/gateway/shapes.ts';
import { parseXml, tag } from '../../functions/gateway/xml.ts';

/** Returns a sample value of a shape, with every member set. */
function sample(shape: Shape): Value {
  if (shape === 'integer') return 7;
  if (shape === 'boolean') return true;
  if (typeof shape === 'string' || 'reference' in shape) return 'a&b <é> "c"\r\n\u{1f600}';
  if ('list' in shape) return [sample(shape.list), sample(shape.list)];
  if ('map' in shape) return { 'a.1': sample(shape.map), 'b<': sample(shape.map) };
  if ('attributes' in shape)
    return Object.fromEntries(Object.entries(shape.attributes).map(([name, one]) => [name, sample(one)]));
  return Object.fromEntries(
    Object.entries(shape.members)
      .filter(([, { refused: rejected }]) => !rejected)
      .map(([name, member]) => [name, sample(member.shape)]),
  );
}

const unchanged = {
  reference: (_kind: string, text: string) => text,
  refuse: (problem: string, path: string) => {
    throw new Error(`${problem} ${path}`);
  },
};

const all = Object.entries(actions).flatMap(([service, of]) =>
  Object.entries(of).map(([name, action]): [string, string, Action] => [service, name, action]),
);

describe.each(all)('%s %s', (service, _name, action) => {
  it('parses the Query request that was serialized from it', () => {
    const fields = sample(action.input);
    const text = new URLSearchParams(writeQuery(action.input, fields)).toString();
    const read = readQuery(action.input, parseParameters(text));
    expect(convert(action.input, read, unchanged)).toEqual(fields);
  });

  it('serializes its response as well-formed XML', () => {
    const text = tag('Result', writeXml(action.output, sample(action.output)));
    expect(parseXml(text)?.name).toBe('Result');
  });

  // Only the SNS engine responds in XML.
  if (service === 'sns') {
    it('parses the XML response that was serialized from it', () => {
      const fields = sample(action.output);
      const root = parseXml(tag('Result', writeXml(action.output, fields)));
      expect(convert(action.output, readXml(action.output, root), unchanged)).toEqual(fields);
    });
  }
});

describe('XML', () => {
  it.each([
    ['a declaration', '<?xml version="1.0"?>\n<a>1</a>', '1'],
    ['attributes', '<a xmlns="http://x/" b=\'c\'>1</a>', '1'],
    ['references', '<a>&lt;&#233;&#x1F600;&amp;amp;</a>', '<é😀&amp;'],
    ['an empty element', '<a/>', ''],
  ])('with %s is parsed', (_what, text, expected) => {
    expect(parseXml(text)?.text).toBe(expected);
  });

  it.each([
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&nothing;</a>',
    '<a>&</a>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a><![CDATA[x]]></a>',
    '<a',
    '<html><body><br></body></html>',
    '{"a":1}',
  ])('that is malformed or unsafe is rejected: %s', (text) => {
    expect(parseXml(text)).toBeUndefined();
  });
});

describe('Query parameters', () => {
  const attributes = (entry: number) =>
    Array.from({ length: 10 }, (_, at) =>
      ['Name', 'Value.DataType', 'Value.StringValue'].map(
        (part) => `PublishBatchRequestEntries.member.${entry}.MessageAttributes.entry.${at + 1}.${part}=x`,
      ),
    );

  it('of the largest batch are parsed', () => {
    const entries = Array.from({ length: 10 }, (_, at) => attributes(at + 1));
    expect(parseParameters(entries.flat(2).join('&')).size).toBe(300);
  });

  it.each([
    ['a name of dots only', 'Action=ListTopics&', '.'.repeat(4_000_000)],
    ['a name of eleven parts', 'Action=ListTopics&', `${'a.'.repeat(10)}a=x`],
    ['many names', '', Array.from({ length: 2001 }, (_, at) => `a${at}`).join('&')],
    [
      'many names, in two places',
      'a&'.repeat(1000),
      Array.from({ length: 1001 }, (_, at) => `b${at}`).join('&'),
    ],
    ['many separators', '', '&'.repeat(4_000_000)],
  ])('over the limits are rejected: %s', (_what, query, body) => {
    expect(() => parseParameters(query, body)).toThrow(/more than (10 parts|2000 parameters)/);
  });
});

describe('JSON', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1},{"b":1,"c":2,"b":3}]}',
    '{"a":1,"\\u0061":2}',
    '{"a" \n :1, "a"\t:2}',
    '{"\\"":1,"\\"":2}',
    `{"a":1,"a"${' '.repeat(100)}:2}`,
  ])('with a duplicate name in an object is rejected: %s', (text) => {
    expect(() => parseUniqueJson(text)).toThrow('occurs twice');
  });

  it.each([
    '{"a":{"b":1},"b":{"a":1}}',
    '{"a":[{"b":1},{"b":2}]}',
    '{"a":"\\"a\\":1","b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"a","b":"a",":c":":"}',
    '{"a":"x\\\\","b":"\\\\\\""}',
    '',
  ])('without duplicate names is parsed: %s', (text) => {
    expect(parseUniqueJson(text)).toEqual(text ? JSON.parse(text) : {});
  });

  it('that is nested too deep is rejected', () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect(parseUniqueJson(nested(10))).toEqual(JSON.parse(nested(10)));
    expect(() => parseUniqueJson(nested(11))).toThrow('too deep');
  });

  it.each(['[]', '1', 'null', '"a"', '{', '{"a":1}x'])('that is not an object is rejected: %s', (text) => {
    expect(() => parseUniqueJson(text)).toThrow('The body is not');
  });
});

describe('a shape', () => {
  const structure: Structure = {
    members: { a: { shape: 'string', required: true }, n: { shape: 'integer' } },
  };

  it('keeps its own members and drops others', () => {
    const fields = JSON.parse('{"a":"x","n":3,"b":1,"__proto__":{"n":4}}') as object;
    const converted = convert(structure, fields, unchanged);
    expect(converted).toEqual({ a: 'x', n: 3 });
    expect(Object.getPrototypeOf(converted)).toBe(Object.prototype);
  });

  it.each([
    ['{}', 'missing a'],
    ['{"a":1}', 'malformed a'],
    ['{"a":"x","n":"1e3"}', 'malformed n'],
    ['{"a":"x","n":1.5}', 'malformed n'],
    ['{"a":"x","n":[1]}', 'malformed n'],
  ])('rejects %s', (text, problem) => {
    expect(() => convert(structure, JSON.parse(text), unchanged)).toThrow(problem);
  });
});
