/** Proves that a caller has the private key of a NATS user, without sending it. Also runs in browsers. */
import { base64url, decodeBase64url, publicKeyBytes, type SigningKey } from './keys.ts';

/** Returns the proof for credentials with this name in the account (`A…`): an Ed25519 signature in base64url. */
export async function prove(key: SigningKey, accountId: string, name: string): Promise<string> {
  return base64url(await key.sign(signedBytes(accountId, name)));
}

/** Whether `proof` is what {@link prove} returns with the key of `publicKey` (`U…`). */
export async function isProven(
  publicKey: string,
  proof: string,
  accountId: string,
  name: string,
): Promise<boolean> {
  const [point, signature] = [publicKeyBytes('user', publicKey), decodeBase64url(proof)];
  if (!point || !signature) return false;
  try {
    const key = await crypto.subtle.importKey('raw', point, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, signedBytes(accountId, name));
  } catch {
    // Some runtimes throw when the key is not a point of the curve.
    return false;
  }
}

/** What the user's JWT will say. The id has a fixed length, so no other account and name give the same bytes. */
function signedBytes(accountId: string, name: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(accountId + name);
}
