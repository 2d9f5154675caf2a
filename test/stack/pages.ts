/**
 * The pages of a local stack: a copy of the built pages, with this machine's addresses in place of the configured
 * ones. The build itself stays unchanged for deployments.
 */
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NATS_PORT } from './ports.ts';

const CONNECT = /connect-src 'self'[^;\n]*/;
const ADDRESS = /(?:http:\/\/localhost|nats:\/\/127\.0\.0\.1):\d+/g;

/** The addresses of a stack. */
export interface Addresses {
  /** `http://localhost:PORT`. */
  origin: string;
  /** The URLs for NATS clients, by region in the order of the configuration. */
  nats: readonly string[];
  /** The URLs that pages can connect to, other than their origin. */
  websockets: readonly string[];
}

/**
 * Copies the pages in `built` to `folder` (absolute, empty). Adds the websockets to the Content-Security-Policy, and
 * replaces the addresses of a stack on default ports with this stack's.
 */
export function copyPages(built: string, folder: string, { origin, nats, websockets }: Addresses): void {
  cpSync(built, folder, { recursive: true });
  const file = join(folder, '_headers');
  const headers = readFileSync(file, 'utf8');
  if (!CONNECT.test(headers)) throw new Error(`${file} has no connect-src directive`);
  writeFileSync(file, headers.replace(CONNECT, ["connect-src 'self'", ...websockets].join(' ')));
  const defaults = new Map([['http://localhost:8787', origin]]);
  for (const [index, url] of nats.entries()) defaults.set(`nats://127.0.0.1:${NATS_PORT + index}`, url);
  for (const name of globSync('**/*.{html,md}', { cwd: folder })) {
    const page = join(folder, name);
    const text = readFileSync(page, 'utf8');
    const own = text.replace(ADDRESS, (address) => defaults.get(address) ?? address);
    if (own !== text) writeFileSync(page, own);
  }
}
