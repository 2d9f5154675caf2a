/**
 * Finds, in what somebody pastes, what may leave the browser: the public name of a key, or else the checksum of a secret.
 * The secret itself stays here.
 */

import { ANY_PUBLIC_KEY } from '../../../../functions/shared/products.ts';

const JWT = /eyJ[\w-]*\.([\w-]+)\.[\w-]+/;
const PUBLIC = new RegExp(`\\b(${ANY_PUBLIC_KEY})\\b`);

/** The public key in a text: of the JWT in a `.creds` file whom it is for, or the first access key or key that stands there. */
export function publicKeyIn(text: string): string | undefined {
  const [, payload] = JWT.exec(text) ?? [];
  return PUBLIC.exec(payload ? subjectOf(payload) : text)?.[0];
}

const SECRET = /\blatchkey_[0-9A-Za-z]{46}\b/;

/** The SHA-1 of the secret key in a text, in hex, as the API lists it; undefined when there is none. */
export async function checksumIn(text: string): Promise<string | undefined> {
  const [secret] = SECRET.exec(text) ?? [];
  if (!secret) return undefined;
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(secret));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function subjectOf(payload: string): string {
  try {
    const json = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    return String((JSON.parse(json) as { sub?: unknown }).sub);
  } catch {
    return '';
  }
}
