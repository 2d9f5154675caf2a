/**
 * The form of API keys: what an access key and a secret key look like, and what is kept of a secret key. The official
 * clients insist on the form: `SCW` and 17 of `[A-Z0-9]`, and a UUID.
 */
import { digestHex } from '../credentials/secrets.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new access key and its secret key, 122 random bits. */
export function newApiKey(): { accessKey: string; secretKey: string } {
  const random = crypto.getRandomValues(new Uint8Array(17));
  // 32 letters divide a byte's 256 values evenly: no letter is likelier than another.
  const accessKey = `SCW${Array.from(random, (byte) => ALPHABET[byte % 32]).join('')}`;
  return { accessKey, secretKey: crypto.randomUUID() };
}

/** Whether the text has the form of a secret key: a UUID. */
export function isSecretKey(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** What the database keeps of a secret key: the SHA-256 of its lower case, in hex. */
export function hashSecretKey(secretKey: string): Promise<string> {
  return digestHex('SHA-256', secretKey.toLowerCase());
}
