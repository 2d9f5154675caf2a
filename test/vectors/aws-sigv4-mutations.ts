/**
 * Mutations of a case of the AWS signing test suite: each changes one thing, and has the reason for which a verifier must
 * refuse the request. Derived from the case, for any case.
 */
import type { SignatureReason } from '../../functions/gateway/sigv4.ts';
import type { Vector } from './aws-sigv4.ts';

/** A request, as it arrives. */
export interface Attempt {
  method: string;
  path: string;
  query: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
  /** Milliseconds from the signature to the arrival. */
  after: number;
}

/** The change, the members of the request that differ, and the reason for the refusal. */
export type Mutation = readonly [change: string, request: Partial<Attempt>, reason: SignatureReason];

// The parts of a signature, from the header or the query.
interface Parts {
  credential: string;
  signedHeaders: string;
  signature: string;
  time: string;
}

const MINUTE = 60_000;
const UNHASHED = ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'];

/** Returns all mutations of a valid case. */
export function mutate(vector: Vector): Mutation[] {
  return [
    ...mutateLine(vector),
    ...mutateQuery(vector),
    ...mutateHeaders(vector),
    ...mutateBody(vector),
    ...mutateTime(vector),
    ...mutateSignature(vector),
    ...mutateScope(vector),
    ...mutateSignedHeaders(vector),
    ...(vector.form === 'header' ? mutateAuthorization(vector) : mutatePresigned(vector)),
  ];
}

function mutateLine({ method, path }: Vector): Mutation[] {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', method.toLowerCase()].filter(
    (other) => other !== method,
  );
  const paths = [`${path}x`, `/x${path}`, `${path}%2e`, `${path}?`];
  return [
    ...methods.map((method): Mutation => [`method ${method}`, { method }, 'signature_mismatch']),
    ...paths.map((path): Mutation => [`path ${path}`, { path }, 'signature_mismatch']),
  ];
}

function mutateQuery({ query }: Vector): Mutation[] {
  const parts = query.split('&');
  const put = (change: string, at: number, ...others: string[]): Mutation => [
    `parameter ${at} ${change}`,
    { query: parts.toSpliced(at, 1, ...others).join('&') },
    'signature_mismatch',
  ];
  return [
    ['a parameter more', { query: query ? `${query}&a=b` : 'a=b' }, 'signature_mismatch'],
    ['a bad escape', { query: `${query}&a=%2` }, 'query_malformed'],
    ['a token', { query: `${query}&X-Amz-Security-Token=t` }, 'session_token'],
    ...parts.flatMap((part, at) =>
      part === '' || part.startsWith('X-Amz-')
        ? []
        : [
            put('changed', at, `${part}x`),
            put('renamed', at, `x${part}`),
            put('twice', at, part, part),
            put('removed', at),
          ],
    ),
  ];
}

function mutateHeaders(vector: Vector): Mutation[] {
  const { headers } = vector;
  const names = headers.map(([name]) => name.toLowerCase());
  const signed = partsOf(vector).signedHeaders.split(';');
  const reasonOf = new Map<string | undefined, SignatureReason>([
    ['x-amz-content-sha256', 'payload_hash_differs'],
    ['x-amz-date', 'date_malformed'],
  ]);
  return [
    ['a target', { headers: [...headers, ['X-Amz-Target', 'AmazonSQS.PurgeQueue']] }, 'header_unsigned'],
    ['a token', { headers: [...headers, ['x-amz-security-token', '']] }, 'session_token'],
    ...headers.flatMap(([name, value], at): Mutation[] => {
      const key = names[at] as string;
      if (!signed.includes(key)) return [];
      const reason = reasonOf.get(key) ?? 'signature_mismatch';
      const others = names.filter((other) => other === key).length > 1;
      const gone = key === 'x-amz-date' ? 'date_missing' : 'signed_header_missing';
      return [
        [`${name} changed`, { headers: headers.with(at, [name, `${value}0`]) }, reason],
        [`${name} twice`, { headers: [...headers, [name, value]] }, reason],
        [`${name} removed`, { headers: headers.toSpliced(at, 1) }, others ? 'signature_mismatch' : gone],
      ];
    }),
  ];
}

function mutateBody({ body, headers }: Vector): Mutation[] {
  const claimed = headers.some(([name]) => name === 'x-amz-content-sha256');
  const flipped = Array.from(body, (byte, at) => body.with(at, byte ^ 1));
  const cut = body.length > 0 ? [body.subarray(1)] : [];
  return [Uint8Array.of(...body, 0), ...cut, ...flipped].map(
    (body, at): Mutation => [`body ${at}`, { body }, claimed ? 'payload_hash_differs' : 'signature_mismatch'],
  );
}

