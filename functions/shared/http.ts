/**
 * Defines what the control plane's routes share: the typed context, the router that returns validation errors in the
 * API's format, and common parts of OpenAPI operations. Has no routes.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import { type Database, openDatabase } from '../../db/database.ts';
import type { CallerRecord } from '../../db/identity/callers.ts';
import type { Page } from '../../db/page.ts';
import type { Bindings, Config, Region } from './env.ts';
import { ApiError, type ErrorCode, errorBody, errors, invalidArgument, problemsOf } from './errors.ts';
import type { paging } from './schemas.ts';

/**
 * The header `Strict-Transport-Security` of every response. Browsers ignore it on plain http, which the local stack
 * uses.
 */
export const TRANSPORT_SECURITY = 'max-age=31536000';

/**
 * The header that reports whether a change of credentials is in force: `enforced; servers=2` or `pending;
 * acknowledged=1; servers=2` for NATS, `enforced` or `pending; within=31` (seconds) for Queues and Topics and Events.
 */
export const ENFORCEMENT_HEADER = 'Latchkey-Enforcement';

/** Maximum size of a request body in the control plane. */
export const MAX_BODY_BYTES = 64 * 1024;

/** The authenticated caller. */
export type Principal = Omit<CallerRecord, 'expiresAt' | 'lastUsedAt'>;

/** The context of a request, set by middleware before a route runs. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    config: Config;
    requestId: string;
    /** The identity database. Set for every operation that is not public. */
    identityDb: Database;
    /** The caller. Set for every operation that is not public. */
    principal: Principal;
    /** The region in the path. Set for paths that contain one. */
    region: Region;
    /** The region's database. Set with the region. */
    regionDb: Database;
  };
}

/** Returns a router whose validation throws 400 `invalid_arguments`. */
export function newRouter() {
  return new OpenAPIHono<AppEnv>({
    defaultHook: async (result, c) => {
      // Without a Content-Type, the validator treats any body as an empty object.
      if (result.target === 'json' && !c.req.header('Content-Type')) throw await missingBodyError(c);
      if (!result.success) throw new ApiError('invalid_arguments', { details: problemsOf(result.error) });
      if (result.target === 'query') rejectUnknownParameters(c.req.query(), result.data);
    },
  });
}

async function missingBodyError(c: Context): Promise<ApiError> {
  if (await c.req.text()) return new ApiError('unsupported_media_type', {});
  return invalidArgument(
    'body',
    'required',
    'is required, as JSON with the header Content-Type: application/json',
  );
}

/**
 * Rejects unknown query parameters: an ignored filter would return everything as if it matched. Zero values of enums
 * pass, because official clients send those for filters that are newer than this API.
 */
function rejectUnknownParameters(sent: Record<string, string>, known: object): void {
  const unknown = Object.entries(sent).filter(
    ([name, value]) => !Object.hasOwn(known, name) && !value.startsWith('unknown_'),
  );
  if (unknown.length === 0) return;
  const help_message = 'is not a parameter of this operation';
  const details = unknown.map(([argument_name]) => ({
    argument_name,
    reason: 'unknown' as const,
    help_message,
  }));
  throw new ApiError('invalid_arguments', { details });
}

/** Returns the validated body of a request that is not in the documented API. Throws 400 `invalid_arguments`. */
export async function bodyOf<Body>(c: Context<AppEnv>, schema: z.ZodType<Body>): Promise<Body> {
  const parsed = schema.safeParse(await c.req.json().catch(() => undefined));
  if (!parsed.success) throw new ApiError('invalid_arguments', { details: problemsOf(parsed.error) });
  return parsed.data;
}

/** Runs the work without delaying the response. A failure is logged as `what`. */
export function inBackground(c: Context<AppEnv>, what: string, work: Promise<unknown>): void {
  const settled = work.catch((error: unknown) => {
    console.warn(JSON.stringify({ failed: what, reason: error instanceof Error && error.message }));
  });
  try {
    c.executionCtx.waitUntil(settled);
  } catch {
    // Without an execution context, as in tests, the work settles on its own.
  }
}

/** Returns the page that a list's query asks for. */
export function pageOf(
  query: Omit<z.infer<typeof paging>, 'order_by'> & { order_by: `${Page['by']}_${Page['direction']}` },
): Page {
  const [, by, direction] = /^(.*)_(asc|desc)$/.exec(query.order_by) ?? [];
  return {
    offset: (query.page - 1) * query.page_size,
    limit: query.page_size,
    by: by as Page['by'],
    direction: direction as Page['direction'],
  };
}

/** Converts milliseconds since the epoch to RFC 3339 in UTC. */
export function apiTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function apiTimeOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : apiTime(milliseconds);
}

/** Middleware that finds the region in the path and opens its database. Throws 400 if the region is not served. */
export async function useRegion(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  const { regions } = c.get('config');
  const region = regions.get(c.req.param('region') ?? '');
  if (!region) {
    throw invalidArgument('region', 'constraint', `must be one of ${[...regions.keys()].join(', ')}`);
  }
  c.set('region', region);
  c.set('regionDb', openDatabase(region.database));
  await next();
}

/** Errors that every authenticated operation can return. */
const COMMON_ERRORS = [
  'invalid_arguments',
  'denied_authentication',
  'permissions_denied',
  'too_many_requests',
  'internal_error',
  'unavailable',
] as const satisfies ErrorCode[];

/**
 * Returns the error responses of an OpenAPI operation: the common ones and its own. They are typed as `object` to keep
 * them out of the typed client, which identifies errors by their `type`.
 */
export function errorResponses(...own: ErrorCode[]): object {
  const byStatus = Map.groupBy([...COMMON_ERRORS, ...own], (code) => errors[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const bodies = codes.map(errorBody);
      const schema = bodies.length > 1 ? z.union(bodies) : bodies[0];
      const description = codes.map((code) => errors[code].message).join(', or ');
      return [status, { description, content: { 'application/json': { schema } } }];
    }),
  );
}

/** Returns a JSON body with an example, for a request or a response. */
export function json<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema> | z.output<Schema>) {
  return { 'application/json': { schema, example } };
}

export function ok<Schema extends z.ZodType>(schema: Schema, example: z.output<Schema>, description = 'OK') {
  return { 200: { description, content: json(schema, example) } };
}

export const noContent = { 204: { description: 'Success. The response has no body.' } };
