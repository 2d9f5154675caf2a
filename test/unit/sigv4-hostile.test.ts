/**
 * SigV4 verification of hostile requests: it never throws, returns a reason, and takes time linear in the request's
 * length. Also tests each encoding rule.
 */
import { describe, expect, it } from 'vitest';
import {
  deriveKey,
  type RequestHead,
  readSignature,
  verifySignature,
} from '../../functions/gateway/sigv4.ts';
import { canonicalPath, canonicalRequest, parseQuery } from '../../functions/gateway/sigv4-canonical.ts';
import { awsVectors, type Vector } from '../vectors/aws-sigv4.ts';

const now = Date.parse('2015-08-30T12:36:00Z');
const vectors = awsVectors().filter(({ name }) => name === 'post-x-www-form-urlencoded');
const [inHeader, presigned] = vectors as [Vector, Vector];
const authorization = inHeader.headers.find(([name]) => name === 'Authorization')?.[1] ?? '';

const withAuthorization = (value: string): RequestHead => ({
  ...inHeader,
  headers: inHeader.headers.map(([name, old]) => [name, name === 'Authorization' ? value : old]),
});

async function accepts(head: RequestHead): Promise<boolean> {
  const read = readSignature(head, now);
  if (!read.ok) {
    expect(read.reason).toMatch(/^[a-z_]+$/);
    return false;
  }
  // The gateway looks up the secret key by the access key, whose name a header signature does not cover.
  if (read.signed.accessKey !== 'AKIDEXAMPLE') return false;
  const key = await deriveKey(inHeader.secretKey, read.signed.scope);
  return (await verifySignature(read.signed, inHeader.body, key)).ok;
}

describe('hostile headers and query strings', () => {
  const pieces = [
    ...'AWS4-HMAC-SHA256 Credential= SignedHeaders= Signature= aws4_request host x-amz-date'.split(' '),
    ...'X-Amz-Signature= X-Amz-Expires=1e9 __proto__ constructor %2 %00 NaN -1'.split(' '),
    ...',;/= \t%&+"\\\0\né東🗝',
    ...['\ud800', '0'.repeat(64), ''],
  ];
  // A fixed sequence, so that a failure can be reproduced.
  let state = 1;
  const random = (randomBelow: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % randomBelow;
  };
  const mutate = (text: string) => {
    for (let edits = 1 + random(4); edits > 0; edits--) {
      const at = random(text.length + 1);
      text = text.slice(0, at) + pieces[random(pieces.length)] + text.slice(at + random(8));
    }
    return text;
  };

  it('never throw, and a changed Authorization header verifies only if its meaning is the same', async () => {
    const read = (head: RequestHead) => {
      const { signed } = readSignature(head, now) as Extract<ReturnType<typeof readSignature>, { ok: true }>;
      return { ...signed, headers: undefined };
    };
    for (let round = 0; round < 5000; round++) {
      const head = withAuthorization(mutate(authorization));
      if (await accepts(head)) expect(read(head)).toEqual(read(inHeader));
    }
  });

  it('never throw when presigned, and verify only when unchanged', async () => {
    for (let round = 0; round < 5000; round++) {
      const query = mutate(presigned.query);
      const same = JSON.stringify(parseQuery(query)) === JSON.stringify(parseQuery(presigned.query));
      expect(await accepts({ ...presigned, query }), query).toBe(same);
    }
  });

  it('never throw when every part is random', async () => {
    const noise = () => Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('');
    for (let round = 0; round < 5000; round++) {
      const headers: [string, string][] = [
        ['Authorization', `${random(2) ? 'AWS4-HMAC-SHA256 ' : ''}${noise()}`],
        ['x-amz-date', noise()],
        [noise(), noise()],
      ];
      const head = { method: noise(), path: noise(), query: noise(), headers: headers.slice(random(2)) };
      expect(await accepts(head)).toBe(false);
    }
  });

  /** Requests with a part of this length, by the kind of part. */
  const ofLength = (long: number): Record<string, RequestHead> => ({
    'spaces in Authorization': withAuthorization(`${authorization}${' '.repeat(long)}x`),
    'commas in Authorization': withAuthorization(`AWS4-HMAC-SHA256 ${','.repeat(long)}`),
    'slashes in the credential': withAuthorization(authorization.replace('/', '/'.repeat(long))),
    'names in SignedHeaders': withAuthorization(authorization.replace('host', 'host;'.repeat(long / 5))),
    'spaces in a signed header': {
      ...inHeader,
      headers: [...inHeader.headers, spaced('content-type', long)],
    },
    'spaces in the date': { ...inHeader, headers: [...inHeader.headers, spaced('x-amz-date', long)] },
    parameters: { ...inHeader, query: 'a=b&'.repeat(long / 4) },
    escapes: { ...inHeader, query: '%41'.repeat(long / 3) },
    'characters to escape': { ...inHeader, query: '東'.repeat(long / 3), path: '/東'.repeat(long / 3) },
    segments: { ...inHeader, path: `${'/a/..'.repeat(long / 5)}/x` },
  });

  /**
   * Returns the least CPU time of a few runs, in milliseconds. CPU time of this process excludes the load of others.
   */
  async function cost(head: RequestHead): Promise<number> {
    const taken: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = process.cpuUsage();
      expect(await accepts(head)).toBe(false);
      const { user, system } = process.cpuUsage(before);
      taken.push((user + system) / 1000);
    }
    return Math.min(...taken);
  }

  it.each(Object.keys(ofLength(0)))(
    '%s: 16 times as many take far less than 256 times as long to reject',
    async (name) => {
      const [some, many] = [ofLength(15_000)[name], ofLength(240_000)[name]] as [RequestHead, RequestHead];
      // 5 ms of tolerance: small times are inexact, and quadratic time would take seconds.
      expect(await cost(many)).toBeLessThan(64 * ((await cost(some)) + 5));
    },
  );
});

