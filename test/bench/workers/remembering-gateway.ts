/** Our Worker with the credentials in its own memory instead of in guards: what the gateway costs without its guards. */
import type { D1Database, ExecutionContext } from '@cloudflare/workers-types';
import { app } from '../../../functions/index.ts';
import type { Bindings } from '../../../functions/shared/env.ts';
import { localGuards } from './local-guards.ts';
import { noServers } from './no-servers.ts';

let bindings: Bindings | undefined;

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    bindings ??= {
      ...env,
      ACCOUNT_PUBLISHER: noServers,
      CREDENTIAL_GUARD: localGuards(env.REGION_FR_PAR as D1Database),
    };
    return app.fetch(request, bindings, context);
  },
};
