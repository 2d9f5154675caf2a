/** Examples of each shape for the OpenAPI document. The keys are invalid. */
import type { KeyedCredentialsList, ServiceInfo } from './schemas.ts';

const id = '8d3f9a52-4a0c-4a2e-9d2a-0f2f0c6c9d11';
const projectId = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
const accountId = `A${'CX4KQ7'.repeat(9)}N`;
const times = { created_at: '2026-11-21T09:00:00.000Z', updated_at: '2026-11-21T09:00:00.000Z' };
const region = 'fr-par';
const permissions = { can_publish: true, can_receive: true, can_manage: false };

export const account = {
  id: accountId,
  name: 'orders',
  endpoint: 'nats://nats.fr-par.example.com:4222',
  websockets: ['wss://nats.fr-par.example.com:443'],
  project_id: projectId,
  region,
  ...times,
  enforcement: {
    state: 'enforced' as const,
    revision: 3,
    acknowledged_revision: 3,
    servers: 2,
    acknowledged_servers: 2,
  },
};
export const updateAccount = { name: 'orders-eu' };
export const createAccount = { project_id: projectId, name: 'orders' };

export const natsCredentials = {
  id,
  name: 'orders-service',
  nats_account_id: accountId,
  region,
  ...times,
  last_used_at: null,
  expires_at: null,
  checksum: '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  credentials: null,
};
export const issuedNatsCredentials = {
  ...natsCredentials,
  credentials: { name: 'user.creds', content: '-----BEGIN NATS USER JWT-----\n…' },
};
export const createNatsCredentials = { nats_account_id: accountId, name: 'orders-service' };

export const natsServer = {
  state: 'replied' as const,
  name: 'fr-par-1',
  version: '2.15.3',
  supported: true,
  faults: [],
  websockets: ['wss://fr-par-1.example.com:443'],
  clock_ahead_ms: 4,
};

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

export const keyedCredentials = {
  id,
  name: 'orders-service',
  project_id: projectId,
  region,
  ...times,
  last_used_at: null,
  access_key: 'LKEYexampleexample00',
  secret_key: '',
  secret_checksum: '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  permissions,
};
export const issuedKeyedCredentials = { ...keyedCredentials, secret_key: 'latchkey_…' };
export const createKeyedCredentials = { project_id: projectId, name: 'orders-service', permissions };
export const updateKeyedCredentials = { permissions: { can_manage: true } };

export const projectBody = { project_id: projectId };

export const keyedCredentialsList = <Id extends 'sqs' | 'sns'>(product: Id) =>
  ({ total_count: 1, [`${product}_credentials`]: [keyedCredentials] }) as KeyedCredentialsList<Id>;

export const serviceInfo = <Id extends 'sqs' | 'sns'>(product: Id) =>
  ({
    ...projectBody,
    region,
    ...times,
    status: 'enabled',
    [`${product}_endpoint_url`]: 'https://latchkey.example.com',
  }) as ServiceInfo<Id>;
