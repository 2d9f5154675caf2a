/**
 * SigV4 verification of requests signed by aws4fetch, smithy and the AWS SDK's clients, in headers and presigned:
 * they verify, and any later change makes them fail. Requests are random, but the same in each run.
 */
import { createHmac } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsV4Signer } from 'aws4fetch';
import { describe, expect, it } from 'vitest';
import {
  deriveKey,
  type RequestHead,
  readSignature,
  sha256Hex,
  verifySignature,
} from '../../functions/gateway/sigv4.ts';
import { canonicalRequest, stringToSign } from '../../functions/gateway/sigv4-canonical.ts';

interface Plain {
  method: string;
  host: string;
  path: string;
  query: [string, string][];
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
  accessKey: string;
  secretKey: string;
  region: string;
  service: string;
  date: Date;
}

interface Sent extends RequestHead {
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
}

type Sign = (plain: Plain) => Promise<Sent>;

const ROUNDS = 100;
const EXPIRES_S = 300;
const encode = (text: string) => new TextEncoder().encode(text);

const signers: Record<string, Sign> = {
  'aws4fetch, in the header': (plain) => signWithAws4fetch(plain, false),
  'aws4fetch, presigned': (plain) => signWithAws4fetch(plain, true),
  'smithy, in the header': (plain) => signWithSmithy(plain, false),
  'smithy, presigned': (plain) => signWithSmithy(plain, true),
};

describe.each(Object.entries(signers))('requests signed by %s', (_, sign) => {
  it('verify', async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const plain = randomRequest(randomFrom(seed));
      const sent = await sign(plain);
      expect(await verify(sent, plain), JSON.stringify({ seed, ...sent })).toBe('verified');
    }
  });

  it('fail after any change, and with another secret key, region or service', async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = randomFrom(seed);
      const plain = randomRequest(random);
      const sent = await sign(plain);
      for (const altered of alter(sent, random)) {
        expect(await verify(altered, plain), JSON.stringify({ seed, altered, sent })).not.toBe('verified');
      }
      expect(await verify(sent, { ...plain, secretKey: `${plain.secretKey}x` })).toBe('signature_mismatch');
    }
  });
});

describe('aws4fetch', () => {
  const plain = randomRequest(randomFrom(0));

  it('cannot leave the body out of the signature', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect(await verify(await signWithAws4fetch({ ...plain, headers }, false), plain)).toBe(
      'payload_unsigned',
    );
    expect(await verify(await signWithAws4fetch({ ...plain, headers }, true), plain)).toBe(
      'payload_unsigned',
    );
  });

  it('can send the hash of the body, if it is correct', async () => {
    const hash = await crypto.subtle.digest('SHA-256', plain.body);
    const headers = { 'x-amz-content-sha256': Buffer.from(hash).toString('hex') };
    const sent = await signWithAws4fetch({ ...plain, headers }, false);
    expect(await verify(sent, plain)).toBe('verified');
    expect(await verify({ ...sent, body: encode('other') }, plain)).toBe('payload_hash_differs');
  });
});

it('a presigned URL without X-Amz-Expires is valid for as long as a signature in the header', async () => {
  const plain = randomRequest(randomFrom(0));
  const url = new URL(`https://${plain.host}/`);
  const signer = { accessKeyId: plain.accessKey, secretAccessKey: plain.secretKey };
  const datetime = plain.date.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const of = { service: 'sqs', region: 'fr-par', datetime, signQuery: true };
  const signed = await new AwsV4Signer({ url: url.href, method: 'GET', ...signer, ...of }).sign();
  expect(signed.url.searchParams.has('X-Amz-Expires')).toBe(false);
  const sent = { method: 'GET', path: '/', query: signed.url.search.slice(1), body: encode('') };
  const head: Sent = { ...sent, headers: [['host', signed.url.host]] };
  const after = (minutes: number) => ({ ...plain, date: new Date(plain.date.getTime() + minutes * 60_000) });
  const outcomes = async (minutes: number) => {
    const read = readSignature(head, after(minutes).date.getTime());
    return read.ok ? verify(head, after(minutes)) : read.reason;
  };
  expect(await Promise.all([-16, -15, 0, 15, 16].map(outcomes))).toEqual([
    'clock_skew',
    'verified',
    'verified',
    'verified',
    'clock_skew',
  ]);
});

