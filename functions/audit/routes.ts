/**
 * The endpoints of the audit trail: regional events from the region's database, organization events from identity. They
 * list and export; no endpoint changes or deletes events.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { type AuditEvent, type AuditFilter, listAuditEvents } from '../../db/audit.ts';
import type { Database } from '../../db/database.ts';
import { requireScope } from '../iam/access/require-access.ts';
import { ApiError, invalidArgument } from '../shared/errors.ts';
import { type AppEnv, apiTime, errorResponses, newRouter, ok } from '../shared/http.ts';
import { toApiPermissions } from '../shared/permissions.ts';
import { kindsOf, officialNames } from './resources.ts';
import * as schemas from './schemas.ts';

type C = Context<AppEnv>;

/** A database and the locality of its events. */
interface Trail {
  db: Database;
  locality: string;
}

const regionTrail = (c: C): Trail => ({ db: c.get('regionDb'), locality: c.get('region').name });
const organizationTrail = (c: C): Trail => ({ db: c.get('identityDb'), locality: 'global' });

const permission = { resource: 'audit_trail', action: 'read' } as const;

/** Returns the filter of a query, after checking that the caller can read the organization's trail. */
function filterOf(c: C, query: schemas.ExportQuery): AuditFilter {
  const { organizationIds } = requireScope(c, permission);
  const organizationId =
    query.organization_id ?? (organizationIds.length === 1 ? organizationIds[0] : undefined);
  if (organizationIds.length > 0 && organizationId === undefined) {
    throw invalidArgument('organization_id', 'required', 'is required: you have access to more than one');
  }
  if (organizationId === undefined || !organizationIds.includes(organizationId)) {
    throw new ApiError('permissions_denied', { details: [permission] });
  }
  const { resource_type, method_name, product_name, service_name } = query;
  return {
    organizationId,
    projectId: query.project_id,
    from: query.recorded_after,
    until: query.recorded_before,
    actorId: query.principal_id,
    kinds: kindsOf({ resource_type, method_name, product_name, service_name }),
    address: query.source_ip,
    resourceId: query.resource_id,
    action: query.action,
    direction: query.order_by === 'recorded_at_asc' ? 'asc' : 'desc',
  };
}

function present(row: AuditEvent, locality: string): schemas.AuditEventOnWire {
  const { type, ...names } = officialNames(row.action, row.resource);
  const [before, after] = [snapshotOf(row.before), snapshotOf(row.after)];
  const name = (after ?? before)?.name;
  return {
    id: String(row.id),
    recorded_at: apiTime(row.at),
    locality,
    organization_id: row.organizationId,
    project_id: row.projectId,
    principal: { type: row.actorType, id: row.actorId, access_key: row.actorKey },
    source_ip: row.address,
    request_id: row.requestId,
    action: row.action,
    resource: { type: row.resource, id: row.resourceId },
    before,
    after,
    ...names,
    resources: [{ id: row.resourceId, type, name: typeof name === 'string' ? name : null }],
    status_code: 200,
    user_agent: null,
    request_body: {},
  };
}

/** Permissions are stored as bits; responses use the API's names. */
function snapshotOf(json: string | null): Record<string, unknown> | null {
  if (json === null) return null;
  const { permissions, ...others } = JSON.parse(json) as Record<string, unknown>;
  if (typeof permissions !== 'number') return others;
  return { ...others, permissions: toApiPermissions(permissions) };
}

async function list(c: C, { db, locality }: Trail, query: schemas.ListQuery) {
  // One extra row shows whether there is another page.
  const rows = await listAuditEvents(db, filterOf(c, query), query.page_size + 1, query.page_token);
  const page = rows.slice(0, query.page_size);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    events: page.map((row) => present(row, locality)),
    next_page_token: last ? schemas.pageTokenAfter(last) : null,
  };
}

/** How many rows an export reads and holds in memory at a time. */
const BATCH_SIZE = 500;

/**
 * Streams the rows as NDJSON, each exactly once, in batches and at the client's pace. Events written after the export
 * started are not included. If the database fails midway, the transfer is aborted so that the client does not take it
 * for complete.
 */
async function exportAll(c: C, { db, locality }: Trail, query: schemas.ExportQuery) {
  const filter = filterOf(c, query);
  const now = Date.now();
  const bounded = { ...filter, until: Math.min(filter.until ?? now + 1, now + 1) };
  // Read the first batch before responding, so that early failures return a normal error.
  let portion = await listAuditEvents(db, bounded, BATCH_SIZE, undefined);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const lines = portion.map((row) => `${JSON.stringify(present(row, locality))}\n`);
        const last = portion.at(-1);
        if (last) controller.enqueue(encoder.encode(lines.join('')));
        if (!last || portion.length < BATCH_SIZE) return controller.close();
        portion = await listAuditEvents(db, bounded, BATCH_SIZE, last);
        if (portion.length === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const day = apiTime(now).slice(0, 10);
  return c.body(body, 200, {
    'Content-Type': NDJSON,
    'Content-Disposition': `attachment; filename="audit-trail-${locality}-${day}.ndjson"`,
  });
}

const tags = ['Audit trail'];
const description =
  'Requires `audit_trail` `read` in the whole organization. `organization_id` is optional if you can read only one trail.';
const listResponses = {
  ...ok(schemas.auditEventList, { events: [schemas.eventExample], next_page_token: null }),
  ...errorResponses(),
};
/** Typed as `string`: the router treats a literal that ends in `json` as JSON. */
const NDJSON: string = 'application/x-ndjson';

const exportResponses = {
  200: {
    description: 'One event per line.',
    content: { [NDJSON]: { schema: schemas.auditEvent, example: schemas.eventExample } },
  },
  ...errorResponses(),
};
const listing = {
  method: 'get',
  path: '/events',
  tags,
  description: `Newest first. ${description}`,
  responses: listResponses,
} as const;
const exporting = {
  method: 'get',
  path: '/events/export',
  tags,
  description,
  responses: exportResponses,
} as const;

export const regionAuditRoutes = newRouter()
  .openapi(
    createRoute({
      ...listing,
      summary: 'List the events of a region',
      request: { params: schemas.regionParams, query: schemas.listQuery },
    }),
    async (c) => c.json(await list(c, regionTrail(c), c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      ...exporting,
      summary: 'Export the events of a region',
      request: { params: schemas.regionParams, query: schemas.exportQuery },
    }),
    (c) => exportAll(c, regionTrail(c), c.req.valid('query')),
  );

/**
 * The audit trail of resources without a region: the organization, its members, applications, API keys, policies and
 * projects.
 */
export const organizationAuditRoutes = newRouter()
  .openapi(
    createRoute({
      ...listing,
      summary: 'List the events of an organization',
      request: { query: schemas.listQuery },
    }),
    async (c) => c.json(await list(c, organizationTrail(c), c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      ...exporting,
      summary: 'Export the events of an organization',
      request: { query: schemas.exportQuery },
    }),
    (c) => exportAll(c, organizationTrail(c), c.req.valid('query')),
  );
