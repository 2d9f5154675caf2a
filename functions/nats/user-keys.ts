/** Defines which public keys of callers are safe for NATS users. That a caller has the private key: proof.ts. */
import * as z from 'zod';
import { isPublicKey, publicKeyBytes } from './keys.ts';

/** The prime of the field of Ed25519 (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
/** The y coordinate of two points of order 8; the other two have its negative. */
const Y_OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
/** The y coordinates of the eight points of small order (RFC 7748, section 7): of orders 1, 2, 4, 8 and 8. */
const SMALL_ORDER = new Set([1n, P - 1n, 0n, Y_OF_ORDER_8, P - Y_OF_ORDER_8]);

/**
 * Whether a public key is encoded canonically and is not a point of small order. With the identity point, nats-servers
 * before 2.15 accept clients without a private key. A second encoding of a point would pass as a key that was never used.
 */
function isSafePoint(bytes: Uint8Array): boolean {
  // Little-endian; the highest bit is the sign of x. The points with x = 0, whose sign must be 0, have small order.
  const y = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER.has(y);
}

/** The public key of a NATS user, `U` and 55 characters of base32, that is safe to accept from a caller. */
export const userPublicKey = z
  .string()
  .regex(/^U[A-Z2-7]{55}$/, {
    error: 'must be the public key of a NATS user: U followed by 55 characters from A-Z and 2-7',
    abort: true,
  })
  .refine((text) => isPublicKey('user', text), { error: 'has a wrong checksum', abort: true })
  .refine(
    (text) => isSafePoint(publicKeyBytes('user', text) as Uint8Array),
    'must not be a point of small order, or encoded in another way than RFC 8032 specifies',
  );

/** An Ed25519 signature in base64url, without padding. */
export const proof = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{85}[AQgw]$/,
    'must be the 64 bytes of an Ed25519 signature in base64url, without padding',
  );
