/**
 * Creates and recognizes access keys and secret keys, seals secrets for the database, and computes digests. NATS keys
 * are in nats/keys.ts, API keys in iam/api-keys.ts.
 */
import type { SealingKey } from '../env.ts';
import { PREFIX_LENGTH, prefixLetters } from '../gateway/names.ts';

/** Returns this many unpredictable bytes, different ones on each call. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Reads the system's random generator. */
export const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Decodes base64. Throws if the text is invalid. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ACCESS_KEY_START = 'LKEY';
const SECRET_KEY_START = 'latchkey_';
const SECRET_LENGTH = 40;
const CHECKSUM_LENGTH = 6;

/** Returns `length` characters of `[0-9A-Za-z]`, each equally likely: 5.95 bits per character. */
function randomBase62(length: number, random: RandomBytes): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(2 * length)) {
      // 248 is the largest multiple of 62 in a byte. Larger bytes would make the first characters more likely.
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** Returns a new access key: `LKEY` and 16 characters of `[0-9A-Za-z]`. */
export function newAccessKey(): string {
  return ACCESS_KEY_START + randomBase62(20 - ACCESS_KEY_START.length, randomBytes);
}

/** Whether the text has the format of an access key. */
export function isAccessKey(text: string): boolean {
  return /^LKEY[0-9A-Za-z]{16}$/.test(text);
}

/**
 * Returns a new secret key: `latchkey_`, 40 random characters of `[0-9A-Za-z]` (238 bits), and 6 characters with the
 * CRC-32 of the preceding text in base 62. Secret scanners find the key by its prefix and exclude false positives by
 * the checksum. Equal bytes give an equal key.
 */
export function newSecretKey(random: RandomBytes): string {
  const text = SECRET_KEY_START + randomBase62(SECRET_LENGTH, random);
  return text + checksumOf(text);
}

/** Whether the text has the format of a secret key and a valid checksum. */
export function isSecretKey(text: string): boolean {
  const match = /^latchkey_[0-9A-Za-z]{46}$/.exec(text);
  return match !== null && checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

/**
 * Returns a new prefix for an activation's names on its engine: 10 characters of `[0-9A-Za-z]`. It starts with the
 * region's letters because several regions can share an engine that separates queues by name only. The random rest is
 * short, so the database must check that the prefix is free.
 */
export function newServicePrefix(region: string): string {
  const letters = prefixLetters(region);
  return letters + randomBase62(PREFIX_LENGTH - letters.length, randomBytes);
}

function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let value = ~crc >>> 0;
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = BASE62[value % 62] + digits;
    value = Math.floor(value / 62);
  }
  return digits;
}

/** Returns the digest of the text's UTF-8 in hex. SHA-1 is only for the checksums that the API defines. */
export async function digestHex(algorithm: 'SHA-1' | 'SHA-256', text: string): Promise<string> {
  const digest = await crypto.subtle.digest(algorithm, new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The row that a sealed secret belongs to. It is authenticated with the secret, so an attacker with write access to
 * the database cannot swap sealed values between rows.
 */
export interface SealedFor {
  kind: 'credential' | 'nats_account';
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
    const bytes = bytesOf(sealed.text);
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
    promise = crypto.subtle.importKey('raw', bytesOf(key.key), 'AES-GCM', false, ['encrypt', 'decrypt']);
    imported.set(key, promise);
  }
  return promise;
}
