/**
 * The format of API keys and the hash that is stored. The official clients require it: an access key is `SCW` and 17
 * characters of `[A-Z0-9]`, a secret key is a UUID.
 */
import { digestHex, type RandomBytes, randomBytes } from '../../shared/bytes.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Returns a new access key and a secret key generated from `random`. */
export function newApiKey(random: RandomBytes = randomBytes): { accessKey: string; secretKey: string } {
  // 32 letters divide the 256 values of a byte evenly, so every letter is equally likely.
  const accessKey = `SCW${Array.from(randomBytes(17), (byte) => ALPHABET[byte % 32]).join('')}`;
  return { accessKey, secretKey: secretKeyOf(random) };
}

/** Returns a secret key: a version 4 UUID (RFC 9562, section 5.4) with 122 bits from `random`. Deterministic. */
export function secretKeyOf(random: RandomBytes): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether the text is a UUID, the format of a secret key. */
export function isApiSecretKey(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Returns the stored form of a secret key: SHA-256 of its lower case, in hex. */
export function hashSecretKey(secretKey: string): Promise<string> {
  return digestHex('SHA-256', secretKey.toLowerCase());
}
