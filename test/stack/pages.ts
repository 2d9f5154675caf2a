/**
 * The pages as a stack serves them: a copy of what was built, whose policy lets them open the nats-servers of this
 * machine in place of those of the configuration. What a deployment sends stays as it was built.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONNECT = /connect-src 'self'[^;\n]*/;

/** Copies the pages in `built` to `folder` (absolute, empty). They may open `websockets`. */
export function copyPages(built: string, folder: string, websockets: readonly string[]): void {
  cpSync(built, folder, { recursive: true });
  const file = join(folder, '_headers');
  const headers = readFileSync(file, 'utf8');
  if (!CONNECT.test(headers)) throw new Error(`${file} does not say where pages may connect`);
  writeFileSync(file, headers.replace(CONNECT, ["connect-src 'self'", ...websockets].join(' ')));
}
