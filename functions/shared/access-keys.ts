/**
 * The format of access keys and secret keys of Queues and Topics and Events: creates and recognizes them. API keys are in
 * iam/principals/api-keys.ts, NATS keys in nats/keys.ts. The CRC at the end of a secret key is not the API's
 * `secret_checksum`, which is the SHA-1 of the whole secret (credentials/products.ts).
 */
import { BASE62, type RandomBytes, randomBase62, randomBytes } from './bytes.ts';

const ACCESS_KEY_START = 'LKEY';
const SECRET_KEY_START = 'latchkey_';
const SECRET_LENGTH = 40;
const CRC_LENGTH = 6;

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
 * the CRC. Equal bytes give an equal key.
 */
export function newSecretKey(random: RandomBytes): string {
  const text = SECRET_KEY_START + randomBase62(SECRET_LENGTH, random);
  return text + crc32Suffix(text);
}

/** Whether the text has the format of a secret key and a valid CRC. */
export function isProductSecretKey(text: string): boolean {
  const match = /^latchkey_[0-9A-Za-z]{46}$/.exec(text);
  return match !== null && crc32Suffix(text.slice(0, -CRC_LENGTH)) === text.slice(-CRC_LENGTH);
}

function crc32Suffix(text: string): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let value = ~crc >>> 0;
  let digits = '';
  for (let i = 0; i < CRC_LENGTH; i++) {
    digits = BASE62[value % 62] + digits;
    value = Math.floor(value / 62);
  }
  return digits;
}