function mutateTime(vector: Vector): Mutation[] {
  const { time } = partsOf(vector);
  const texts = [
    time.slice(0, -1),
    `${time} `,
    `${time}Z`,
    time.replace('T', ' '),
    time.replace(/..T/, '32T'),
    'now',
  ];
  return [
    ['too early', { after: -15 * MINUTE - 1 }, 'clock_skew'],
    vector.form === 'header'
      ? ['too late', { after: 15 * MINUTE + 1 }, 'clock_skew']
      : ['too late', { after: 60 * MINUTE + 1 }, 'expired'],
    ['a second later', rewrite(vector, { time: time.replace(/..Z$/, '01Z') }), 'signature_mismatch'],
    ['a day later', rewrite(vector, { time: nextDay(time) }), 'scope_date_differs'],
    ...texts.map((text): Mutation => [`date ${text}`, rewrite(vector, { time: text }), 'date_malformed']),
  ];
}

function mutateSignature(vector: Vector): Mutation[] {
  const { signature } = vector;
  const malformed = [
    signature.slice(1),
    `${signature}0`,
    signature.toUpperCase(),
    `g${signature.slice(1)}`,
    '0',
  ];
  return [
    ...Array.from(signature, (digit, at): Mutation => {
      const other = signature.slice(0, at) + (digit === '0' ? '1' : '0') + signature.slice(at + 1);
      return [`signature at ${at}`, rewrite(vector, { signature: other }), 'signature_mismatch'];
    }),
    ...malformed.map(
      (text): Mutation => [`signature ${text}`, rewrite(vector, { signature: text }), 'signature_malformed'],
    ),
  ];
}

function mutateScope(vector: Vector): Mutation[] {
  const [accessKey = '', date = '', region = '', service = '', end = ''] =
    partsOf(vector).credential.split('/');
  const put = (reason: SignatureReason, ...parts: string[]): Mutation => {
    const credential = parts.join('/');
    return [`credential ${credential}`, rewrite(vector, { credential }), reason];
  };
  return [
    put('scope_date_differs', accessKey, nextDay(date), region, service, end),
    put('signature_mismatch', accessKey, date, 'us-east-2', service, end),
    put('signature_mismatch', accessKey, date, region, 'sqs', end),
    ...['aws4', 'AWS4_REQUEST', 'aws4_request/', ''].map((other) =>
      put('terminator_wrong', accessKey, date, region, service, other),
    ),
    put('credential_malformed', date, region, service, end),
    put('credential_malformed', accessKey, date, region, service),
    put('credential_malformed', '', date, region, service, end),
    put('credential_malformed', accessKey, date.slice(1), region, service, end),
    put('credential_malformed', accessKey, date, '', service, end),
    put('credential_malformed', accessKey, date, region, 'S3', end),
  ];
}

function mutateSignedHeaders(vector: Vector): Mutation[] {
  const names = partsOf(vector).signedHeaders.split(';');
  const put = (reason: SignatureReason, ...names: string[]): Mutation => {
    const signedHeaders = names.join(';');
    return [`SignedHeaders ${signedHeaders}`, rewrite(vector, { signedHeaders }), reason];
  };
  const removed = names.flatMap((name, at) => {
    if (name === 'host') return [];
    return [
      put(name.startsWith('x-amz-') ? 'header_unsigned' : 'signature_mismatch', ...names.toSpliced(at, 1)),
    ];
  });
  return [
    ...removed,
    ...(names.length > 1 ? [put('signed_headers_unsorted', ...names.toReversed())] : []),
    put('signed_headers_unsorted', ...names, names.at(-1) as string),
    put('signed_headers_malformed', ...names.map((name) => name.toUpperCase())),
    put('signed_headers_malformed', ...names, ''),
    put('signed_headers_malformed', `${names.join(' ')} x`),
    put('signed_header_missing', ...names, 'zz'),
    put('host_unsigned', ...names.filter((name) => name !== 'host'), 'zz'),
  ];
}

