/**
 * Hashes passwords with native scrypt (RFC 7914; OWASP's profile N = 2^14, r = 8, p = 5): 16 MiB and a quarter of a
 * second per sign-in, and per guess against a stolen table. Runs in the Worker and in Node.
 */
import { Buffer } from 'node:buffer';
import crypto, { randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

/** Length limits of a password, in UTF-16 code units. */
export const PASSWORD_LENGTH = { min: 12, max: 128 };

export const newPassword = z.string().min(PASSWORD_LENGTH.min).max(PASSWORD_LENGTH.max);

const COST = { N: 2 ** 14, r: 8, p: 5 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;

function derive(password: string, salt: Uint8Array, cost: typeof COST): Promise<Buffer> {
  // Unicode can encode one password in several ways; NFKC unifies them, as RFC 8265 recommends.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    crypto.scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: 64 * 1024 * 1024 }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Returns `scrypt:N:r:p:salt:key`, with salt and key in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), key.toString('base64')].join(':');
}

/** A hash that matches no password and costs as much to verify as a real one. */
export const NO_HASH = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  Buffer.alloc(SALT_BYTES).toString('base64'),
  Buffer.alloc(KEY_BYTES).toString('base64'),
].join(':');

/** Whether the password matches the hash, compared in constant time. A malformed hash matches nothing. */
export async function verifyPassword({
  hash,
  password,
}: {
  hash: string;
  password: string;
}): Promise<boolean> {
  const [scheme, n, r, p, salt, key] = hash.split(':');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const expected = Buffer.from(key, 'base64');
  const actual = await derive(password, Buffer.from(salt, 'base64'), {
    N: Number(n),
    r: Number(r),
    p: Number(p),
  });
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
