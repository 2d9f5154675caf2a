/**
 * Links with a token that works once. The database has the token's hash; the link has it after the `#`, which browsers send
 * to nobody.
 */
import type { Context } from 'hono';
import type { AppEnv } from '../app.ts';
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

/**
 * The link to a page with this token. It leads to the configured address: the request's own host is what its sender says it
 * is, and would let them send others a link, in a mail of ours, that brings the token to them. Without a configured address
 * no mail is sent, and only the caller is shown the link.
 */
export function linkTo(c: Context<AppEnv>, page: 'invitation' | 'reset-password', token: string): string {
  return `${c.get('config').siteUrl ?? new URL(c.req.url).origin}/${page}/#${token}`;
}
