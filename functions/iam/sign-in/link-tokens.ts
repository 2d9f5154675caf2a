/**
 * Links with a single-use token. The database stores the hash; the link carries the token after the `#`, which browsers
 * do not send.
 */
import type { Context } from 'hono';
import { digestHex } from '../../shared/bytes.ts';
import type { AppEnv } from '../../shared/http.ts';

/** Returns a new token: 256 random bits in base64url, 43 characters. */
export function newLinkToken(): string {
  const random = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}

/** Returns the stored form of a token: SHA-256 in hex. 256 random bits need no slow hash. */
export function hashLinkToken(token: string): Promise<string> {
  return digestHex('SHA-256', token);
}

/**
 * Returns the link to a page with this token. It uses the configured address, never the request's `Host`: otherwise an
 * attacker could have us email a link that sends the token to their host. Without a configured address no email is
 * sent, and only the caller sees the link.
 */
export function linkTo(c: Context<AppEnv>, page: 'invitation' | 'reset-password', token: string): string {
  return `${c.get('config').siteUrl ?? new URL(c.req.url).origin}/${page}/#${token}`;
}