describe('an Authorization header', () => {
  it.each([
    ['without spaces after its commas', authorization.replaceAll(', ', ',')],
    ['with more spaces', authorization.replaceAll(',', '  ,  ')],
    ['with its fields in another order', authorization.replace(/(Credential=\S+), (.*)/, '$2, $1')],
  ])('%s verifies', async (_, value) => {
    expect(value).not.toBe(authorization);
    expect(await accepts(withAuthorization(value))).toBe(true);
  });
});

describe('the canonical request', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/..', '/'],
    ['/a/../../b', '/b'],
    ['/a/.', '/a'],
    ['/a//b/', '/a/b/'],
    ['/.../a..b', '/.../a..b'],
    ['/a%20b', '/a%2520b'],
    ['/%2e%2E/a', '/%252e%252E/a'],
    ['/a b+c~d_e', '/a%20b%2Bc~d_e'],
    ["/!*'()", '/%21%2A%27%28%29'],
    ['/é東🗝', '/%C3%A9%E6%9D%B1%F0%9F%97%9D'],
  ])('has the path %j as %s', (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });

  it.each([
    ['', []],
    ['&&', []],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    ['a=b=c', [['a', 'b%3Dc']]],
    ['=b', [['', 'b']]],
    ['a+b=c%20d%2B', [['a%20b', 'c%20d%2B']]],
    ['%61%2d%7E=%c3%a9', [['a-~', '%C3%A9']]],
    ['a=%ff%00', [['a', '%FF%00']]],
    ['a=é', [['a', '%C3%A9']]],
    [
      'b=1&a=2',
      [
        ['b', '1'],
        ['a', '2'],
      ],
    ],
    ['a=%', undefined],
    ['a=%4', undefined],
    ['%4g=', undefined],
  ])('parses the query %j as %j', (query, parameters) => {
    expect(parseQuery(query)).toEqual(parameters);
  });

  it('sorts parameters by name and then by value, and collapses spaces in headers', () => {
    const signable = {
      method: 'GET',
      path: '/',
      query: parseQuery('a-=1&a=2&a=1&A=3&X-Amz-Signature=s') ?? [],
      headers: new Map([['host', ' \t a  b\tc   ']]),
      signedHeaders: ['host'],
    };
    expect(canonicalRequest(signable, 'hash')).toBe('GET\n/\nA=3&a=1&a=2&a-=1\nhost:a b c\n\nhost\nhash');
  });
});

function spaced(name: string, length: number): [string, string] {
  return [name, `a${' '.repeat(length)}b`];
}
