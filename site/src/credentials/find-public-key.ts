/**
 * Extracts from pasted text what can be sent to the API: a public key, or the checksum of a secret key. The secret stays in
 * the browser.
 */

import { ANY_PUBLIC_KEY } from '../../../functions/shared/products.ts';

const JWT = /eyJ[\w-]*\.([\w-]+)\.[\w-]+/;
const PUBLIC = new RegExp(`\\b(${ANY_PUBLIC_KEY})\\b`);

/** Returns the subject of the JWT if the text is a `.creds` file, or else the first public key in it. */
export function publicKeyIn(text: string): string | undefined {
  const [, payload] = JWT.exec(text) ?? [];
  return PUBLIC.exec(payload ? subjectOf(payload) : text)?.[0];
}

const SECRET = /\blatchkey_[0-9A-Za-z]{46}\b/;

/** Returns the SHA-1 of the secret key in a text, in hex, if there is one. The API stores the same checksum. */
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
