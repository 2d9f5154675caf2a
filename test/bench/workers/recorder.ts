/**
 * Our Worker's API, which responds with the statements that a request ran, by round trip and in order, and with the
 * original status and body.
 */
import type { D1Database, D1PreparedStatement, D1Result, ExecutionContext } from '@cloudflare/workers-types';
import { app } from '../../../functions/index.ts';
import type { Bindings } from '../../../functions/shared/env.ts';
import type { Recorded, RecordedTrip } from '../replay.ts';
import { localGuards } from './local-guards.ts';
import { noServers } from './no-servers.ts';

type Bound = { original: D1PreparedStatement; sql: string; params: unknown[] };

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    const trips: RecordedTrip[] = [];
    const metered = {
      ...env,
      ACCOUNT_PUBLISHER: noServers,
      CREDENTIAL_GUARD: localGuards(env.REGION_FR_PAR as D1Database),
      IDENTITY: recording('IDENTITY', env.IDENTITY, trips),
      REGION_FR_PAR: recording('REGION_FR_PAR', env.REGION_FR_PAR as D1Database, trips),
    };
    const response = await app.fetch(request, metered, context);
    const recorded: Recorded = { status: response.status, body: await response.text(), trips: [...trips] };
    return Response.json(recorded);
  },
};

function recording(binding: string, database: D1Database, trips: RecordedTrip[]): D1Database {
  const session = database.withSession('first-primary');
  const note = (bound: readonly Bound[], batch: boolean, results: readonly D1Result[]) => {
    const statements = bound.map(({ sql, params }) => ({ sql, params }));
    trips.push({ binding, batch, statements, wrote: results.some(({ meta }) => meta.changes > 0) });
  };
  const bound = (one: Bound) => ({
    ...one,
    all: async () => {
      const result = await one.original.all();
      note([one], false, [result]);
      return result;
    },
  });
  return {
    withSession: () => ({
      prepare: (sql: string) => ({
        bind: (...params: unknown[]) =>
          bound({ original: session.prepare(sql).bind(...params), sql, params }),
      }),
      batch: async (statements: Bound[]) => {
        const results = await session.batch(statements.map(({ original }) => original));
        note(statements, true, results);
        return results;
      },
    }),
  } as unknown as D1Database;
}
