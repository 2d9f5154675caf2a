/**
 * Defines what the control plane's routes share: the typed context, the router that returns validation errors in the
 * API's format, access checks, and common parts of OpenAPI operations. Has no routes.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import type { Change } from '../db/audit.ts';
import { type Database, openDatabase } from '../db/database.ts';
import type { Page } from '../db/page.ts';
import type { paging } from './credentials/schemas.ts';
import type { Bindings, Config, Region } from './env.ts';
import { ApiError, type ErrorCode, errorBody, errors, invalidArgument, problemsOf } from './errors.ts';
import type { Permission } from './iam/permission-sets.ts';
import { authorize, type Principal, type Scope } from './iam/policies.ts';
import type { Work } from './work.ts';

/**
 * The header `Strict-Transport-Security` of every response. Browsers ignore it on plain http, which the local stack
 * uses.
 */
export const TRANSPORT_SECURITY = 'max-age=31536000';

/** Maximum size of a request body in the control plane. */
export const MAX_BODY_BYTES = 64 * 1024;

/** The context of a request, set by middleware before a route runs. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    config: Config;
    requestId: string;
    /** The identity database. Set for every operation that is not public. */
    identity: Database;
    /** The caller. Set for every operation that is not public. */
    principal: Principal;
    /** The region in the path. Set for paths that contain one. */
    region: Region;
    /** The region's database. Set with the region. */
    store: Database;
  };
}

/** Returns a router whose validation throws 400 `invalid_arguments`. */
export function newRouter() {
  return new OpenAPIHono<AppEnv>({
    defaultHook: async (result, c) => {
      // Without a Content-Type, the validator treats any body as an empty object.
      if (result.target === 'json' && !c.req.header('Content-Type')) throw await unreadBody(c);
      if (!result.success) throw new ApiError('invalid_arguments', { details: problemsOf(result.error) });
      if (result.target === 'query') refuseUnknown(c.req.query(), result.data);
    },
  });
}

async function unreadBody(c: Context): Promise<ApiError> {
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
function refuseUnknown(sent: Record<string, string>, known: object): void {
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

/**
 * Returns the scope in which the caller has the permission (see {@link authorize}). Throws 403 `permissions_denied`
 * with the missing permission.
 */
export function requireScope(c: Context<AppEnv>, permission: Permission, projectId?: string): Scope {
  const scope = authorize(c.get('principal'), permission, projectId);
  if (!scope.ok) throw new ApiError('permissions_denied', { details: [{ ...permission }] });
  return scope;
}

const SEE_PROJECT = { resource: 'project', action: 'read' } as const;

/**
 * Returns the scope of an operation in the project of the request. Throws `missing` (404) for a project that the
 * caller cannot see, so that it cannot be distinguished from one that does not exist. Throws 403 `permissions_denied`
 * for a project that the caller can see, and for a caller without access to the resource in any project.
 */
export function requireInProject(
  c: Context<AppEnv>,
  permission: Permission,
  projectId: string,
  missing: ApiError = missingProject(projectId),
): Scope {
  const principal = c.get('principal');
  const scope = authorize(principal, permission, projectId);
  if (scope.ok) return scope;
  const hasAccess = authorize(principal, { ...permission, action: 'read' }).ok;
  if (hasAccess && !authorize(principal, SEE_PROJECT, projectId).ok) throw missing;
  throw new ApiError('permissions_denied', { details: [{ ...permission }] });
}

export function missingProject(id: string): ApiError {
  return new ApiError('not_found', { resource: 'project_id', resource_id: id });
}

/**
 * Returns the projects in which the caller can change a resource given by id. Throws 403 `permissions_denied` if the
 * caller cannot even read any.
 */
export function writableProjects(c: Context<AppEnv>, resource: Permission['resource']): string[] {
  const writable = authorize(c.get('principal'), { resource, action: 'write' });
  const readable = authorize(c.get('principal'), { resource, action: 'read' });
  if (!writable.ok && !readable.ok) requireScope(c, { resource, action: 'write' });
  return writable.ok ? writable.projectIds : [];
}

/**
 * Returns the error for a change to a resource that was not found in {@link writableProjects}: 403 if the caller can
 * read it (`exists` looks in these projects), otherwise `missing`, so that other organizations' resources cannot be
 * distinguished from missing ones.
 */
export async function refusalOfChange(
  c: Context<AppEnv>,
  resource: Permission['resource'],
  missing: ApiError,
  exists: (projectIds: readonly string[]) => Promise<unknown>,
): Promise<ApiError> {
  const readable = authorize(c.get('principal'), { resource, action: 'read' });
  const writable = writableProjects(c, resource);
  const others = readable.ok ? readable.projectIds.filter((id) => !writable.includes(id)) : [];
  if (others.length === 0 || !(await exists(others))) return missing;
  return new ApiError('permissions_denied', { details: [{ resource, action: 'write' }] });
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

/** Returns the data for a change's audit row: actor, address and time. The actor is the caller by default. */
export function changeOf(
  c: Context<AppEnv>,
  { type, id, accessKey }: Pick<Principal, 'type' | 'id' | 'accessKey'> = c.get('principal'),
): Change {
  return {
    now: Date.now(),
    actorType: type,
    actorId: id,
    actorKey: accessKey,
    address: c.req.header('CF-Connecting-IP') ?? null,
    requestId: c.get('requestId'),
  };
}

/** Returns the context for a change by the caller in the region of the path. */
export function workOf(c: Context<AppEnv>): Work {
  const { sealingKeys, nats, quotas, guests } = c.get('config');
  const isGuest = c.get('principal').memberships.some(({ expiresAt }) => expiresAt !== null);
  return {
    store: c.get('store'),
    region: c.get('region'),
    sealingKeys,
    nats,
    quotas: isGuest ? guests.quotas : quotas,
    guest: isGuest,
    change: changeOf(c),
  };
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
export function wireTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function wireTimeOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : wireTime(milliseconds);
}

/** Middleware that finds the region in the path and opens its database. Throws 400 if the region is not served. */
export async function useRegion(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  const { regions } = c.get('config');
  const region = regions.get(c.req.param('region') ?? '');
  if (!region) {
    throw invalidArgument('region', 'constraint', `must be one of ${[...regions.keys()].join(', ')}`);
  }
  c.set('region', region);
  c.set('store', openDatabase(region.database));
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
