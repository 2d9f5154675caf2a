/**
 * SigV4 verification with the AWS signing test suite: every case at every step, and requests changed in one place,
 * which must be rejected for the matching reason.
 */
import { describe, expect, it } from 'vitest';
import {
  deriveKey,
  readSignature,
  type SignatureReason,
  sha256Hex,
  verifySignature,
} from '../../functions/gateway/sigv4.ts';
import { canonicalRequest, stringToSign } from '../../functions/gateway/sigv4-canonical.ts';
import { awsVectors, type Vector } from '../vectors/aws-sigv4.ts';
import { type Attempt, mutate } from '../vectors/aws-sigv4-mutations.ts';

const MINUTE = 60_000;
const vectors = awsVectors();
const byTitle = (vectors: Vector[]) =>
  vectors.map((vector) => [`${vector.name} (${vector.form})`, vector] as const);

// Valid signatures that our rules reject: any session token, and paths that only S3 signs that way.
function intentionallyRejected({ name }: Vector): SignatureReason | undefined {
  if (/^post-sts-|-session-token$/.test(name)) return 'session_token';
  // The path of get-space-unnormalized is already normalized, so it is accepted.
  return /^get-(relative|slash).*-unnormalized$/.test(name) ? 'signature_mismatch' : undefined;
}

async function outcome(
  vector: Vector,
  changed: Partial<Attempt> = {},
): Promise<SignatureReason | 'verified'> {
  const { body, after, ...head } = { after: 0, ...vector, ...changed };
  const read = readSignature(head, vector.signedAt + after);
  if (!read.ok) return read.reason;
  const key = await deriveKey(vector.secretKey, read.signed.scope);
  const verified = await verifySignature(read.signed, body, key);
  return verified.ok ? 'verified' : verified.reason;
}

describe('the AWS signing test suite', () => {
  it('has 38 cases in two forms: 58 verify, 6 have a session token, 12 a path that is not normalized', () => {
    expect(vectors).toHaveLength(76);
    expect(Object.groupBy(vectors, (vector) => intentionallyRejected(vector) ?? 'verified')).toEqual({
      verified: expect.objectContaining({ length: 58 }),
      session_token: expect.objectContaining({ length: 6 }),
      signature_mismatch: expect.objectContaining({ length: 12 }),
    });
  });

  it.each(byTitle(vectors))('%s', async (_, vector) => {
    expect(await outcome(vector)).toBe(intentionallyRejected(vector) ?? 'verified');
  });
});

const accepted = vectors.filter((vector) => !intentionallyRejected(vector));

describe.each(byTitle(accepted))('%s', (_, vector) => {
  it('produces the suite’s canonical request, string to sign and signature', async () => {
    const read = readSignature(vector, vector.signedAt);
    if (!read.ok) throw new Error(read.reason);
    const canonical = canonicalRequest(read.signed, await sha256Hex(vector.body));
    expect(canonical).toBe(vector.canonicalRequest);
    const hash = await sha256Hex(new TextEncoder().encode(canonical));
    expect(stringToSign(read.signed.time, read.signed.scope, hash)).toBe(vector.stringToSign);
    expect(Buffer.from(read.signed.signature).toString('hex')).toBe(vector.signature);
  });

  it('is rejected for the matching reason when one place is changed', async () => {
    const mutations = mutate(vector);
    const outcomes = mutations.map(async ([change, request]) => [change, await outcome(vector, request)]);
    expect(await Promise.all(outcomes)).toEqual(mutations.map(([change, , reason]) => [change, reason]));
  });

  it('is accepted until the last millisecond before it expires, and with additional unsigned headers', async () => {
    expect(await outcome(vector, { after: -15 * MINUTE })).toBe('verified');
    expect(await outcome(vector, { after: (vector.form === 'header' ? 15 : 60) * MINUTE })).toBe('verified');
    const headers: Attempt['headers'] = [...vector.headers, ['X-Amzn-Trace-Id', 'Root=1'], ['CF-Ray', '2']];
    expect(await outcome(vector, { headers })).toBe('verified');
  });

  it('is rejected with every other secret key', async () => {
    const other = { ...vector, secretKey: `${vector.secretKey} ` };
    expect(await outcome(other)).toBe('signature_mismatch');
  });
});

describe('the changed requests', () => {
  const mutations = accepted.flatMap(mutate);

  it('number more than 100 for each case', () => {
    expect(mutations.length).toBeGreaterThan(100 * accepted.length);
  });

  it('cover every rejection reason', () => {
    const every: Record<SignatureReason, true> = {
      algorithm_unsupported: true,
      authorization_malformed: true,
      authorization_repeated: true,
      clock_skew: true,
      credential_malformed: true,
      date_malformed: true,
      date_missing: true,
      expired: true,
      expires_malformed: true,
      header_unsigned: true,
      host_unsigned: true,
      parameter_missing: true,
      parameter_repeated: true,
      payload_hash_differs: true,
      payload_unsigned: true,
      query_malformed: true,
      scope_date_differs: true,
      session_token: true,
      signature_malformed: true,
      signature_mismatch: true,
      signed_header_missing: true,
      signed_headers_malformed: true,
      signed_headers_unsorted: true,
      signed_twice: true,
      terminator_wrong: true,
      unsigned: true,
    };
    expect(new Set(mutations.map(([, , reason]) => reason))).toEqual(new Set(Object.keys(every)));
  });
});