it('the header Date can replace X-Amz-Date, which takes precedence', async () => {
  const date = new Date('2026-11-27T22:00:05Z');
  const time = '20261127T220005Z';
  const scope = { date: '20261127', region: 'fr-par', service: 'sqs' };
  const body = encode('Action=ListQueues');
  const signedAt = async (headers: [string, string][]): Promise<Sent> => {
    const signable = {
      method: 'POST',
      path: '/',
      query: [],
      headers: new Map(headers),
      signedHeaders: headers.map(([name]) => name),
    };
    const hash = await sha256Hex(encode(canonicalRequest(signable, await sha256Hex(body))));
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce(
      hmac,
      Buffer.from('AWS4secret'),
    );
    const signature = hmac(key, stringToSign(time, scope, hash)).toString('hex');
    const credential = `LKEY0123456789abcdef/${scope.date}/fr-par/sqs/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signable.signedHeaders.join(';')}, Signature=${signature}`;
    return {
      method: 'POST',
      path: '/',
      query: '',
      headers: [...headers, ['authorization', authorization]],
      body,
    };
  };
  const results = async (headers: [string, string][]) =>
    verify(await signedAt(headers), { secretKey: 'secret', date });
  const host: [string, string] = ['host', 'a.example.com'];
  expect(await results([['date', 'Fri, 27 Nov 2026 22:00:05 GMT'], host])).toBe('verified');
  expect(await results([['date', 'Fri, 27 Nov 2026 22:00:05 -0000'], host])).toBe('verified');
  expect(await results([['date', time], host])).toBe('verified');
  expect(await results([['date', 'Thu, 01 Jan 1970 00:00:00 GMT'], host, ['x-amz-date', time]])).toBe(
    'verified',
  );
  expect(await results([['date', 'Fri, 27 Nov 2026 22:30:05 GMT'], host])).toBe('clock_skew');
  for (const wrong of [
    'Fri, 27 Nov 2026 22:00:05 +0100',
    'Fri, 27 Nov 2026 22:00:06 GMT',
    '2026-11-27',
    '5',
    'Fri, 31 Nov 2026 22:00:05 GMT',
  ])
    expect(await results([['date', wrong], host])).not.toBe('verified');
});

describe('the AWS SDK', () => {
  const options = {
    endpoint: 'https://queues.example.com/',
    region: 'fr-par',
    credentials: { accessKeyId: 'LKEY0123456789abcdef', secretAccessKey: 'secret' },
  };
  const capture = () => {
    const requests: Parameters<SdkHandler['handle']>[0][] = [];
    const requestHandler: SdkHandler = {
      handle: async (request) => {
        requests.push(request);
        throw new Error('request captured');
      },
    };
    return { requests, requestHandler, maxAttempts: 1 };
  };
  const check = async ({ requests }: ReturnType<typeof capture>, service: string) => {
    const { method, path, headers, body } = requests[0] ?? expect.fail('nothing was sent');
    const sent = { method, path, query: '', headers: Object.entries(headers), body: bytes(body) };
    const read = readSignature(sent, Date.now());
    expect(read).toMatchObject({ ok: true, signed: { scope: { region: 'fr-par', service } } });
    const plain = { secretKey: 'secret', date: new Date() };
    expect(await verify(sent, plain)).toBe('verified');
    const altered = { ...sent, body: Uint8Array.of(...sent.body, 32) };
    expect(await verify(altered, plain)).toBe('payload_hash_differs');
    return sent;
  };

  it('signs the JSON protocol for SQS, including the target', async () => {
    const captured = capture();
    const client = new SQSClient({ ...options, ...captured });
    const message = { QueueUrl: 'https://queues.example.com/project-1/q', MessageBody: 'été 🗝️' };
    await expect(client.send(new SendMessageCommand(message))).rejects.toThrow('captured');
    const sent = await check(captured, 'sqs');
    const headers = sent.headers.map(([name, value]): [string, string] =>
      name === 'x-amz-target' ? [name, 'AmazonSQS.PurgeQueue'] : [name, value],
    );
    expect(headers).not.toEqual(sent.headers);
    expect(await verify({ ...sent, headers }, { secretKey: 'secret', date: new Date() })).toBe(
      'signature_mismatch',
    );
  });

  it('signs the Query protocol for SNS', async () => {
    const captured = capture();
    const client = new SNSClient({ ...options, ...captured });
    const message = { TopicArn: 'arn:scw:sns:fr-par:project-1:t', Message: 'a+b c&d=é' };
    await expect(client.send(new PublishCommand(message))).rejects.toThrow('captured');
    await check(captured, 'sns');
  });
});

function bytes(body: unknown): Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array ? new Uint8Array(body) : encode(String(body));
}

interface SdkHandler {
  handle(request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body?: unknown;
  }): Promise<never>;
}

async function verify(
  { body, ...head }: Sent,
  { secretKey, date }: Pick<Plain, 'secretKey' | 'date'>,
): Promise<string> {
  const read = readSignature(head, date.getTime());
  if (!read.ok) return read.reason;
  const verified = await verifySignature(read.signed, body, await deriveKey(secretKey, read.signed.scope));
  return verified.ok ? 'verified' : verified.reason;
}

