/**
 * NATS keys (nkeys): creates, parses and signs with Ed25519 keys, encoded as base32 with a prefix for their kind and a
 * checksum. Uses only WebCrypto and stores no key.
 *
 * Not guaranteed: that seeds are wiped from memory. JavaScript strings cannot be.
 */

/** The kind of a key. It determines the first letters: `O…`, `A…`, `U…`, and `SO…`, `SA…`, `SU…` for seeds. */
export type KeyKind = 'operator' | 'account' | 'user';

/** A key for signing. The seed cannot be read from it. */
export interface SigningKey {
  /** The nkey of the public key: 56 characters. */
  publicKey: string;
  /** Returns the 64 bytes of the Ed25519 signature (RFC 8032) of `data`. Deterministic. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

const BASE32 = alphabet('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
const BASE64URL = alphabet('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const utf8 = new TextDecoder();
const KINDS: Record<KeyKind, number> = { operator: 14 << 3, account: 0, user: 20 << 3 };
const SEED = 18 << 3;
/** Number of secret bytes of a key. */
export const KEY_BYTES = 32;
const CHECKSUM_BYTES = 2;
// PKCS #8 header of an Ed25519 private key (RFC 8410, section 7); the 32 bytes of the seed follow.
const PKCS8_HEAD = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/**
 * Creates a key. `publicKey` has 56 characters and is public; `seed` has 58 and is the whole secret. {@link importSeed}
 * turns it into a signing key.
 */
export function createKey(kind: KeyKind): Promise<{ publicKey: string; seed: string }> {
  // Random bytes and one import take half the time of crypto.subtle.generateKey and its export.
  return keyOf(kind, crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/** Returns the key of these 32 secret bytes; members as in {@link createKey}. */
export async function keyOf(kind: KeyKind, secret: Uint8Array): Promise<{ publicKey: string; seed: string }> {
  const { publicKey } = await importSecret(kind, secret);
  return { publicKey, seed: encode(seedPrefix(kind), secret) };
}

/**
 * Parses a seed (`SO…`, `SA…` or `SU…`). Throws an error that describes the problem and never contains any part of the
 * seed.
 */
export async function importSeed(seed: string): Promise<SigningKey> {
  const raw = decode(seed);
  if (typeof raw === 'string') throw new Error(`Not an nkey seed: ${raw}`);
  const kind = kinds().find((kind) => seedPrefix(kind).every((byte, index) => raw[index] === byte));
  if (!kind) throw new Error('Not an nkey seed: its prefix is not for an operator, account or user');
  if (raw.length !== 2 + KEY_BYTES) throw new Error('Not an nkey seed: wrong length');
  const { publicKey, key } = await importSecret(kind, raw.subarray(2));
  return {
    publicKey,
    sign: async (data) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, data)),
  };
}

/** Whether `text` is a public key of this kind with a valid prefix, length and checksum. */
export function isPublicKey(kind: KeyKind, text: string): boolean {
  return publicKeyBytes(kind, text) !== undefined;
}

/** Returns the 32 bytes of a public key; undefined unless {@link isPublicKey}. */
export function publicKeyBytes(kind: KeyKind, text: string): Uint8Array<ArrayBuffer> | undefined {
  const raw = decode(text);
  if (typeof raw === 'string' || raw.length !== 1 + KEY_BYTES || raw[0] !== KINDS[kind]) return undefined;
  return raw.slice(1);
}

/** Base32 without padding (RFC 4648, section 6). */
export function base32(bytes: Uint8Array): string {
  return encodeBits(bytes, BASE32);
}

/** Base64url without padding (RFC 4648, section 5). */
export function base64url(bytes: Uint8Array): string {
  return encodeBits(bytes, BASE64URL);
}

/** Decodes base64url without padding. Returns undefined if {@link base64url} never returns this text. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  return decodeBits(text, BASE64URL);
}

function kinds(): KeyKind[] {
  return Object.keys(KINDS) as KeyKind[];
}

// Shifted so that both the S and the letter of the kind appear in the base32.
function seedPrefix(kind: KeyKind): Uint8Array {
  return Uint8Array.of(SEED | (KINDS[kind] >> 5), (KINDS[kind] & 31) << 3);
}

async function importSecret(
  kind: KeyKind,
  secret: Uint8Array,
): Promise<{ publicKey: string; key: CryptoKey }> {
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + KEY_BYTES);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(secret, PKCS8_HEAD.length);
  // Extractable, because an export is the only way to get the public key.
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  const point = decodeBase64url(x);
  if (point?.length !== KEY_BYTES) throw new Error('Could not read the public part of an Ed25519 key');
  return { publicKey: encode(Uint8Array.of(KINDS[kind]), point), key };
}

function encode(prefix: Uint8Array, key: Uint8Array): string {
  const end = prefix.length + key.length;
  const raw = new Uint8Array(end + CHECKSUM_BYTES);
  raw.set(prefix);
  raw.set(key, prefix.length);
  const crc = checksum(raw, end);
  raw[end] = crc;
  raw[end + 1] = crc >> 8;
  return base32(raw);
}

// Returns the prefix and key, or an error message that contains no part of the text.
function decode(text: string): Uint8Array<ArrayBuffer> | string {
  const raw = decodeBits(text, BASE32);
  if (!raw) return 'it is truncated or not base32';
  const end = raw.length - CHECKSUM_BYTES;
  if (end <= KEY_BYTES) return 'it is too short';
  const crc = checksum(raw, end);
  if (raw[end] !== (crc & 255) || raw[end + 1] !== crc >> 8) return 'its checksum is wrong';
  return raw.subarray(0, end);
}

// CRC-16/XMODEM of the first `length` bytes; nkeys store it low byte first.
function checksum(bytes: Uint8Array, length: number): number {
  let crc = 0;
  for (let at = 0; at < length; at++) {
    crc ^= (bytes[at] as number) << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

// An encoding with `width` bits per character: code of each value, and value of each code (255: none).
interface Alphabet {
  width: number;
  codes: Uint8Array;
  values: Uint8Array;
}

function alphabet(characters: string): Alphabet {
  const codes = new TextEncoder().encode(characters);
  const values = new Uint8Array(128).fill(255);
  for (const [value, code] of codes.entries()) values[code] = value;
  return { width: Math.log2(codes.length), codes, values };
}

// A lookup table is several times as fast as btoa, which takes only strings.
function encodeBits(bytes: Uint8Array, { width, codes }: Alphabet): string {
  const text = new Uint8Array(Math.ceil((bytes.length * 8) / width));
  const mask = codes.length - 1;
  let length = 0;
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= width) {
      bits -= width;
      text[length++] = codes[(held >> bits) & mask] as number;
    }
  }
  if (bits > 0) text[length++] = codes[(held << (width - bits)) & mask] as number;
  return utf8.decode(text);
}

// The inverse of spell; undefined for anything spell never returns, so that each value has one encoding.
function decodeBits(text: string, { width, values }: Alphabet): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array((text.length * width) >> 3);
  let length = 0;
  let bits = 0;
  let held = 0;
  for (let at = 0; at < text.length; at++) {
    const value = values[text.charCodeAt(at)] ?? 255;
    if (value === 255) return undefined;
    held = (held << width) | value;
    bits += width;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return bits < width && held === 0 ? bytes : undefined;
}
