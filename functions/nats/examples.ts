/** Examples of accounts and servers for the OpenAPI document. The keys are invalid. */

export const projectId = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
export const accountId = `A${'CX4KQ7'.repeat(9)}N`;
export const times = { created_at: '2026-11-21T09:00:00.000Z', updated_at: '2026-11-21T09:00:00.000Z' };
export const region = 'fr-par';

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

export const role = {
  id: '3f0c1f6e-6c54-4c7e-9d0b-8a2a6a1f7c22',
  name: 'orders-consumer',
  nats_account_id: accountId,
  project_id: projectId,
  region,
  ...times,
  publish: {
    allow: [
      '$JS.ACK.*.*.ORDERS.billing.>',
      '$JS.ACK.ORDERS.billing.>',
      '$JS.API.CONSUMER.INFO.ORDERS.billing',
      '$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing',
    ],
    deny: [],
  },
  subscribe: { allow: ['_INBOX.{{subject()}}.>'], deny: [] },
  responses: null,
  source_ips: ['192.0.2.0/24'],
  connection_types: null,
  max_subscriptions: null,
  max_payload: null,
};
export const createRole = {
  nats_account_id: accountId,
  name: role.name,
  publish: { allow: role.publish.allow },
  subscribe: { allow: role.subscribe.allow },
  source_ips: role.source_ips,
};
export const updateRole = { source_ips: ['192.0.2.0/24', '198.51.100.7/32'] };

export const natsServer = {
  state: 'replied' as const,
  name: 'fr-par-1',
  version: '2.15.3',
  supported: true,
  faults: [],
  websockets: ['wss://fr-par-1.example.com:443'],
  clock_ahead_ms: 4,
};
