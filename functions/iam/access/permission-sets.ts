/**
 * The permission sets that a rule can grant, in one table. Authorization, the list of permission sets and the
 * documentation read it.
 */
import type { ProductId } from '../../../db/products.ts';

/** A required permission. */
export interface Permission {
  resource: ProductId | 'project' | 'iam' | 'audit_trail';
  action: 'read' | 'write';
}

export interface PermissionSet {
  description: string;
  /** `projects`: can be granted in single projects; `organization`: only in the whole organization. */
  scope: 'projects' | 'organization';
  /** Resource → allowed actions. */
  grants: Partial<Record<Permission['resource'], readonly Permission['action'][]>>;
}

const READ = ['read'] as const;
const FULL = ['read', 'write'] as const;
const READ_EVERY_PRODUCT = { nats: READ, sqs: READ, sns: READ } satisfies Record<ProductId, typeof READ>;
const FULL_EVERY_PRODUCT = { nats: FULL, sqs: FULL, sns: FULL } satisfies Record<ProductId, typeof FULL>;

/** Name → permission set. The sets of a product also allow reading the project that they are granted in. */
export const permissionSets = {
  NATSReadOnly: {
    description: 'List NATS accounts, their roles and their credentials',
    scope: 'projects',
    grants: { nats: READ, project: READ },
  },
  NATSFullAccess: {
    description:
      'Create, list, update and delete NATS accounts and their roles; create, list and revoke their credentials',
    scope: 'projects',
    grants: { nats: FULL, project: READ },
  },
  QueuesReadOnly: {
    description: 'See whether Queues is active; list its queues and credentials',
    scope: 'projects',
    grants: { sqs: READ, project: READ },
  },
  QueuesFullAccess: {
    description: 'Activate and deactivate Queues; create, list, update and revoke credentials',
    scope: 'projects',
    grants: { sqs: FULL, project: READ },
  },
  TopicsAndEventsReadOnly: {
    description: 'See whether Topics and Events is active; list its topics and credentials',
    scope: 'projects',
    grants: { sns: READ, project: READ },
  },
  TopicsAndEventsFullAccess: {
    description: 'Activate and deactivate Topics and Events; create, list, update and revoke credentials',
    scope: 'projects',
    grants: { sns: FULL, project: READ },
  },
  MessagingAndQueuingReadOnly: {
    description: 'Read access to NATS, Queues and Topics and Events',
    scope: 'projects',
    grants: { ...READ_EVERY_PRODUCT, project: READ },
  },
  MessagingAndQueuingFullAccess: {
    description: 'Full access to NATS, Queues and Topics and Events',
    scope: 'projects',
    grants: { ...FULL_EVERY_PRODUCT, project: READ },
  },
  ProjectReadOnly: { description: 'Read projects', scope: 'projects', grants: { project: READ } },
  ProjectManager: {
    description: 'Create, read, rename and delete projects',
    scope: 'organization',
    grants: { project: FULL },
  },
  IAMReadOnly: {
    description: 'Read members, applications, API keys, policies and security settings',
    scope: 'organization',
    grants: { iam: READ },
  },
  IAMManager: {
    description:
      'Manage members, applications, API keys and policies, and grant any permission set to anyone. Owners and their API keys are excluded',
    scope: 'organization',
    grants: { iam: FULL },
  },
  AuditTrailReadOnly: {
    description: 'Read and export the audit trail',
    scope: 'organization',
    grants: { audit_trail: READ },
  },
} as const satisfies Record<string, PermissionSet>;

export type PermissionSetName = keyof typeof permissionSets;

/** Product → its permission sets. */
export const PRODUCT_PERMISSION_SETS = {
  nats: { read: 'NATSReadOnly', write: 'NATSFullAccess' },
  sqs: { read: 'QueuesReadOnly', write: 'QueuesFullAccess' },
  sns: { read: 'TopicsAndEventsReadOnly', write: 'TopicsAndEventsFullAccess' },
} as const satisfies Record<ProductId, Record<Permission['action'], PermissionSetName>>;

/** Whether the named permission set grants the permission. An unknown or removed name grants nothing. */
export function grants(name: string, { resource, action }: Permission): boolean {
  const set: PermissionSet | undefined = Object.hasOwn(permissionSets, name)
    ? permissionSets[name as PermissionSetName]
    : undefined;
  return set?.grants[resource]?.includes(action) ?? false;
}
