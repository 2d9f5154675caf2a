/**
 * The permission sets that a rule can grant, in one table. Authorization, the list of permission sets and the
 * documentation read it.
 */

/** A required permission. */
export interface Permission {
  resource: 'nats' | 'sqs' | 'sns' | 'project' | 'iam' | 'audit_trail';
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

/** Name → permission set. The sets of a product also allow reading the project that they are granted in. */
export const permissionSets = {
  NATSReadOnly: {
    description: 'Read NATS accounts and credentials',
    scope: 'projects',
    grants: { nats: READ, project: READ },
  },
  NATSFullAccess: {
    description: 'Create, read, rename and delete NATS accounts; create, read and revoke their credentials',
    scope: 'projects',
    grants: { nats: FULL, project: READ },
  },
  QueuesReadOnly: {
    description: 'Read the activation and the credentials of Queues',
    scope: 'projects',
    grants: { sqs: READ, project: READ },
  },
  QueuesFullAccess: {
    description: 'Activate and deactivate Queues; create, read, update and revoke credentials',
    scope: 'projects',
    grants: { sqs: FULL, project: READ },
  },
  TopicsAndEventsReadOnly: {
    description: 'Read the activation and the credentials of Topics and Events',
    scope: 'projects',
    grants: { sns: READ, project: READ },
  },
  TopicsAndEventsFullAccess: {
    description: 'Activate and deactivate Topics and Events; create, read, update and revoke credentials',
    scope: 'projects',
    grants: { sns: FULL, project: READ },
  },
  MessagingAndQueuingReadOnly: {
    description: 'Read what NATS, Queues and Topics and Events have',
    scope: 'projects',
    grants: { nats: READ, sqs: READ, sns: READ, project: READ },
  },
  MessagingAndQueuingFullAccess: {
    description: 'Everything of NATS, Queues and Topics and Events',
    scope: 'projects',
    grants: { nats: FULL, sqs: FULL, sns: FULL, project: READ },
  },
  ProjectReadOnly: { description: 'Read projects', scope: 'projects', grants: { project: READ } },
  ProjectManager: {
    description: 'Create, read, rename and delete projects',
    scope: 'organization',
    grants: { project: FULL },
  },
  IAMReadOnly: {
    description: 'Read members, applications, API keys and policies',
    scope: 'organization',
    grants: { iam: READ },
  },
  IAMManager: {
    description:
      'Manage members, applications, API keys and policies, and so grant any permission set to anyone; all but what concerns Owners',
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

/** Whether the named permission set grants the permission. An unknown or removed name grants nothing. */
export function grants(name: string, { resource, action }: Permission): boolean {
  const set: PermissionSet | undefined = Object.hasOwn(permissionSets, name)
    ? permissionSets[name as PermissionSetName]
    : undefined;
  return set?.grants[resource]?.includes(action) ?? false;
}
