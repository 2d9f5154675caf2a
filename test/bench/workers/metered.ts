/**
 * Our Worker's API, which returns the cost of each request in the region's database: `Bench-Cost: trips read
 * written`.
 */
import type { D1Database, ExecutionContext } from '@cloudflare/workers-types';
import { app } from '../../../functions/index.ts';
import type { Bindings } from '../../../functions/shared/env.ts';
import { type Cost, counted } from '../../worker/cost.ts';
import { localGuards } from './local-guards.ts';
import { noServers } from './no-servers.ts';

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    const cost: Cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
    const REGION_FR_PAR = counted(env.REGION_FR_PAR as D1Database, cost);
    const metered = {
      ...env,
      ACCOUNT_PUBLISHER: noServers,
      CREDENTIAL_GUARD: localGuards(REGION_FR_PAR),
      REGION_FR_PAR,
    };
    const response = await app.fetch(request, metered, context);
    const withCost = new Response(response.body, response);
    withCost.headers.set('Bench-Cost', `${cost.trips} ${cost.rowsRead} ${cost.rowsWritten}`);
    return withCost;
  },
};
