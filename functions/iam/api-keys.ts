/**
 * The form of API keys: what an access key and a secret key look like, and what is kept of a secret key. The official
 * clients insist on the form: `SCW` and 17 of `[A-Z0-9]`, and a UUID.
 */
import { digestHex, type RandomBytes, randomBytes } from '../credentials/secrets.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new access key and its secret key, which is made of `random`. */
export function newApiKey(random: RandomBytes = randomBytes): { accessKey: string; secretKey: string } {
  // 32 letters divide a byte's 256 values evenly: no letter is likelier than another.
  const accessKey = `SCW${Array.from(randomBytes(17), (byte) => ALPHABET[byte % 32]).join('')}`;
  return { accessKey, secretKey: secretKeyOf(random) };
}

/** A secret key, a version 4 UUID (RFC 9562, section 5.4) of 122 of these bits. Equal bytes make an equal key. */
export function secretKeyOf(random: RandomBytes): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether the text has the form of a secret key: a UUID. */
export function isSecretKey(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** What the database keeps of a secret key: the SHA-256 of its lower case, in hex. */
export function hashSecretKey(secretKey: string): Promise<string> {
  return digestHex('SHA-256', secretKey.toLowerCase());
}