async function signWithAws4fetch(plain: Plain, presigned: boolean): Promise<Sent> {
  const url = new URL(`https://${plain.host}${plain.path}`);
  for (const [name, value] of plain.query) url.searchParams.append(name, value);
  if (presigned) url.searchParams.set('X-Amz-Expires', String(EXPIRES_S));
  const signed = await new AwsV4Signer({
    url: url.href,
    method: plain.method,
    headers: plain.headers,
    body: plain.body,
    accessKeyId: plain.accessKey,
    secretAccessKey: plain.secretKey,
    service: plain.service,
    region: plain.region,
    datetime: plain.date.toISOString().replace(/[:-]|\.\d{3}/g, ''),
    signQuery: presigned,
    allHeaders: true,
  }).sign();
  return {
    method: signed.method,
    path: signed.url.pathname,
    query: signed.url.search.slice(1),
    headers: [...signed.headers, ['host', signed.url.host]],
    body: plain.body,
  };
}

async function signWithSmithy(plain: Plain, presigned: boolean): Promise<Sent> {
  const signer = new SignatureV4({
    credentials: { accessKeyId: plain.accessKey, secretAccessKey: plain.secretKey },
    region: plain.region,
    service: plain.service,
    sha256: Sha256,
  });
  const query: Record<string, string[]> = {};
  for (const [name, value] of plain.query) query[name] = [...(query[name] ?? []), value];
  const { pathname: path, host } = new URL(`https://${plain.host}${plain.path}`);
  const request = {
    method: plain.method,
    protocol: 'https:',
    hostname: host,
    path,
    query,
    headers: { ...plain.headers, host },
    body: plain.body,
  };
  const signed = presigned
    ? await signer.presign(request, { signingDate: plain.date, expiresIn: EXPIRES_S })
    : await signer.sign(request, { signingDate: plain.date });
  const parts = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => `${percent(name)}=${percent(one ?? '')}`),
  );
  const { method, headers } = signed;
  return { method, path, query: parts.join('&'), headers: Object.entries(headers), body: plain.body };
}

function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}

// Everything that a signature covers, each changed separately.
function alter(sent: Sent, random: Random): Sent[] {
  const { method, path, query, headers, body } = sent;
  const replaceHeader = (name: string, change: (value: string) => string): Sent => ({
    ...sent,
    headers: headers.map(([key, value]) => (key === name ? [key, change(value)] : [key, value])),
  });
  const at = random(body.length);
  return [
    { ...sent, method: method === 'POST' ? 'GET' : 'POST' },
    { ...sent, path: `${path}x` },
    { ...sent, path: `/x${path}` },
    { ...sent, query: query ? `${query}&x=y` : 'x=y' },
    {
      ...sent,
      body: body.length > 0 ? body.with(at, (body[at] as number) ^ (1 + random(255))) : encode('x'),
    },
    { ...sent, headers: [...headers, ['x-amz-target', 'AmazonSQS.PurgeQueue']] },
    ...headers
      .filter(([name]) => name !== 'authorization')
      .map(([name]) => replaceHeader(name, (value) => `${value}0`)),
    ...['us-east-1', 'sns2'].map((other) => {
      const scope = /(%2F|\/)[a-z\d-]+(%2F|\/)[a-z\d]+(%2F|\/)aws4_request/;
      const change = (text: string) => text.replace(scope, `$1${other}$2${other}$3aws4_request`);
      return { ...replaceHeader('authorization', change), query: change(query) };
    }),
  ];
}

type Random = (randomBelow: number) => number;

// Marsaglia's xorshift: a small random number generator with a seed, so that runs are reproducible.
function randomFrom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (randomBelow) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, randomBelow);
  };
}

function randomRequest(random: Random): Plain {
  const pick = <T>(...choices: T[]): T => choices[random(choices.length)] as T;
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
  const word = () => many(8, () => pick(...'abcXYZ019-._~ !*\'()+&=%/?#:@,;$[]"<>^`|\\{}é東🗝')).join('');
  const value = () => many(4, () => pick('a', '"b  c"', 'x=1', '   ', 'Z/9', ',')).join(' ');
  return {
    method: pick('GET', 'POST', 'PUT', 'DELETE'),
    host: pick('queues.example.com', '127.0.0.1:8787', 'localhost:8787', 'a-b.c'),
    path: `/${many(4, () => pick(encodeURIComponent(word()), '', '.', '..', 'project-1', "q'(1)*!", 'q.fifo')).join('/')}`,
    query: many(5, (): [string, string] => [`${pick('a', 'A', 'a-', 'a.', 'b')}${word()}`, word()]),
    headers: {
      ...Object.fromEntries(
        many(4, () => [pick('x-a', 'x-b', 'content-type', 'amz-sdk-request', 'x_c', 'x-a-b'), value()]),
      ),
      ...pick({}, { 'x-amz-target': 'AmazonSQS.SendMessage' }),
    },
    body: Uint8Array.from(many(pick(0, 10, 3000), () => random(256))),
    accessKey: `LKEY${many(16, () => pick(...'abcXYZ019')).join('')}`,
    secretKey: `latchkey_${many(46, () => pick(...'abcXYZ019+/')).join('')}`,
    region: pick('fr-par', 'nl-ams', 'eu-west-3'),
    service: pick('sqs', 'sns'),
    date: new Date(
      Date.UTC(2015 + random(50), random(12), 1 + random(28), random(24), random(60), random(60)),
    ),
  };
}