function mutateAuthorization(vector: Vector): Mutation[] {
  const { headers, query, signature } = vector;
  const at = headers.findIndex(([name]) => name === 'Authorization');
  const value = (headers[at] as [string, string])[1];
  const put = (reason: SignatureReason, value: string): Mutation => [
    value,
    { headers: headers.with(at, ['Authorization', value]) },
    reason,
  ];
  return [
    ['unsigned', { headers: headers.toSpliced(at, 1) }, 'unsigned'],
    ['in two headers', { headers: [...headers, ['authorization', value]] }, 'authorization_repeated'],
    put('authorization_repeated', `${value}, ${value}`),
    put('algorithm_unsupported', `Basic eDp5, ${value}`),
    put('algorithm_unsupported', value.replace('HMAC', 'ECDSA-P256')),
    put('algorithm_unsupported', value.toLowerCase()),
    put('algorithm_unsupported', ''),
    put('authorization_malformed', value.replaceAll(',', ';')),
    put('authorization_malformed', value.replace(/Signature=.*/, '')),
    put('authorization_malformed', value.replace('Credential', 'credential')),
    put('authorization_malformed', `${value}, Signature=${signature}`),
    put('authorization_malformed', `${value}, Basic eDp5`),
    put('authorization_malformed', 'AWS4-HMAC-SHA256 '),
    ['presigned too', { query: `${query}&X-Amz-Algorithm=AWS4-HMAC-SHA256` }, 'signed_twice'],
    ...mutateHash(vector),
  ];
}

function mutatePresigned(vector: Vector): Mutation[] {
  const { query, headers } = vector;
  const parts = query.split('&').filter((part) => part.startsWith('X-Amz-'));
  const expires = (reason: SignatureReason, value: string): Mutation => [
    `expires ${value}`,
    { query: query.replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${value}`) },
    reason,
  ];
  return [
    ...parts.flatMap((part): Mutation[] => [
      [
        `${part} removed`,
        { query: query.replace(part, '') },
        part.startsWith('X-Amz-Expires=') ? 'signature_mismatch' : 'parameter_missing',
      ],
      [`${part} twice`, { query: `${query}&${part}` }, 'parameter_repeated'],
      [`${part} in both cases`, { query: `${query}&${part.toLowerCase()}` }, 'parameter_repeated'],
      [
        `${part} twice, once escaped`,
        { query: `${query}&${part.replace('-', '%2D')}` },
        'parameter_repeated',
      ],
    ]),
    ...['0', '604801', '-1', '3600.5', '1e3', '0x10', '9999999'].map((value) =>
      expires('expires_malformed', value),
    ),
    expires('signature_mismatch', '3601'),
    expires('signature_mismatch', '604800'),
    ['another algorithm', { query: query.replace('HMAC-SHA256', 'HMAC-SHA1') }, 'algorithm_unsupported'],
    ['signed in a header too', { headers: [...headers, ['Authorization', 'Bearer x']] }, 'signed_twice'],
    ...mutateHash(vector),
  ];
}

// In the query only, because a header would have to be signed, and takes precedence.
function mutateHash({ query, headers }: Vector): Mutation[] {
  const claimed = headers.some(([name]) => name === 'x-amz-content-sha256');
  return UNHASHED.map(
    (value): Mutation => [
      `hash ${value}`,
      { query: `${query}&X-Amz-Content-Sha256=${value}` },
      claimed ? 'signature_mismatch' : 'payload_unsigned',
    ],
  );
}

function nextDay(time: string): string {
  return time.replace(/^(\d{6})(\d\d)/, (_, month: string, day: string) => month + (Number(day) + 1));
}

function partsOf({ form, query, headers, signature }: Vector): Parts {
  if (form === 'query') {
    const parameters = new URLSearchParams(query);
    const parameter = (name: string) => parameters.get(name) ?? '';
    return {
      credential: parameter('X-Amz-Credential'),
      signedHeaders: parameter('X-Amz-SignedHeaders'),
      time: parameter('X-Amz-Date'),
      signature,
    };
  }
  const header = (name: string) => headers.find(([other]) => other === name)?.[1] ?? '';
  const [, credential = '', signedHeaders = ''] =
    /Credential=(\S+), SignedHeaders=(\S+),/.exec(header('Authorization')) ?? [];
  return { credential, signedHeaders, time: header('X-Amz-Date'), signature };
}

// Returns the members of a request with changed parts of its signature.
function rewrite(vector: Vector, changed: Partial<Parts>): Partial<Attempt> {
  const { credential, signedHeaders, time, signature } = { ...partsOf(vector), ...changed };
  const values = new Map([
    [
      'Authorization',
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    ],
    ['X-Amz-Credential', credential],
    ['X-Amz-SignedHeaders', signedHeaders],
    ['X-Amz-Date', time],
    ['X-Amz-Signature', signature],
  ]);
  if (vector.form === 'header') {
    return { headers: vector.headers.map(([name, value]) => [name, values.get(name) ?? value]) };
  }
  const parts = vector.query.split('&').map((part) => {
    const name = part.slice(0, part.indexOf('='));
    const value = values.get(name);
    return value === undefined ? part : `${name}=${encodeURIComponent(value)}`;
  });
  return { query: parts.join('&') };
}
