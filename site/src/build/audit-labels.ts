/** Labels of the audit trail's resource types and actions. */
import type { AuditResource } from '../../../functions/audit/resources.ts';

export const RESOURCES: Record<AuditResource, string> = {
  nats_accounts: 'NATS account',
  nats_roles: 'NATS role',
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

export const ACTIONS: Record<string, string> = {
  create: 'Created',
  update: 'Updated',
  delete: 'Deleted',
  revoke: 'Revoked',
  disable: 'Disabled',
  enable: 'Enabled',
  rotate: 'Rotated',
  finish_rotation: 'Ended the old key of',
  cancel_rotation: 'Ended the new key of',
  activate: 'Activated',
  deactivate: 'Deactivated',
};
