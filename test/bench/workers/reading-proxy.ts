/**
 * The proxy of proxy.ts plus the one thing that a gateway with immediate revocation requires: it reads the access
 * key's row from the region's database before it forwards. It verifies nothing and ignores the row.
 */
import type { D1Database } from '@cloudflare/workers-types';

interface Bindings {
  ENGINE: string;
  REGION_FR_PAR: D1Database;
}

export default {
  async fetch(request: Request, { ENGINE, REGION_FR_PAR }: Bindings): Promise<Response> {
    const [, key] = /Credential=(\w+)\//.exec(request.headers.get('Authorization') ?? '') ?? [];
    const region = REGION_FR_PAR.withSession('first-primary');
    await region.prepare('select * from credentials where key = ?').bind(key).all();
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(`${ENGINE}${pathname}${search}`, request));
  },
};
