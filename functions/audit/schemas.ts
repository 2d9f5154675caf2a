/** The schemas of the audit trail, with examples. Names follow Scaleway Audit Trail v1alpha1 where it has them. */
import * as z from 'zod';
import { enumFilter, instant, regionParams, uuid } from '../shared/schemas.ts';
import { RESOURCE_TYPES } from './resources.ts';

/** A filter for an exact match. */
const exactly = z.string().min(1).max(200);

/** The query of an export: the filters of a list, and the order. */
export const exportQuery = z.object({
  organization_id: uuid.optional(),
  project_id: uuid.optional(),
  recorded_after: instant.optional(),
  recorded_before: instant.optional(),
  principal_id: exactly.optional(),
  resource_type: enumFilter('unknown_type', RESOURCE_TYPES),
  method_name: exactly.optional(),
  product_name: exactly.optional(),
  service_name: exactly.optional(),
  source_ip: exactly.optional(),
  /** Only successful changes are recorded. */
  status: z.enum(['0', '200'], 'must be 200: only successful changes are recorded').optional(),
  resource_id: exactly.optional(),
  action: exactly.optional(),
  order_by: z.enum(['recorded_at_desc', 'recorded_at_asc']).default('recorded_at_desc'),
});

/** Time and id of the last row of the previous page, in base 36. */
const pageToken = z
  .string()
  .regex(/^[0-9a-z]{1,9}-[0-9a-z]{1,10}$/, 'must be a next_page_token from a previous response')
  .transform((token) => {
    const [at = 0, id = 0] = token.split('-').map((part) => Number.parseInt(part, 36));
    return { at, id };
  });

/** Returns the `page_token` of the page after a row. */
export const pageTokenAfter = ({ at, id }: { at: number; id: number }) =>
  `${at.toString(36)}-${id.toString(36)}`;

export const listQuery = exportQuery.extend({
  page_size: z.coerce.number().int().min(1).max(100).default(50),
  page_token: pageToken.optional(),
});

export type ExportQuery = z.output<typeof exportQuery>;

export type ListQuery = z.output<typeof listQuery>;

export { regionParams };

const snapshot = z.record(z.string(), z.unknown()).nullable();

/**
 * One change: who made it, when and from where, the resource, and names and permissions before and after. The last
 * members repeat it under the names of Scaleway Audit Trail v1alpha1. User agents and bodies are not recorded.
 */
export const auditEvent = z
  .object({
    id: z.string(),
    recorded_at: z.iso.datetime(),
    /** The region of the trail, or `global`. */
    locality: z.string(),
    organization_id: z.string(),
    project_id: z.string().nullable(),
    principal: z.object({
      type: z.enum(['user', 'application', 'system']),
      id: z.string(),
      /** The API key that was used; null for a session. */
      access_key: z.string().nullable(),
    }),
    source_ip: z.string().nullable(),
    request_id: z.string(),
    action: z.string(),
    resource: z.object({ type: z.string(), id: z.string() }),
    before: snapshot,
    after: snapshot,
    // The same event for official clients.
    method_name: z.string(),
    product_name: z.string(),
    service_name: z.string(),
    resources: z.array(z.object({ id: z.string(), type: z.string(), name: z.string().nullable() })),
    status_code: z.literal(200),
    user_agent: z.null(),
    /** Not recorded; empty because the Terraform provider cannot read null. */
    request_body: z.object({}),
  })
  .meta({ id: 'AuditEvent' });

export type AuditEventOnWire = z.infer<typeof auditEvent>;

/** `next_page_token` is null on the last page. */
export const auditEventList = z.object({
  events: z.array(auditEvent),
  next_page_token: z.string().nullable(),
});

export const eventExample: AuditEventOnWire = {
  id: '4711',
  recorded_at: '2026-11-21T09:00:00.000Z',
  locality: 'fr-par',
  organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
  project_id: '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10',
  principal: {
    type: 'user',
    id: '6a1f4f4e-6f0c-4b1e-9a57-1f6f0a8d3c44',
    access_key: 'SCWEXAMPLEEXAMPLE000',
  },
  source_ip: '192.0.2.10',
  request_id: '8d3f9a52-4a0c-4a2e-9d2a-0f2f0c6c9d11',
  action: 'update',
  resource: { type: 'sqs_credentials', id: '3b1c7d1e-5a0f-4b7e-8f0e-0d5b8f6f2a10' },
  before: { name: 'orders', permissions: { can_publish: true, can_receive: false, can_manage: false } },
  after: { name: 'orders-eu', permissions: { can_publish: true, can_receive: false, can_manage: false } },
  method_name: 'UpdateSqsCredentials',
  product_name: 'mnq',
  service_name: 'mnq.v1beta1',
  resources: [{ id: '3b1c7d1e-5a0f-4b7e-8f0e-0d5b8f6f2a10', type: 'sqs_credentials', name: 'orders-eu' }],
  status_code: 200,
  user_agent: null,
  request_body: {},
};
