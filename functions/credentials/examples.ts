/** Examples of each shape for the OpenAPI document. The keys are invalid. */

import type { AccessKeyProductId } from '../../db/products.ts';
import { accountId, projectId, region, times } from '../nats/examples.ts';
import type { AccessKeyCredentialsList, ServiceInfo } from './schemas.ts';

const id = '8d3f9a52-4a0c-4a2e-9d2a-0f2f0c6c9d11';
const permissions = { can_publish: true, can_receive: true, can_manage: false };

const common = {
  id,
  name: 'orders-service',
  region,
  ...times,
  last_used_at: null,
  expires_at: null,
  status: 'enabled' as const,
  description: 'Used by the orders service in production',
  tags: ['production'],
  created_by: { type: 'user' as const, id: '7b0a4d5e-3a53-4b8a-9f3e-3f1c2f0d9a11', name: 'Ada Lovelace' },
  disabled_at: null,
  disabled_reason: null,
  revoke_at: null,
};

export const natsCredentials = {
  ...common,
  nats_account_id: accountId,
  nats_role_id: null,
  public_key: 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4',
  rotation: null,
  checksum: '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  credentials: null,
};
export const issuedNatsCredentials = {
  ...natsCredentials,
  credentials: { name: 'user.creds', content: '-----BEGIN NATS USER JWT-----\n…' },
};
export const createNatsCredentials = { nats_account_id: accountId, name: 'orders-service' };

export const natsConnections = {
  servers: 2,
  servers_answered: 2,
  truncated: false,
  connections: [
    {
      server: 'fr-par-1',
      address: '192.0.2.10:51234',
      client: 'orders',
      connected_at: '2026-11-21T09:00:00.000Z',
      last_activity_at: '2026-11-21T09:05:00.000Z',
    },
  ],
};

export const accessKeyCredentials = {
  ...common,
  project_id: projectId,
  access_key: 'LKEYexampleexample00',
  secret_key: '',
  secret_checksum: '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  rotation: null,
  permissions,
  resources: ['orders-*'],
  source_ips: null,
};
export const issuedAccessKeyCredentials = { ...accessKeyCredentials, secret_key: 'latchkey_…' };
export const createAccessKeyCredentials = { project_id: projectId, name: 'orders-service', permissions };
export const updateAccessKeyCredentials = { permissions: { can_manage: true } };

export const disable = { reason: 'Found in a build log', revoke_after_seconds: 604_800 };
export const disabled = {
  status: 'disabled' as const,
  disabled_at: '2026-11-21T09:05:00.000Z',
  disabled_reason: 'Found in a build log',
  revoke_at: '2026-11-28T09:05:00.000Z',
};

export const rotate = { overlap_seconds: 86_400 };
const rotation = {
  started_at: '2026-11-21T09:05:00.000Z',
  first_used_at: null,
  previous_last_used_at: '2026-11-21T09:04:00.000Z',
  previous_ends_at: null,
};
export const rotatedNatsCredentials = {
  ...issuedNatsCredentials,
  rotation: { previous_public_key: natsCredentials.public_key, ...rotation },
};
export const rotatedAccessKeyCredentials = {
  ...issuedAccessKeyCredentials,
  rotation: { previous_access_key: 'LKEYexampleexample11', ...rotation },
};

export const batch = { action: 'revoke' as const, filter: { status: 'expired' as const }, dry_run: true };
export const batchResult = {
  dry_run: true,
  results: [
    { id, name: 'orders-service', result: 'changed' as const, last_used_at: null, connections: null },
  ],
};

export const projectBody = { project_id: projectId };

export const accessKeyCredentialsList = <Id extends AccessKeyProductId>(product: Id) =>
  ({ total_count: 1, [`${product}_credentials`]: [accessKeyCredentials] }) as AccessKeyCredentialsList<Id>;

export const serviceInfo = <Id extends AccessKeyProductId>(product: Id) =>
  ({
    ...projectBody,
    region,
    ...times,
    status: 'enabled',
    [`${product}_endpoint_url`]: 'https://latchkey.example.com',
  }) as ServiceInfo<Id>;
