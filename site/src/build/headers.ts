/**
 * The response headers of static pages: after the build, writes `_headers` with a Content-Security-Policy that allows
 * exactly the inline scripts found in the pages. functions/index.ts sets the headers of API responses.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { AstroIntegration } from 'astro';
import { TRANSPORT_SECURITY } from '../../../functions/shared/http.ts';

const INLINE_SCRIPT = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;

/** The platform rejects longer lines of `_headers`. */
const MAX_LINE = 2000;

/** Pages that show personal data. Search engines must not index them. */
const PRIVATE = ['/account/*', '/console/*', '/invitation/*', '/reset-password/*', '/sign-in/*'];

/**
 * Writes `_headers` and `robots.txt`. `connect` lists the other origins that pages can connect to, and `url` is the public URL,
 * if there is one. `robots.txt` allows {@link PRIVATE}: crawlers see `noindex` only on pages that they can read.
 */
export function pageHeaders(connect: string[], url?: string): AstroIntegration {
  return {
    name: 'page-headers',
    hooks: {
      'astro:build:done': async ({ dir, logger }) => {
        const hashes = await inlineScriptHashes(dir);
        const text = headersFile(contentSecurityPolicy(hashes, connect));
        await writeFile(new URL('_headers', dir), text);
        await writeFile(new URL('robots.txt', dir), robots(url));
        logger.info(`_headers allows ${hashes.length} inline scripts`);
      },
    },
  };
}

async function inlineScriptHashes(dir: URL): Promise<string[]> {
  const hashes = new Set<string>();
  for (const name of await readdir(dir, { recursive: true })) {
    if (!name.endsWith('.html')) continue;
    const html = await readFile(new URL(name, dir), 'utf8');
    for (const [, script] of html.matchAll(INLINE_SCRIPT)) {
      hashes.add(
        `'sha256-${createHash('sha256')
          .update(script ?? '')
          .digest('base64')}'`,
      );
    }
  }
  return [...hashes].sort();
}

function contentSecurityPolicy(scripts: string[], connect: string[]): string {
  return [
    "default-src 'self'",
    // The search uses WebAssembly.
    ["script-src 'self' 'wasm-unsafe-eval'", ...scripts].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...connect].join(' '),
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const robots = (url: string | undefined) =>
  `User-agent: *\nAllow: /\n${url ? `Sitemap: ${url}/sitemap-index.xml\n` : ''}`;

function headersFile(policy: string): string {
  const lines = [
    '/*',
    `  Content-Security-Policy: ${policy}`,
    '  X-Content-Type-Options: nosniff',
    '  Referrer-Policy: strict-origin-when-cross-origin',
    `  Strict-Transport-Security: ${TRANSPORT_SECURITY}`,
    '  Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...PRIVATE.flatMap((path) => [path, '  X-Robots-Tag: noindex']),
    '/_astro/*',
    '  Cache-Control: public, max-age=31536000, immutable',
  ];
  const long = lines.find((line) => line.length > MAX_LINE);
  if (long) throw new Error(`A line of _headers has ${long.length} characters; the maximum is ${MAX_LINE}`);
  return `${lines.join('\n')}\n`;
}
