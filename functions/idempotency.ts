/**
 * Creations that a client may ask for again because it lost the answer: the header that says so, who and what it stands
 * for, and how a secret is made so that it can be told again. Nothing here keeps a secret: for a day there is a random
 * salt in the database, and the secret follows from it and a sealing key. The rows are in db/idempotency.ts.
 */
import type { Context } from 'hono';
import * as z from 'zod';
import type { Done, Once } from '../db/idempotency.ts';
import type { AppEnv } from './app.ts';
import { bytesOf, digestHex, type RandomBytes, randomBytes } from './credentials/secrets.ts';
import type { SealingKey } from './env.ts';
import { ApiError, invalidArgument } from './errors.ts';

const HEADER = 'Idempotency-Key';

/** The headers of a creation that may be asked for again. */
export const idempotencyHeaders = z.object({
  [HEADER]: z
    .string()
    .regex(/^[ -~]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
    .optional()
    .meta({ description: 'Any text that is new for each creation, a UUID for example.' }),
});

/** What the OpenAPI document says of a creation that may be asked for again. */
export const REPEATABLE = `With an ${HEADER}, sending the same request again within 24 hours creates nothing further: the
  answer is that of the first, with the same secret.`;

/**
 * The creation that this request is to do once, or null without the header. The key is the caller's own: another one who
 * sends the same text means another creation. `asked` is the validated body; equal ones are one request.
 */
export async function onceOf(c: Context<AppEnv>, asked: object): Promise<Once | null> {
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

/** JSON with the members of objects in order, and without those that are null: they say nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => {
    if (held === null) return undefined;
    if (typeof held !== 'object' || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const SALT_BYTES = 32;

/** More than any secret takes: rejecting the bytes that would favour some characters costs a few. */
const DERIVED_BYTES = 512;

/**
 * The bytes that the secret of a creation is made of: HKDF with SHA-256 (RFC 5869) of the sealing key, with the creation's
 * salt, for what `kind` of thing and for whom. The same each time. Null when there is no such sealing key any more.
 */
export async function derivedBytes(
  keys: readonly SealingKey[],
  { key, salt, sealingKeyId }: Once,
  kind: string,
): Promise<RandomBytes | null> {
  const sealing = keys.find(({ id }) => id === sealingKeyId);
  if (!sealing) return null;
  const material = await crypto.subtle.importKey('raw', bytesOf(sealing.key), 'HKDF', false, ['deriveBits']);
  // `key` is the digest of the principal, the endpoint and what the client sent.
  const info = new TextEncoder().encode(`latchkey idempotent creation|${kind}|${key}`);
  const derived = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: bytesOf(salt), info },
    material,
    DERIVED_BYTES * 8,
  );
  let used = 0;
  return (length) => {
    if (used + length > DERIVED_BYTES) throw new Error('a secret took more bytes than were derived for it');
    used += length;
    return new Uint8Array(derived, used - length, length);
  };
}

/** The bytes that a new secret is made of: derived ones when it is to be created once, else random ones. */
export async function bytesFor(
  keys: readonly SealingKey[],
  once: Once | null,
  kind: string,
): Promise<RandomBytes> {
  const bytes = once ? await derivedBytes(keys, once, kind) : randomBytes;
  if (!bytes) throw new Error('There is no sealing key');
  return bytes;
}

/**
 * What `once` created before. Throws 400 when that was asked for by another request, and `missing` when `find` finds it no
 * more: what was deleted is not created a second time.
 */
export async function createdBefore<Row>(
  once: Once | null,
  done: Done,
  missing: (id: string) => ApiError,
  find: (id: string) => Promise<Row | null>,
): Promise<Row> {
  if (done.fingerprint !== once?.fingerprint) {
    throw invalidArgument(HEADER, 'constraint', 'was used for another request in the last 24 hours');
  }
  const row = await find(done.resourceId);
  if (!row) throw missing(done.resourceId);
  return row;
}

/** The refusal when what was created before is there, but its secret can no longer be derived. */
export function untold(resource: string, id: string): ApiError {
  return new ApiError('precondition_failed', {
    precondition: 'unknown_precondition',
    help_message: `${resource} ${id} was created with this ${HEADER} before, but its secret can no longer be told: a sealing key is gone. Delete it and create another with a new ${HEADER}`,
  });
}
