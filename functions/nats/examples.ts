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

export const natsServer = {
  state: 'replied' as const,
  name: 'fr-par-1',
  version: '2.15.3',
  supported: true,
  faults: [],
  websockets: ['wss://fr-par-1.example.com:443'],
  clock_ahead_ms: 4,
};
