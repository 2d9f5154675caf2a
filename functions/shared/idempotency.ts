/**
 * Implements idempotent creation: a client that lost the response can repeat the request and gets the same secret. No
 * secret is stored: for a day the database keeps a random salt, and the secret is derived from the salt and a sealing
 * key. The rows are in db/idempotency.ts.
 */
import type { Context } from 'hono';
import * as z from 'zod';
import type { IdempotencyRecord, IdempotentRequest } from '../../db/idempotency.ts';
import { decodeBase64, digestHex, type RandomBytes, randomBytes } from './bytes.ts';
import type { SealingKey } from './env.ts';
import { ApiError, invalidArgument } from './errors.ts';
import type { AppEnv } from './http.ts';

const HEADER = 'Idempotency-Key';

/** Headers of an idempotent creation. */
export const idempotencyHeaders = z.object({
  [HEADER]: z
    .string()
    .regex(/^[ -~]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
    .optional()
    .meta({ description: 'A unique text for each creation, for example a UUID.' }),
});

/** OpenAPI description of an idempotent creation. */
export const IDEMPOTENCY_DESCRIPTION = `With an ${HEADER}, repeating the request within 24 hours creates nothing new and returns the
  first response, with the same secret.`;

/**
 * Returns the idempotent creation for a request, or null without the header. The key is scoped to the caller: the same
 * text from another caller is another creation. `asked` is the validated body; equal bodies count as the same request.
 */
export async function readIdempotencyKey(
  c: Context<AppEnv>,
  asked: object,
): Promise<IdempotentRequest | null> {
  const sent = c.req.header(HEADER);
  if (sent === undefined) return null;
  const { type, id, accessKey } = c.get('principal');
  const { method, path } = c.req;
  return {
    key: await digestHex('SHA-256', JSON.stringify([type, id, accessKey ?? 'session', method, path, sent])),
    fingerprint: await digestHex('SHA-256', canonical(asked)),
    salt: btoa(String.fromCharCode(...randomBytes(SALT_BYTES))),
    sealingKeyId: c.get('config').sealingKeys[0]?.id ?? '',
    createdAt: Date.now(),
  };
}

/**
 * Returns canonical JSON: object members are sorted, and null members are omitted because they mean the same as absent
 * ones.
 */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => {
    if (held === null) return undefined;
    if (typeof held !== 'object' || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const SALT_BYTES = 32;

/** More than any secret needs. Rejection sampling discards some bytes. */
const DERIVED_BYTES = 512;

/**
 * Derives the bytes for a creation's secret: HKDF with SHA-256 (RFC 5869) from the sealing key, with the creation's
 * salt and with `kind` and caller as info. Repeatable. Null if the sealing key no longer exists.
 */
export async function derivedBytes(
  keys: readonly SealingKey[],
  { key, salt, sealingKeyId }: IdempotentRequest,
  kind: string,
): Promise<RandomBytes | null> {
  const sealing = keys.find(({ id }) => id === sealingKeyId);
  if (!sealing) return null;
  const material = await crypto.subtle.importKey('raw', decodeBase64(sealing.key), 'HKDF', false, [
    'deriveBits',
  ]);
  // `key` is the digest of the caller, the endpoint and the client's key.
  const info = new TextEncoder().encode(`latchkey idempotent creation|${kind}|${key}`);
  const derived = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: decodeBase64(salt), info },
    material,
    DERIVED_BYTES * 8,
  );
  let used = 0;
  return (length) => {
    if (used + length > DERIVED_BYTES) throw new Error('a secret needs more bytes than were derived');
    used += length;
    return new Uint8Array(derived, used - length, length);
  };
}

/** Returns the bytes for a new secret: derived for an idempotent creation, otherwise random. */
export async function secretBytes(
  keys: readonly SealingKey[],
  idempotency: IdempotentRequest | null,
  kind: string,
): Promise<RandomBytes> {
  const bytes = idempotency ? await derivedBytes(keys, idempotency, kind) : randomBytes;
  if (!bytes) throw new Error('SEALING_KEYS is empty');
  return bytes;
}

/**
 * Returns what `once` created before. Throws 400 if the key was used for a different request, and `missing` if `find`
 * returns nothing: a retry must not create a deleted resource again.
 */
export async function replayedResource<Row>(
  idempotency: IdempotentRequest | null,
  done: IdempotencyRecord,
  missing: (id: string) => ApiError,
  find: (id: string) => Promise<Row | null>,
): Promise<Row> {
  if (done.fingerprint !== idempotency?.fingerprint) {
    throw invalidArgument(HEADER, 'constraint', 'was used for another request in the last 24 hours');
  }
  const row = await find(done.resourceId);
  if (!row) throw missing(done.resourceId);
  return row;
}

/** Returns the error for an existing resource whose secret can no longer be derived. */
export function secretUnrecoverable(resource: string, id: string): ApiError {
  return new ApiError('precondition_failed', {
    precondition: 'unknown_precondition',
    help_message: `${resource} ${id} was already created with this ${HEADER}, but its secret can no longer be returned because a sealing key was removed. Delete it and create another with a new ${HEADER}`,
  });
}
