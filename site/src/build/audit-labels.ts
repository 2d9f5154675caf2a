/** What people call the things and changes of the audit trail. Read while building. */
import type { AuditResource } from '../../../functions/audit/resources.ts';

/** The types of resources, as the trail has them. */
export const RESOURCES: Record<AuditResource, string> = {
  nats_accounts: 'NATS account',
  nats_credentials: 'NATS credentials',
  sqs: 'Queues',
  sqs_credentials: 'credentials for Queues',
  sns: 'Topics and Events',
  sns_credentials: 'credentials for Topics and Events',
  projects: 'project',
  users: 'member',
  invitations: 'invitation',
  applications: 'application',
  api_keys: 'API key',
  policies: 'policy',
  organizations: 'organization',
  passwords: 'password',
  sessions: 'session',
};

/** The actions. */
export const ACTIONS: Record<string, string> = {
  create: 'Created',
  update: 'Updated',
  delete: 'Deleted',
  revoke: 'Revoked',
  activate: 'Activated',
  deactivate: 'Deactivated',
};
