/**
 * The format of access keys and secret keys of Queues and Topics and Events: creates and recognizes them. API keys are in
 * iam/principals/api-keys.ts, NATS keys in nats/keys.ts. The CRC at the end of a secret key is not the API's
 * `secret_checksum`, which is the SHA-1 of the whole secret (credentials/products.ts).
 */
import { createHmac } from 'node:crypto';
import { BASE62, type RandomBytes, randomBase62, randomBytes } from './bytes.ts';

const ACCESS_KEY_START = 'LKEY';
const SECRET_KEY_START = 'latchkey_';
const SECRET_LENGTH = 40;
const CRC_LENGTH = 6;

const ACCESS_KEY_LENGTH = 20;
const CHECK_LENGTH = 4;

/** Returns the characters that mark an access key: a keyed check of its preceding text. */
export type AccessKeyCheck = (text: string) => string;

/** Returns the check under the Worker's sign-in secret: 4 characters of `[0-9A-Za-z]`, which a guess has by 1 in 14 million. */
export function accessKeyCheckOf(secret: string): AccessKeyCheck {
  const key = createHmac('sha256', secret).update('access key check').digest();
  return (text) => {
    const digest = createHmac('sha256', key).update(text).digest();
    return base62(digest.readUInt32BE() % BASE62.length ** CHECK_LENGTH, CHECK_LENGTH);
  };
}

/**
 * Returns a new access key: `LKEY`, 12 random characters of `[0-9A-Za-z]`, and 4 with their check. Keys that were
 * created before the check was introduced, or under another secret, are valid without it.
 */
export function newAccessKey(check: AccessKeyCheck): string {
  const text =
    ACCESS_KEY_START + randomBase62(ACCESS_KEY_LENGTH - CHECK_LENGTH - ACCESS_KEY_START.length, randomBytes);
  return text + check(text);
}

/** Whether an access key has the check of {@link newAccessKey}. */
export function hasCheck(accessKey: string, check: AccessKeyCheck): boolean {
  return check(accessKey.slice(0, -CHECK_LENGTH)) === accessKey.slice(-CHECK_LENGTH);
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
  return base62(~crc >>> 0, CRC_LENGTH);
}

/** Returns a number's last `length` digits in base 62. */
function base62(value: number, length: number): string {
  let rest = value;
  let digits = '';
  for (let i = 0; i < length; i++) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
