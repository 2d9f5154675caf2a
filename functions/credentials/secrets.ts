/**
 * Secrets of ours: how access keys and secret keys are made, recognised and sealed for the database, and digests.
 * Not the keys of NATS (nats/keys.ts) nor those of the API itself (iam/api-keys.ts).
 */
import type { SealingKey } from '../env.ts';
import { PREFIX_LENGTH, prefixLetters } from '../gateway/names.ts';

/** Gives this many bytes that nobody can foretell; each call gives further ones. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Bytes of the system's random generator. */
export const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** The bytes of a base64 text. Throws when it is none. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ACCESS_KEY_START = 'LKEY';
const SECRET_KEY_START = 'latchkey_';
const SECRET_LENGTH = 40;
const CHECKSUM_LENGTH = 6;

/** `length` characters of `[0-9A-Za-z]`, each equally likely: 5.95 bits for each. */
function randomBase62(length: number, random: RandomBytes): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(2 * length)) {
      // 248 is the largest multiple of 62 in a byte: beyond it the first characters would be likelier.
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** A new access key: `LKEY` and 16 characters of `[0-9A-Za-z]`. */
export function newAccessKey(): string {
  return ACCESS_KEY_START + randomBase62(20 - ACCESS_KEY_START.length, randomBytes);
}

/** Whether the text has the form of an access key of ours. */
export function isAccessKey(text: string): boolean {
  return /^LKEY[0-9A-Za-z]{16}$/.test(text);
}

/**
 * A new secret key: `latchkey_`, 40 random characters of `[0-9A-Za-z]` (238 bits), and 6 that are the CRC-32 of what
 * stands before them in base 62. A scanner finds it by its start and tells it from noise by its end. Equal bytes make an
 * equal key.
 */
export function newSecretKey(random: RandomBytes): string {
  const text = SECRET_KEY_START + randomBase62(SECRET_LENGTH, random);
  return text + checksumOf(text);
}

/** Whether the text has the form of a secret key of ours, its checksum included. */
export function isSecretKey(text: string): boolean {
  const match = /^latchkey_[0-9A-Za-z]{46}$/.exec(text);
  return match !== null && checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

/**
 * A new prefix for the names that an activation uses on its engine: 10 characters of `[0-9A-Za-z]`, the region's letters
 * first, since several regions may share an engine that tells queues apart by nothing but their names. The rest is
 * random and short: whether a prefix is free is the database's to say.
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

/** A digest of the text's UTF-8, in hex. SHA-1 is for the contract's checksums only. */
export async function digestHex(algorithm: 'SHA-1' | 'SHA-256', text: string): Promise<string> {
  const digest = await crypto.subtle.digest(algorithm, new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a sealed secret belongs to. It is authenticated with the secret: swapping two sealed values opens neither. */
export interface SealedFor {
  kind: 'credential' | 'nats_account';
  region: string;
  /** The id of the row that holds it. */
  id: string;
}

/** A secret as the database keeps it. */
export interface Sealed {
  /** Which of the sealing keys opens it. */
  keyId: string;
  /** Base64 of the 12 bytes of the nonce and the ciphertext with its tag. */
  text: string;
}

const IV_BYTES = 12;

/** Seals a secret under the first of the keys: AES-256-GCM (NIST SP 800-38D) with what it belongs to as its context. */
export async function seal(keys: readonly SealingKey[], context: SealedFor, secret: string): Promise<Sealed> {
  const newest = keys[0];
  if (!newest) throw new Error('There is no sealing key');
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(secret);
  const cipher = await crypto.subtle.encrypt(algorithm(iv, context), await importKey(newest), plain);
  return { keyId: newest.id, text: btoa(String.fromCharCode(...iv, ...new Uint8Array(cipher))) };
}

/** A secret is sealed under a key that this isolate does not have: another may have it already, or it was removed. */
export class UnknownSealingKey extends Error {
  /** The region of the row. */
  readonly region: string;

  constructor({ kind, region, id }: SealedFor, keyId: string) {
    super(
      `No sealing key has the id ${keyId}, under which the secret of ${kind} ${id} in ${region} is sealed`,
    );
    this.region = region;
  }
}

/**
 * Opens a sealed secret with whichever key sealed it. Throws {@link UnknownSealingKey} when there is none of that id, and
 * another error, which names the row, when the key or anything else was altered.
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
    throw new Error(`The sealed secret of ${kind} ${id} in ${region} cannot be opened: it was altered`);
  }
}

function algorithm(iv: Uint8Array<ArrayBuffer>, { kind, region, id }: SealedFor): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`${kind}|${region}|${id}`) };
}

const imported = new WeakMap<SealingKey, Promise<CryptoKey>>();

/** The key for WebCrypto, imported once for each isolate. */
function importKey(key: SealingKey): Promise<CryptoKey> {
  let promise = imported.get(key);
  if (!promise) {
    promise = crypto.subtle.importKey('raw', bytesOf(key.key), 'AES-GCM', false, ['encrypt', 'decrypt']);
    imported.set(key, promise);
  }
  return promise;
}
