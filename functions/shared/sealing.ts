/** Encrypts secrets for the database, and decrypts them. */
import { decodeBase64 } from './bytes.ts';
import type { SealingKey } from './env.ts';

/**
 * The row that a sealed secret belongs to. It is authenticated with the secret, so an attacker with write access to
 * the database cannot swap sealed values between rows.
 */
export interface SealedFor {
  kind: 'credential' | 'nats_account' | 'nats_role';
  region: string;
  /** The row's id. */
  id: string;
}

/** A secret as stored in the database. */
export interface Sealed {
  /** The sealing key's id. */
  keyId: string;
  /** Base64 of the 12-byte nonce and the ciphertext with its tag. */
  text: string;
}

const IV_BYTES = 12;

/** Encrypts a secret with the first key: AES-256-GCM (NIST SP 800-38D) with its row as additional data. */
export async function seal(keys: readonly SealingKey[], context: SealedFor, secret: string): Promise<Sealed> {
  const newest = keys[0];
  if (!newest) throw new Error('SEALING_KEYS is empty');
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(secret);
  const cipher = await crypto.subtle.encrypt(algorithm(iv, context), await importKey(newest), plain);
  return { keyId: newest.id, text: btoa(String.fromCharCode(...iv, ...new Uint8Array(cipher))) };
}

/**
 * Thrown if this isolate lacks the sealing key of a secret: other isolates might have it already, or it was removed.
 */
export class UnknownSealingKey extends Error {
  readonly region: string;

  constructor({ kind, region, id }: SealedFor, keyId: string) {
    super(`Sealing key ${keyId} does not exist; it sealed the secret of ${kind} ${id} in ${region}`);
    this.region = region;
  }
}

/**
 * Decrypts a sealed secret with the key that sealed it. Throws {@link UnknownSealingKey} if no key has that id, and
 * another error that identifies the row if the key or the value was changed.
 */
export async function open(keys: readonly SealingKey[], context: SealedFor, sealed: Sealed): Promise<string> {
  const key = keys.find(({ id }) => id === sealed.keyId);
  if (!key) throw new UnknownSealingKey(context, sealed.keyId);
  try {
    const bytes = decodeBase64(sealed.text);
    const plain = await crypto.subtle.decrypt(
      algorithm(bytes.slice(0, IV_BYTES), context),
      await importKey(key),
      bytes.slice(IV_BYTES),
    );
    return new TextDecoder().decode(plain);
  } catch {
    const { kind, region, id } = context;
    throw new Error(
      `Cannot decrypt the sealed secret of ${kind} ${id} in ${region}: the key or the value was changed`,
    );
  }
}

function algorithm(iv: Uint8Array<ArrayBuffer>, { kind, region, id }: SealedFor): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`${kind}|${region}|${id}`) };
}

const imported = new WeakMap<SealingKey, Promise<CryptoKey>>();

/** Imports the key for WebCrypto, once per isolate. */
function importKey(key: SealingKey): Promise<CryptoKey> {
  let promise = imported.get(key);
  if (!promise) {
    promise = crypto.subtle.importKey('raw', decodeBase64(key.key), 'AES-GCM', false, ['encrypt', 'decrypt']);
    imported.set(key, promise);
  }
  return promise;
}
