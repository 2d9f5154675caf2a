/** The tokens of links that are sent by mail. The database has a token's hash, the link has it behind the `#`, which browsers send to nobody. */
import { digestHex } from '../credentials/secrets.ts';

/** A token of a new link: 256 random bits in base64url, 43 characters. */
export function newLinkToken(): string {
  const random = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}

/** What the database keeps of a token: its SHA-256, in hex. 256 random bits need no slow hash. */
export function hashLinkToken(token: string): Promise<string> {
  return digestHex('SHA-256', token);
}
