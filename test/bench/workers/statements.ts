/**
 * A bare Hono handler: runs the statements of an API operation (`PROGRAMS`, JSON) on the same databases, in the same
 * round trips, and responds with the rows of the last one. The path contains the target's IDs, separated by commas.
 * It checks and authenticates nothing, except that statements that should change a row must, or the baseline would be
 * wrong.
 */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';
import { Hono } from 'hono';
import { marker, type Param, type Program, type Target } from '../replay.ts';

interface Bindings {
  PROGRAMS: string;
  [binding: string]: unknown;
}

let programs: Record<string, Program> | undefined;

const app = new Hono<{ Bindings: Bindings }>();
app.all('/mnq/:operation/:target?', async (c) => {
  programs ??= JSON.parse(c.env.PROGRAMS) as Record<string, Program>;
  const fresh = new Map<string, string>();
  const target = (c.req.param('target') ?? '').split(',');
  let rows: unknown[] = [];
  for (const { binding, batch, statements, wrote } of programs[c.req.param('operation')] ?? []) {
    const session = (c.env[binding] as D1Database).withSession('first-primary');
    const bound = statements.map(({ sql, params }) =>
      session.prepare(sql).bind(...params.map((param) => valueFor(param, target, fresh))),
    );
    const results = batch ? await session.batch(bound) : [await (bound[0] as D1PreparedStatement).all()];
    if (wrote && !results.some(({ meta }) => meta.changes > 0)) throw new Error('No row was changed');
    rows = results.flatMap((result) => result.results);
  }
  return c.json({ rows });
});

function valueFor(param: Param, target: Target, fresh: Map<string, string>): unknown {
  switch (param.kind) {
    case 'constant':
      return param.value;
    case 'target':
      return target.reduce((text, id, at) => text.replaceAll(marker(at), id), param.text);
    case 'time':
      return Math.floor(Date.now() / param.unit);
    case 'new': {
      const value = fresh.get(param.name) ?? newText(param.length);
      fresh.set(param.name, value);
      return value;
    }
  }
}

function newText(length: number): string {
  return crypto
    .randomUUID()
    .repeat(Math.ceil(length / 36))
    .slice(-length);
}

export default app;
