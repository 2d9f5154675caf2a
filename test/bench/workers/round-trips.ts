/**
 * The D1 round trips that an operation on credentials requires in any implementation, and nothing else: one that
 * reads the caller's credentials, and, for a change, another that writes a row.
 */
import type { D1Database } from '@cloudflare/workers-types';

interface Bindings {
  IDENTITY: D1Database;
  REGION_FR_PAR: D1Database;
}

export default {
  async fetch(request: Request, { IDENTITY, REGION_FR_PAR }: Bindings): Promise<Response> {
    const reader = IDENTITY.withSession('first-primary');
    await reader.prepare('select * from users where id = ?').bind(crypto.randomUUID()).all();
    if (new URL(request.url).pathname !== '/mnq/verify') {
      const writer = REGION_FR_PAR.withSession('first-primary');
      await writer.prepare('insert into written (id) values (?)').bind(crypto.randomUUID()).run();
    }
    return new Response('done');
  },
};
