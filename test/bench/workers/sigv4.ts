/**
 * Verifies one signed request with a body of `bytes`, compared with only the hashes that it requires; with a cached
 * key, and with one derived for the request. In between: the same hashes plus the runtime's cost of returning headers
 * and text. The baselines contain none of our code.
 */
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { deriveKey, readSignature, type Signed, verifySignature } from '../../../functions/gateway/sigv4.ts';
import { canonicalRequest, stringToSign } from '../../../functions/gateway/sigv4-canonical.ts';
import { serveLoops } from './loops.ts';

const REGION = 'fr-par';
const SECRET = `latchkey_${'0123456789'.repeat(4)}abcdef`;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const encode = (text: string) => new TextEncoder().encode(text);

export default serveLoops(async (parameters) => {
  const body = encode('x'.repeat(Number(parameters.get('bytes'))));
  const request = await signedRequest(body);
  const { pathname, search } = new URL(request.url);
  const head = { method: request.method, path: pathname, query: search.slice(1), headers: request.headers };
  const now = Date.now();
  const first = readSignature(head, now);
  if (!first.ok) throw new Error(first.reason);
  const { signed } = first;
  const kept = await deriveKey(SECRET, signed.scope);
  const verify = async (keyOf: (signed: Signed) => CryptoKey | Promise<CryptoKey>) => {
    const read = readSignature(head, now);
    if (!read.ok) throw new Error(read.reason);
    const verified = await verifySignature(read.signed, body, await keyOf(read.signed));
    if (!verified.ok) throw new Error(verified.reason);
  };
  const bare = await bareHashes(signed, body);
  const texts = textsOf(signed);
  const secret = createSecretKey(encode(SECRET));
  return {
    'verify kept': () => verify(() => kept),
    'verify derived': () => verify(({ scope }) => deriveKey(SECRET, scope)),
    'bare kept': () => bare(kept),
    'handed over': async () => {
      if ([...request.headers].length === 0) throw new Error('The request has no headers');
      await hexOfHash(body);
      await hexOfHash(encode(texts.canonical));
      await crypto.subtle.verify('HMAC', kept, signed.signature, encode(texts.toSign));
    },
    synchronous: async () => {
      createHash('sha256').update(body).digest('hex');
      createHash('sha256').update(texts.canonical).digest('hex');
      createHmac('sha256', secret).update(texts.toSign).digest();
    },
    'bare derived': async () => bare(await bareChain()),
  };
});

async function signedRequest(body: Uint8Array<ArrayBuffer>): Promise<Request> {
  const signer = new AwsV4Signer({
    url: 'https://sqs.example.com/',
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': 'AmazonSQS.SendMessage',
      'X-Amz-User-Agent': 'aws-sdk-js/3.1169.0',
      'Content-Length': String(body.length),
    },
    body,
    accessKeyId: 'LKEY0123456789ABCDEF',
    secretAccessKey: SECRET,
    region: REGION,
    service: 'sqs',
  });
  const { url, method, headers } = await signer.sign();
  headers.set('Host', 'sqs.example.com');
  return new Request(url.href, { method, headers });
}

/** The text to hash and sign, in its real length. */
function textsOf(signed: Signed): { canonical: string; toSign: string } {
  const hash = '0'.repeat(64);
  return {
    canonical: canonicalRequest(signed, hash),
    toSign: stringToSign(signed.time, signed.scope, hash),
  };
}

/** Hex through the runtime's own method, which the types do not include yet: the cheapest way. */
async function hexOfHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return (hash as Uint8Array & { toHex(): string }).toHex();
}

/**
 * Two SHA-256, of the body and of the canonical request, and the HMAC of the string to sign, from bytes prepared in
 * advance.
 */
async function bareHashes(signed: Signed, body: Uint8Array<ArrayBuffer>) {
  const texts = textsOf(signed);
  const canonical = encode(texts.canonical);
  const text = encode(texts.toSign);
  return async (key: CryptoKey) => {
    await crypto.subtle.digest('SHA-256', body);
    await crypto.subtle.digest('SHA-256', canonical);
    await crypto.subtle.verify('HMAC', key, signed.signature, text);
  };
}

const chain = ['20261023', REGION, 'sqs', 'aws4_request'].map(encode);
const start = encode(`AWS4${SECRET}`);

/** The four HMACs of a key derivation: each key is the result of the previous one. */
async function bareChain(): Promise<CryptoKey> {
  let bytes: BufferSource = start;
  for (const part of chain) {
    const key = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign']);
    bytes = await crypto.subtle.sign('HMAC', key, part);
  }
  return crypto.subtle.importKey('raw', bytes, HMAC, false, ['verify']);
}
