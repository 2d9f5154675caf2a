/** Random bytes, base64, base 62 and digests. */

/** Returns this many unpredictable bytes, different ones on each call. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Reads the system's random generator. */
export const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Decodes base64. Throws if the text is invalid. */
export function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Returns `length` characters of `[0-9A-Za-z]`, each equally likely: 5.95 bits per character. */
export function randomBase62(length: number, random: RandomBytes): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(2 * length)) {
      // 248 is the largest multiple of 62 in a byte. Larger bytes would make the first characters more likely.
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** Returns the digest of the text's UTF-8 in hex. SHA-1 is only for the checksums that the API defines. */
export async function digestHex(algorithm: 'SHA-1' | 'SHA-256', text: string): Promise<string> {
  const digest = await crypto.subtle.digest(algorithm, new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
